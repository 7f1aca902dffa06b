"""The plots of a verdict, drawn once by the code that draws the reports', and kept under the digest of what they show."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from shipworthy.analysis.report import sentences
from shipworthy.analysis.report.drawing import Plot
from shipworthy.analysis.report.layout import write_file
from shipworthy.analysis.report.plots import draw_course, draw_interval, draw_units
from shipworthy.board.judged import Judged
from shipworthy.project import Project
from shipworthy.store import canonical, digest

_FOLDER = ".shipworthy/pictures"


class Picture(NamedTuple):
    """A plot with the note below it."""

    plot: Plot
    note: str


def pictures(project: Project, judged: Judged) -> list[Picture]:
    """The plots that there is something to draw for: the interval, the gain over time, the gain by unit.

    Raises:
        UnavailableError: the extra `report` is not installed, or the folder cannot be written.
    """
    shown = {
        "verdict": judged.findings.verdict.to_dict(),
        "evidence": judged.analysis.evidence,
        "claimed": asdict(judged.findings.claimed) if judged.findings.claimed else None,
        "sealed": judged.findings.is_sealed,
        "by": version("shipworthy"),
    }
    path = project.root / _FOLDER / f"{digest(canonical(shown))}.json"
    kept = _read(path)
    if kept is None:
        kept = _draw(judged)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, json.dumps([[asdict(plot), note] for plot, note in kept]).encode())
    return kept


def _draw(judged: Judged) -> list[Picture]:
    findings = judged.findings
    drawn = []
    if findings.has_interval:
        drawn.append(Picture(draw_interval(findings), sentences.interval_note(findings)))
    if not findings.course.is_empty():
        drawn.append(Picture(draw_course(findings), sentences.course_note(findings)))
        drawn.append(Picture(draw_units(findings), sentences.units_note(findings)))
    return drawn


def _read(path: Path) -> list[Picture] | None:
    """What was drawn before; None where nothing was, or where it cannot be read any more."""
    try:
        return [Picture(Plot(**plot), note) for plot, note in json.loads(path.read_bytes())]
    except (OSError, ValueError, TypeError):
        return None
