"""Guardrails: what must not get worse by more than its margin.

Every guardrail must pass at the full error rate, none is corrected for the others: to ship wrongly all of them would
have to err together (intersection-union test, Berger 1982).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

import polars as pl

from shipworthy.analysis.criteria import Criteria, Margin
from shipworthy.analysis.gain import Gain
from shipworthy.analysis.measurement import MOST_ONE_SIDED, mean_of, measured
from shipworthy.analysis.money import figure, plain, step_for
from shipworthy.analysis.pairs import Pairs, paired
from shipworthy.analysis.wording import amount
from shipworthy.finite import finite


class GuardrailState(StrEnum):
    """What is known of a guardrail."""

    HOLDS = "holds"
    BREACHED = "breached"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailVerdict:
    """What is known of one guardrail, in its own unit and direction: challenger minus champion.

    Attributes:
        name: The guardrail.
        state: Whether it holds.
        change: Mean change per pair.
        low: Lower end of the interval of the change.
        high: Upper end.
        margin: The tolerated worsening.
        better: Which way is better.
        reason: The state in a sentence.
    """

    name: str
    state: GuardrailState
    change: float
    low: float
    high: float
    margin: float
    better: str
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Returns the verdict as JSON can hold it; an open end is null."""
        return {**asdict(self), "state": str(self.state), **finite({"low": self.low, "high": self.high})}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` returned."""
        low = -math.inf if fields["low"] is None else fields["low"]
        high = math.inf if fields["high"] is None else fields["high"]
        return cls(**{**fields, "state": GuardrailState(fields["state"]), "low": low, "high": high})


def guarded(frame: pl.DataFrame, margin: Margin, criteria: Criteria) -> GuardrailVerdict:
    """Judges one guardrail on cleaned rows."""
    pairs = paired(frame, margin.name, lower_is_better=margin.better == "lower", by_unit=criteria.entities == "sample")
    found = _judged(pairs, margin, criteria)
    if pairs.one_sided_share <= MOST_ONE_SIDED or _judged(pairs.at_worst(), margin, criteria).state == found.state:
        return found
    return _verdict(
        margin,
        (-math.inf, found.change if margin.better == "higher" else -found.change, math.inf),
        GuardrailState.INCONCLUSIVE,
        f"Guardrail {margin.name} is open: {pairs.one_sided_share:.1%} of its pairs have only one side, "
        "and it would be judged otherwise if those were bad.",
    )


def _judged(pairs: Pairs, margin: Margin, criteria: Criteria) -> GuardrailVerdict:
    """Judges the sums of one guardrail, oriented so that more is better."""
    found = measured(pairs, criteria)
    obstacle = found.obstacle if pairs.is_money else "Its amounts are beyond any unit."
    if found.estimate is None or obstacle:
        ends = (-math.inf, mean_of(pairs), math.inf)
        return _verdict(margin, ends, GuardrailState.INCONCLUSIVE, f"Guardrail {margin.name} is open. {obstacle}")
    # A guardrail that never moved, or always by the same step, is known exactly.
    mean = found.estimate.mean
    low, high = (mean, mean) if found.constant else (found.estimate.low, found.estimate.high)
    tolerated = amount(margin.margin)
    told_ends = (low, high) if margin.better == "higher" else (-high, -low)
    step = step_for(Gain(gain=mean, low=low, high=high), 0.0, -margin.margin)
    told = " to ".join(plain(figure(end, step)) for end in told_ends)
    shown = f"{100.0 * (1.0 - criteria.alpha):.4g} % interval {told}"
    if low > -margin.margin:
        state, says = (GuardrailState.HOLDS, f"holds: it gets worse by less than the tolerated {tolerated}")
    elif high < -margin.margin:
        state, says = (GuardrailState.BREACHED, f"is broken: it gets worse by more than the tolerated {tolerated}")
    else:
        state, says = (GuardrailState.INCONCLUSIVE, f"is open: it may get worse by more than the tolerated {tolerated}")
    return _verdict(margin, (low, mean, high), state, f"Guardrail {margin.name} {says} (change per pair, {shown}).")


def _verdict(margin: Margin, ends: tuple[float, float, float], state: GuardrailState, reason: str) -> GuardrailVerdict:
    """Turns the sign back to the guardrail's own direction."""
    low, mean, high = ends if margin.better == "higher" else (-ends[2], -ends[1], -ends[0])
    return GuardrailVerdict(
        name=margin.name,
        state=state,
        change=mean,
        low=low,
        high=high,
        margin=margin.margin,
        better=margin.better,
        reason=reason,
    )
