"""The page of the report: of an idea with all that its project knows, or of any other findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shipworthy.analysis.decision import Decision
from shipworthy.analysis.report import assumed, data_facts, replayed, told_apart
from shipworthy.analysis.report.drawing import Plot
from shipworthy.analysis.report.findings import Findings
from shipworthy.analysis.report.judged_file import JudgedFile
from shipworthy.analysis.report.layout import lay_out
from shipworthy.analysis.report.locked import locked_facts
from shipworthy.analysis.report.plots import draw_course, draw_interval, draw_units
from shipworthy.analysis.report.regret import draw_regret, regret_note, regret_of
from shipworthy.analysis.report.story import Story
from shipworthy.analysis.report.told import told
from shipworthy.step import Rung

_IDEA, _FINDINGS = (Path(__file__).with_name(f"{name}.html.jinja") for name in ("page", "findings"))


def render_report(findings: Findings) -> str:
    """Lays out the page; the same findings give the same page, and those of an idea tell more.

    Raises:
        UnavailableError: The extra `report` is not installed.
    """
    if isinstance(findings, Story):
        return lay_out(_IDEA, **_every_page(findings), **_of_project(findings))
    return lay_out(_FINDINGS, **_every_page(findings), file=_file_facts(findings))


def _every_page(findings: Findings) -> dict[str, Any]:
    return {**told(findings), "sides": _sides(findings), "plots": _plots(findings)}


def _of_project(story: Story) -> dict[str, Any]:
    """What only the records of a project know."""
    return {
        "assumed": assumed,
        "curves": [assumed.draw_assumption(story, one) for one in assumed.varied(story)],
        "segment_plots": [told_apart.draw_segments(story, *told) for told in told_apart.by_column(story).items()],
        "segments_note": told_apart.NOTE,
        "data": data_facts,
        "locked_facts": locked_facts,
        "replayed": replayed,
        "regret_note": regret_note(story) if regret_of(story) else "",
        "solvers": replayed.solvers(story),
        "rungs": [str(rung) for rung in Rung if any(str(rung) in falls for falls in story.research.falls.values())],
    }


def _sides(findings: Findings) -> tuple[str, str]:
    """What challenger and champion are called."""
    if isinstance(findings, Story):
        return findings.idea.challenger, findings.problem.champion or "the champion"
    return "the challenger", "the champion"


def _file_facts(findings: Findings) -> list[tuple[str, str]]:
    """What was judged, by name; none where it was no file."""
    if not isinstance(findings, JudgedFile):
        return []
    return [
        ("File", findings.file),
        ("Rows", f"{findings.rows:,}"),
        *((role.capitalize(), f"column {column}") for role, column in findings.columns.items()),
    ]


def _plots(findings: Findings) -> dict[str, Plot]:
    """The plots that there is something to draw for."""
    drawn = {}
    if findings.has_interval:
        drawn["interval"] = draw_interval(findings)
    if not findings.course.is_empty():
        drawn["course"] = draw_course(findings)
        drawn["units"] = draw_units(findings)
    if isinstance(findings, Story) and regret_of(findings) and findings.verdict.decision is not Decision.INVALID:
        drawn["regret"] = draw_regret(findings)
    return drawn
