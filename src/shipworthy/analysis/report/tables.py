"""The tables behind a verdict, row by row: the same figures in every face that shows a table."""

from __future__ import annotations

from shipworthy.analysis.report.findings import Findings
from shipworthy.analysis.report.money import exact, precise
from shipworthy.analysis.report.sentences import shown_units
from shipworthy.analysis.verdicts import Gain

GAIN_HEADS = ("Counted", "Gain", "Low", "High")
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
        (one.name, str(one.state), one.better, *map(precise, (one.change, one.low, one.high, one.margin)))
        for one in findings.verdict.guardrails
    ]


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
