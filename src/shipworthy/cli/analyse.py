"""`shipworthy analyse`: the verdict, and the report that people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from shipworthy.analysis.analyse import Analysis, analyse_idea
from shipworthy.analysis.report.write import write_report
from shipworthy.analysis.segments import Segment
from shipworthy.analysis.verification import verify_analysis
from shipworthy.analysis.wording import amount
from shipworthy.cli.faces import in_faces
from shipworthy.cli.figures import gains
from shipworthy.cli.show import as_json, money, tell
from shipworthy.cli.tracking import track_analysis
from shipworthy.errors import GateClosedError
from shipworthy.project import Project, open_project


@click.command()
@click.argument("number", type=int)
@click.option("--report/--no-report", default=True, help="Write the report.")
@in_faces
@click.option("--verify", is_flag=True, help="Judge the stored evidence again, and compare with the verdict on record.")
@as_json
def analyse(number: int, report: bool, faces: Sequence[str], verify: bool, json_: bool) -> int:
    """4. Analysis: judge the evidence by what was locked before it was there."""
    project = open_project()
    if verify:
        return _verify(project, number, json_)
    found = analyse_idea(project, number)
    paths = write_report(project, number, faces) if report else []
    written = [str(path.relative_to(project.root)) for path in paths]
    ships = found.verdict.decision == "ship"
    tell(
        {
            "Verdict": str(found.verdict.decision),
            "Because": list(found.verdict.reasons),
            **gains(found.verdict, found.currency),
            "Budget": found.budget.sentence if found.budget else None,
            "Break-even": _break_even(found),
            **_segments(found),
            "Notes": list(found.verdict.notes) or None,
            "Deviations": list(found.deviations) or None,
            "Report": written or None,
            "Next": f"shipworthy ship {number}" if ships else None,
        },
        record=_record(found, written) if json_ else None,
    )
    track_analysis(project, number, found)
    return 0 if ships else GateClosedError.exit_code


def _verify(project: Project, number: int, json_: bool) -> int:
    found = verify_analysis(project, number)
    facts = {
        "Answer": "the same verdict" if found.is_same else "another verdict than the one on record",
        "Verdict": str(found.recorded),
        "Again": None if found.is_same else str(found.again),
        "Differs first": found.difference,
        "Evidence": found.evidence,
        "Locked as": found.criteria,
    }
    tell(facts, record={**asdict(found), "is_same": found.is_same} if json_ else None)
    return 0 if found.is_same else GateClosedError.exit_code


def _record(found: Analysis, written: Sequence[str]) -> dict[str, Any]:
    return {**found.to_dict(), "report": written[0] if written else None, "reports": list(written)}


def _break_even(found: Analysis) -> str | None:
    """What would turn the verdict; nothing where no assumption is declared, so that nothing was asked."""
    known = found.break_even
    return known.says if known and known.is_known else None


def _segments(found: Analysis) -> dict[str, Any]:
    """The gain of each segment; a year, where that is known, so that those of a column sum to the whole."""
    told = found.segments
    if told is None:
        return {}
    lines = {}
    for column in dict.fromkeys(one.column for one in told.segments):
        lines[f"By {column}"] = [_segment(one, found.currency) for one in told.segments if one.column == column]
    few = [f"Fewer than 20 periods with data, so not shown: {'; '.join(told.not_shown)}."] if told.not_shown else []
    return {**lines, "Segments": [told.says, *told.notes, *few]}


def _segment(one: Segment, currency: str) -> str:
    factor, counted = (1.0, "per unit") if one.units_per_year is None else (one.units_per_year, "a year")
    low, high, shrunk = (amount(end * factor) for end in (one.low, one.high, one.shrunk))
    return f"{one.value}: {money(one.gain * factor, currency)} {counted} ({low} to {high}), shrunk {shrunk}"
