"""What a live trial says so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from shipworthy.analysis.wording import amount, interval
from shipworthy.statistics.sample_ratio import SampleRatio
from shipworthy.statistics.sequential import LiveDecision, Monitor


class TrialDecision(StrEnum):
    """What to do with a challenger on trial.

    >>> str(TrialDecision.ROLL_BACK)
    'roll back'
    """

    SHIP = "ship"
    ROLL_BACK = "roll back"
    PAUSE = "pause"
    UNDECIDED = "undecided"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a trial is decided by; money is per unit and period, more being better.

    Attributes:
        min_effect: Ship where the whole interval lies above it.
        margin: Roll back where the whole interval lies below minus this; None rolls back below `min_effect`.
        alpha: Two-sided error over all looks together.
    """

    min_effect: float = 0.0
    margin: float | None = None
    alpha: float = 0.05

    @property
    def harm_below(self) -> float:
        """Where harm begins.

        >>> Bounds(min_effect=1.0).harm_below, Bounds(margin=0.5).harm_below
        (1.0, -0.5)
        """
        return self.min_effect if self.margin is None else -self.margin


@dataclass(frozen=True, slots=True)
class Look:
    """What a trial said at one look: its gain, and the interval that holds for all looks together."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialVerdict:
    """What a live trial says so far, safe to be read at every look; money is per unit and period.

    Attributes:
        decision: Ship, roll back, pause (ask a human), undecided, or invalid.
        reasons: Why, in sentences, the deciding one first.
        mean: Gain of the challenger so far; NaN where nothing can be said.
        low: Lower end of its interval.
        high: Upper end.
        look: Looks so far: periods, or pairs of a switchback.
        decided_at: The look that decided; None while undecided.
        trigger: What took the challenger back, "interval", "cusum" or "breaker"; None where nothing did.
        sample_ratio: How the arms were filled; None in a shadow, where both decide everything.
        notes: What was done to the rows, and what to know of them.
        looks: What it said at each look, the newest last; none where nothing can be said.
        least: Looks that it takes at least to ship; 0 where that is no plain count.
    """

    decision: TrialDecision
    reasons: tuple[str, ...]
    mean: float
    low: float
    high: float
    look: int
    decided_at: int | None = None
    trigger: str | None = None
    sample_ratio: SampleRatio | None = None
    notes: tuple[str, ...] = ()
    looks: tuple[Look, ...] = field(default=(), repr=False, compare=False)
    least: int = field(default=0, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Returns the verdict as plain values."""
        return {**asdict(self), "decision": str(self.decision)}


_DECISIONS = {
    LiveDecision.SHIP: TrialDecision.SHIP,
    LiveDecision.HARM: TrialDecision.ROLL_BACK,
    LiveDecision.UNDECIDED: TrialDecision.UNDECIDED,
}


def invalid(reason: str, *, look: int = 0, ratio: SampleRatio | None = None) -> TrialVerdict:
    """Returns the verdict on a trial that compares nothing."""
    return TrialVerdict(
        decision=TrialDecision.INVALID,
        reasons=(reason,),
        mean=math.nan,
        low=-math.inf,
        high=math.inf,
        look=look,
        sample_ratio=ratio,
    )


def verdict_of(
    found: Monitor, bounds: Bounds, noun: str, *, ratio: SampleRatio | None = None, notes: Sequence[str] = ()
) -> TrialVerdict:
    """Turns what an interval says into a verdict; a mismatch of the arms makes it invalid whatever the interval says.

    Args:
        found: The interval now, and the first decision that it reached.
        bounds: What is decided by.
        noun: What a look is, in the singular.
        ratio: How the arms were filled.
        notes: What to know of the rows.
    """
    if ratio is not None and ratio.mismatch_at is not None:
        return invalid(_mismatch(ratio, noun), look=found.n, ratio=ratio)
    known = math.isfinite(found.low)
    return TrialVerdict(
        decision=_DECISIONS[found.decision],
        reasons=(_reason(found, bounds, noun),),
        mean=found.mean,
        low=found.low,
        high=found.high,
        look=found.n,
        decided_at=found.decided_at,
        trigger="interval" if found.decision is LiveDecision.HARM and known else None,
        sample_ratio=ratio,
        notes=tuple(notes),
        looks=_looks(found),
        least=found.path.least if found.path else 0,
    )


def _looks(found: Monitor) -> tuple[Look, ...]:
    if found.path is None:
        return ()
    ends = (found.path.mean.tolist(), found.path.low.tolist(), found.path.high.tolist())
    return tuple(Look(*look) for look in zip(*ends, strict=True))


def _reason(found: Monitor, bounds: Bounds, noun: str) -> str:
    """The deciding sentence."""
    looks = f"{found.n:,} {noun}{'' if found.n == 1 else 's'}"
    shown = f"the gain per unit is {amount(found.mean)} ({interval(found.low, found.high, bounds.alpha)}) after {looks}"
    if not math.isfinite(found.low):
        return f"Too little is known for an interval after {looks}."
    if found.decision is LiveDecision.SHIP:
        return f"Beyond doubt above {amount(bounds.min_effect)} since {noun} {found.decided_at}: {shown}."
    if found.decision is LiveDecision.HARM:
        return f"Beyond doubt below {amount(bounds.harm_below)} since {noun} {found.decided_at}: {shown}."
    return f"Not decided yet: {shown}."


def _mismatch(ratio: SampleRatio, noun: str) -> str:
    """Why the arms are not comparable."""
    champion, challenger = ratio.counts
    return (
        f"The arms were not filled as planned: {champion:,} went to the champion and {challenger:,} to the challenger, which "
        f"{noun} {ratio.mismatch_at} proved to be no chance. Find the rows that were lost or sent astray, and begin anew."
    )
