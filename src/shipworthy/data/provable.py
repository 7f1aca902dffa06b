"""Whether the history is long and quiet enough to show the gain that an idea claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from shipworthy.engine import Window
from shipworthy.ideas.idea import Idea
from shipworthy.problem import Policy, Problem, Span
from shipworthy.statistics import Pilot, influence_series, power
from shipworthy.step.worth import VALUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Provable:
    """What the history can show; money is per period.

    There is no challenger yet whose difference could be measured, so it is planned with the champion's own money: two
    policies that decide about the same periods earn alike, and their difference varies as much as two series with a
    correlation of 0.9 would.

    Attributes:
        periods: Periods that the verdict will answer from.
        smallest_detectable: The gain per period that a verdict over them finds four times in five.
        smallest_worth: The smallest gain per period worth shipping.
        periods_needed: Periods at which that one would be found; None where no history would do.
    """

    periods: int
    smallest_detectable: float
    smallest_worth: float
    periods_needed: int | None

    def to_dict(self) -> Mapping[str, Any]:
        """All of it as plain values."""
        return asdict(self)


def provable(
    problem: Problem, idea: Idea, challenger: Policy, champion_track: pl.DataFrame, judged: Window
) -> Provable:
    """Plans the verdict over the judged periods with the champion's replayed value."""
    settled = champion_track.drop_nulls(VALUE)
    daily = settled.group_by(problem.period, maintain_order=True).agg(pl.col(VALUE).sum(), pl.len())
    sums, counts = daily[VALUE].to_numpy(), daily["len"].to_numpy().astype(float)
    units = float(counts.mean())
    worth = idea.per_period(idea.smallest_gain or 0.0, problem.periods_per_year)
    _, influence = influence_series(sums, counts)
    pilot = Pilot.from_regret(influence)
    periods = judged.cut(daily, problem.period).height
    found = power(pilot, uplift=worth / units, periods=periods, refit_periods=refit_periods(problem, challenger))
    return Provable(
        periods=periods,
        smallest_detectable=found.smallest_gain * units,
        smallest_worth=worth,
        periods_needed=found.periods_needed,
    )


def refit_periods(problem: Problem, policy: Policy) -> int:
    """How many periods lie between two fits of a policy; 0 where it learns nothing or is fitted once."""
    if policy.refit is None or type(policy).fit is Policy.fit:
        return 0
    refit = Span.of(policy.refit)
    return max(1, round(refit.seconds / 86_400 / (365.0 / problem.periods_per_year)))
