"""Regret: what a policy earned less than perfect foresight would have, and what it lost it to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from shipworthy.engine import Done, Engine, Replay, Track, decide_again, period_sums
from shipworthy.step import Rung
from shipworthy.step.worth import VALUE

_FALLS = [str(rung) for rung in Rung if rung.is_fall]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regret:
    """A policy's regret over the periods that it and perfect foresight both decided, in money; the parts sum to it.

    A part below zero is luck or a flaw of the yardstick, and shown as it is: a policy whose better plan earned less, a
    fallback that did better than the policy would have, an oracle whose own optimiser is no exact one, or state, of
    which foresight sees one period only.

    Attributes:
        oracle: Whose foresight it is held against.
        periods: How many periods are counted.
        unpriced: How many periods of the oracle's are not: the policy decided nothing there, or nothing that has a value.
        earned: What the oracle earned over them.
        prediction: Lost because what would happen was not known.
        optimisation: Lost because the optimiser stopped early: what the same policy earns more with ten times the time.
        infeasibility: The regret of the periods that another rung of the ladder had to decide.
    """

    oracle: str
    periods: int
    unpriced: int
    earned: float
    prediction: float
    optimisation: float
    infeasibility: float

    @property
    def total(self) -> float:
        """The whole regret."""
        return self.prediction + self.optimisation + self.infeasibility

    @property
    def per_period(self) -> float:
        """The whole regret, a period."""
        return self.total / self.periods if self.periods else 0.0

    @property
    def share(self) -> float | None:
        """The whole regret as a share of what the oracle earned; None where that is no gain."""
        return self.total / self.earned if self.earned > 0.0 else None

    def to_dict(self) -> Mapping[str, Any]:
        """All of it as plain values."""
        return asdict(self) | {"total": self.total, "per_period": self.per_period, "share": self.share}


def regret_of(replayed: Replay, track: Track, oracle: Track, engine: Engine, done: Done = lambda n, of: None) -> Regret:
    """Splits a policy's regret; only periods with an unproved incumbent are decided again, with more time."""
    problem = replayed.problem
    again = _with_more_time(replayed, track, engine, done)
    sums = period_sums(problem, oracle, track)
    rungs = track.table.group_by(pl.col(problem.period).alias("period")).agg(pl.col("rung").first())
    better = again.group_by(pl.col(problem.period).alias("period")).agg(
        again=pl.col(VALUE).sum(), n=pl.col(VALUE).count()
    )
    known = (
        sums.join(rungs, on="period", how="left")
        .join(better, on="period", how="left")
        .with_columns(
            regret=pl.col("one") - pl.col("other"),
            early=pl.when(pl.col("n") == pl.col("pairs")).then(pl.col("again") - pl.col("other")).fill_null(0.0),
        )
    )
    fallen = known["rung"].is_in(_FALLS)
    own = known.filter(~fallen)
    optimisation = float(own["early"].sum())
    return Regret(
        oracle=oracle.policy,
        periods=known.height,
        unpriced=oracle.table[problem.period].n_unique() - known.height,
        earned=float(known["one"].sum()),
        prediction=float((own["regret"] - own["early"]).sum()),
        optimisation=optimisation,
        infeasibility=float(known.filter(fallen)["regret"].sum()),
    )


def _with_more_time(replayed: Replay, track: Track, engine: Engine, done: Done) -> pl.DataFrame:
    """The policy's own second decisions where its first ones were incumbents with a gap, which a time limit cut short."""
    early = track.table.filter((pl.col("rung") == str(Rung.INCUMBENT)) & (pl.col("gap").fill_null(1.0) > 0.0))
    if early.is_empty() or replayed.problem.make_policy(track.policy).time_limit is None:
        return track.table.clear()
    periods = early[replayed.problem.period].unique(maintain_order=True).to_list()
    again = decide_again(replayed, track, periods, engine, done)
    return again.filter(~pl.col("rung").is_in(_FALLS))
