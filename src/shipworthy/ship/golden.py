"""Golden decisions: what a release decided where it was built, to be reproduced wherever it runs."""

from __future__ import annotations

import polars as pl

from shipworthy.engine import Replay
from shipworthy.step import Decider, Moment, seed_of, take_step

GOLDEN_PERIODS = 10
"""How many of the last periods are golden."""


def golden_decisions(replayed: Replay, decider: Decider, fallback: Decider | None) -> pl.DataFrame:
    """The decisions of the last periods of the snapshot, by the step itself: period, unit and decision columns."""
    problem, history = replayed.problem, replayed.history
    tables = []
    for period in history.periods[-GOLDEN_PERIODS:]:
        moment = Moment(
            period=period,
            rows=history.to_decide(period),
            history=history,
            state=dict(problem.initial_state),
            seed=seed_of(replayed.project.seed, period),
        )
        step = take_step(problem, moment, decider, (lambda: fallback) if fallback else None)
        tables.append(step.decisions.select(pl.lit(period).alias(problem.period), problem.unit, *problem.decisions))
    return pl.concat(tables, how="vertical_relaxed")
