"""Golden decisions: what a release decided where it was built, to be reproduced wherever it runs."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from shipworthy.engine import Replay
from shipworthy.problem import Period, Problem
from shipworthy.step import Decider, History, Moment, seed_of, take_step

GOLDEN_PERIODS = 10
"""How many periods are golden."""


def golden_periods(problem: Problem, history: History) -> Sequence[Period]:
    """The last periods with an outcome, since only where it is known can another optimum be told from a worse decision."""
    known = set(history.rows.filter(pl.col(problem.outcome).is_not_null())[problem.period])
    return ([period for period in history.periods if period in known] or history.periods)[-GOLDEN_PERIODS:]


def golden_decisions(replayed: Replay, decider: Decider, fallback: Decider | None) -> pl.DataFrame:
    """The decisions of the golden periods, by the step itself: period, unit and decision columns."""
    problem, history = replayed.problem, replayed.history
    tables = []
    for period in golden_periods(problem, history):
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
