"""Writes the report of an idea into the project's folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shipworthy.analysis.report.faces import write_faces
from shipworthy.analysis.report.layout import REPORTS_FOLDER
from shipworthy.analysis.report.story import tell_story
from shipworthy.project import Project


def write_report(project: Project, number: int, faces: Sequence[str] = ("html",)) -> list[Path]:
    """Writes `reports/NNNN-slug.html` and the other faces that are asked for, see `FACES`.

    Each file is there wholly or not at all, and a newer one takes its place.

    Raises:
        GateClosedError: There is no verdict about the evidence as it stands.
        InvalidInputError: There is no such face.
        NotFoundError: There is no such idea.
        UnavailableError: The extra `report` is not installed, or the folder cannot be written.
    """
    story = tell_story(project, number)
    return write_faces(story, project.root / REPORTS_FOLDER, f"{story.idea.key}-{story.idea.slug}", faces)
