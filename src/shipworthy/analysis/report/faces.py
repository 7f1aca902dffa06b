"""The faces of the report: the same findings as a page, as Markdown, as slides, as a document for machines, as a model card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shipworthy.analysis.report.document import render_json
from shipworthy.analysis.report.findings import Findings
from shipworthy.analysis.report.layout import write_file
from shipworthy.analysis.report.model_card import render_card
from shipworthy.analysis.report.page import render_report
from shipworthy.analysis.report.pull_request import render_markdown, render_pictures
from shipworthy.analysis.report.slides import render_slides
from shipworthy.errors import InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """One form of the report.

    Attributes:
        about: What it is for, in a few words.
        ending: How the name of its file ends.
        render: Makes its file from the findings; the name without the ending is given, for what refers to files beside it.
        beside: Makes the files that lie beside it, by the ending of their names.
    """

    about: str
    ending: str
    render: Callable[[Findings, str], str | bytes]
    beside: Callable[[Findings], Mapping[str, bytes]] = lambda _: {}


FACES: Mapping[str, Face] = {
    "html": Face(about="a page to read", ending=".html", render=lambda findings, _: render_report(findings)),
    "markdown": Face(
        about="Markdown for a pull request, with its pictures",
        ending=".md",
        render=render_markdown,
        beside=render_pictures,
    ),
    "slides": Face(
        about="slides for stakeholders, to be edited",
        ending=".pptx",
        render=lambda findings, _: render_slides(findings),
    ),
    "json": Face(about="a document for machines", ending=".json", render=lambda findings, _: render_json(findings)),
    "card": Face(about="a model card", ending=".card.md", render=lambda findings, _: render_card(findings)),
}
"""The faces, by the name that the command line knows them by."""


def write_faces(findings: Findings, folder: Path, stem: str, faces: Sequence[str] = ("html",)) -> list[Path]:
    """Writes faces of the report into a folder, as `<stem>.html` and the like; newer ones take the place of older ones.

    Each file is there wholly or not at all, and nothing is written before everything is rendered. The same findings give the same
    bytes.

    Args:
        findings: What is told; a `Story` tells more.
        folder: Where to; made where it is missing.
        stem: The name of the files, without its ending.
        faces: Names of `FACES`.

    Returns:
        The file of each face, in the order asked for.

    Raises:
        InvalidInputError: There is no such face.
        UnavailableError: The extra `report` is not installed, or the folder cannot be written.
    """
    unknown = [name for name in faces if name not in FACES]
    if unknown:
        raise InvalidInputError(f"There is no face {unknown[0]!r} of a report. Ask for {', '.join(FACES)}.")
    rendered = [_files(FACES[name], findings, stem) for name in dict.fromkeys(faces)]
    written = []
    for files in rendered:
        paths = [write_file(folder / f"{stem}{ending}", content) for ending, content in files.items()]
        written.append(paths[0])
    return written


def _files(face: Face, findings: Findings, stem: str) -> dict[str, bytes]:
    """All that a face consists of, by the ending of its name, the face itself first."""
    made = face.render(findings, stem)
    return {face.ending: made.encode() if isinstance(made, str) else made, **face.beside(findings)}
