"""The plots of a verdict, drawn once by the code that draws the reports'."""

from __future__ import annotations

from dataclasses import asdict

from shipworthy.analysis.report import sentences
from shipworthy.analysis.report.plots import draw_course, draw_interval, draw_units
from shipworthy.board.judged import Judged
from shipworthy.board.kept_pictures import Picture, kept
from shipworthy.project import Project


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
        "unit": judged.findings.unit_noun,
    }
    return kept(project, "verdict", shown, lambda: _draw(judged), may_draw=True) or []


def _draw(judged: Judged) -> list[Picture]:
    findings = judged.findings
    drawn = []
    if findings.has_interval:
        drawn.append(Picture(draw_interval(findings), sentences.interval_note(findings)))
    if not findings.course.is_empty():
        drawn.append(Picture(draw_course(findings), sentences.course_note(findings)))
        drawn.append(Picture(draw_units(findings), sentences.units_note(findings)))
    return drawn
