"""What an idea is expected to earn: by its verdict where there is one, else by what its author hopes for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shipworthy.analysis.analyse import read_analysis
from shipworthy.analysis.gain import Gain
from shipworthy.ideas.idea import Idea
from shipworthy.project import Project
from shipworthy.workspace.declared import declared_currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Money that an idea is expected to earn.

    Attributes:
        gain: The amount with its interval.
        currency: Its currency; empty where nobody has said it yet.
        per: What it is per: "year", or "period" where nobody has said how many a year has.
        step: What it is rounded to, as the verdict rounds it; None where nobody measured it.
        decision: What that verdict decides; empty where none measured it.
    """

    gain: Gain
    currency: str
    per: str
    step: float | None = None
    decision: str = ""

    @property
    def is_measured(self) -> bool:
        """Whether a verdict measured it."""
        return self.step is not None


def expected_of(project: Project, idea: Idea, terms: Mapping[str, Any] | None) -> Expected | None:
    """What an idea is expected to earn; None where neither a verdict nor its author says.

    Args:
        project: Where its verdict is recorded.
        idea: The idea.
        terms: What is locked for any idea of its problem: currency and periods a year; None where none is locked yet.
    """
    return _measured(project, idea) or _hoped(project, idea, terms or {})


def _measured(project: Project, idea: Idea) -> Expected | None:
    record = project.records.get("verdict", idea.key)
    if record is None:
        return None
    analysis = read_analysis(record)
    gain = analysis.verdict.per_year() if analysis.verdict.criteria.units_per_year else None
    if gain is None or not math.isfinite(gain.high - gain.low):
        return None
    found = analysis.verdict
    return Expected(
        gain=gain, currency=analysis.currency, per="year", step=found.step_of_year(), decision=str(found.decision)
    )


def _hoped(project: Project, idea: Idea, terms: Mapping[str, Any]) -> Expected | None:
    if idea.expected_gain is None:
        return None
    periods = terms.get("periods_per_year")
    times = float(periods) if idea.per == "period" and periods else 1.0
    low, likely, high = (amount * times for amount in idea.expected_gain)
    per = "year" if periods else idea.per
    gain = Gain(gain=likely, low=low, high=high)
    return Expected(gain=gain, currency=terms.get("currency") or declared_currency(project, idea.problem), per=per)
