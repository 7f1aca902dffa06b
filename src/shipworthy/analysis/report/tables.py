"""The tables behind a verdict, row by row: the same figures in every face that shows a table."""

from __future__ import annotations

from shipworthy.analysis.gain import Gain
from shipworthy.analysis.money import exact, precise
from shipworthy.analysis.report.findings import Findings
from shipworthy.analysis.report.sentences import shown_units
from shipworthy.analysis.report.story import Story

GAIN_HEADS = ("Counted", "Gain", "Low", "High")
SEGMENT_HEADS = ("Told apart by", "Segment", "Pairs", "Gain", "Low", "High", "Shrunk")
RAIL_HEADS = ("Guardrail", "State", "Better", "Change", "Low", "High", "Margin")


def gain_rows(findings: Findings) -> list[tuple[str, str, str, str]]:
    """The gain with its interval, however it is counted; none where nothing is told of it."""
    verdict = findings.verdict
    if verdict.exposure is None:
        return []
    return [
        ("per unit and period", precise(verdict.gain), precise(verdict.low), precise(verdict.high)),
        _exactly("per period", verdict.per_period()),
        _exactly("per year", verdict.per_year()),
    ]


def rail_rows(findings: Findings) -> list[tuple[str, ...]]:
    """What is known of each guardrail, per unit and period, in its own unit."""
    return [
        (
            one.name.replace("_", " "),
            str(one.state),
            one.better,
            *map(precise, (one.change, one.low, one.high, one.margin)),
        )
        for one in findings.verdict.guardrails
    ]


def segment_rows(findings: Findings) -> list[tuple[str, ...]]:
    """The gain of each segment that was registered, with an interval that holds for all of them at once; none otherwise."""
    told = findings.analysis.segments if isinstance(findings, Story) else None
    return [
        (
            one.column.replace("_", " "),
            one.value,
            f"{one.pairs:,}",
            *map(precise, (one.gain, one.low, one.high, one.shrunk)),
        )
        for one in (told.segments if told else ())
    ]


def segment_says(findings: Findings) -> list[str]:
    """What to make of the segments, and which of them had too few periods; nothing where none was registered."""
    told = findings.analysis.segments if isinstance(findings, Story) else None
    return [told.says, *told.notes, *(f"Not shown: {one}." for one in told.not_shown)] if told else []


def unit_heads(findings: Findings) -> tuple[str, ...]:
    """What is told of each unit."""
    return (findings.unit_noun.capitalize(), "Decisions", "Champion", "Challenger", "Gain", "Total gain")


def unit_rows(findings: Findings) -> list[tuple[str, ...]]:
    """What each unit that is shown earned: means per decision and the total."""
    return [
        (
            str(one["unit"]),
            f"{one['decisions']:,}",
            *(exact(float(str(one[name]))) for name in ("champion", "challenger", "gain", "total")),
        )
        for one in shown_units(findings)
    ]


def _exactly(counted: str, gain: Gain) -> tuple[str, str, str, str]:
    return counted, exact(gain.gain), exact(gain.low), exact(gain.high)
