"""The proof that nothing leaks: what is not yet known is scrambled, and the decisions must not move.

Three questions, the cheap ones first:

1. Does the policy name a column as its feature which is known only after deciding?
2. Do the *prepared* rows of a period change when everything ahead in the *raw* table is scrambled? Then the preparation
   looks ahead: a window over the future, a mean over the whole table, a join that ignores the time.
3. Do the *decisions* of a period change when everything not known then is scrambled in the rows? Then the policy, or its fit,
   reads what it could not have known.

What it cannot see: a column that was computed with hindsight before it reached the raw table, and a policy which reads
its own copy of the data from a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from shipworthy.engine import first_replayed, fit_decider
from shipworthy.problem import Period, Policy, Problem, Rows, Span
from shipworthy.step import History, Moment, seed_of, take_step

_PROBES = 3
_SEED = 20_260_101


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """One thing that a policy, or the preparation of the rows, knows too early.

    Attributes:
        kind: "feature", "preparation" or "decision".
        columns: The columns by which it shows.
        period: The first period at which it was seen; None for a feature that is refused by its name.
        why: The finding in a sentence.
    """

    kind: str
    columns: tuple[str, ...]
    period: str | None
    why: str


def find_leaks(problem: Problem, policy_name: str, rows: pl.DataFrame, folder: Path, seed: int) -> list[Leak]:
    """Every leak that the three questions find for one policy; empty is what is hoped for."""
    policy = problem.make_policy(policy_name)
    named = hidden_features(problem, policy)
    if named:
        return named
    history = History(problem, rows)
    periods = _probed(problem, history)
    leaks = [leak for period in periods if (leak := _in_preparation(problem, problem.rows, period, folder))]
    if not leaks:
        leaks = [leak for period in periods if (leak := _in_decisions(problem, policy_name, history, period, seed))]
    return leaks[:1]


def hidden_features(problem: Problem, policy: Policy) -> list[Leak]:
    """The features that a policy names although they are known only after deciding.

    >>> shop = Problem("shop", rows=None, period="day", unit="item", outcome="sold", known_after=("weather",))
    >>> nosy = Policy()
    >>> nosy.features = ["price", "weather"]
    >>> [leak.columns for leak in hidden_features(shop, nosy)]
    [('weather',)]
    """
    known_too_late = tuple(name for name in policy.features if name in problem.hidden)
    if not known_too_late:
        return []
    listed = ", ".join(known_too_late)
    why = f"{listed} of a period {'is' if len(known_too_late) == 1 else 'are'} known only after it was decided."
    return [Leak(kind="feature", columns=known_too_late, period=None, why=why)]


def _probed(problem: Problem, history: History) -> Sequence[Period]:
    """A few periods spread over what will be replayed, without the last, after which nothing lies ahead."""
    first = first_replayed(problem, history)
    replayed = [period for period in history.periods if period >= first][:-1]
    return replayed[:: max(1, len(replayed) // _PROBES)][:_PROBES]


def _in_preparation(problem: Problem, source: Rows, period: Period, folder: Path) -> Leak | None:
    raw = source.read(folder)
    if problem.period not in raw.columns or raw.schema[problem.period] == pl.String:
        return None
    changed = _scrambled(problem, raw, period)
    before, after = (_of_period(problem, source.prepare(table), period) for table in (raw, changed))
    moved = _moved(before, after)
    if not moved:
        return None
    what = f"{', '.join(moved)} of {period} changed when only what lies ahead of it was changed"
    why = f"{what}: the preparation of the rows looks ahead."
    return Leak(kind="preparation", columns=moved, period=str(period), why=why)


def _in_decisions(problem: Problem, name: str, history: History, period: Period, seed: int) -> Leak | None:
    other = History(problem, _scrambled(problem, history.rows, period))
    before, after = (_decided(problem, name, past, period, seed) for past in (history, other))
    moved = _moved(before, after)
    if not moved:
        return None
    why = f"Policy {name!r} decided {period} differently when only what was not known yet was changed."
    return Leak(kind="decision", columns=moved, period=str(period), why=why)


def _decided(problem: Problem, name: str, history: History, period: Period, seed: int) -> pl.DataFrame:
    decider = fit_decider(name, problem.make_policy(name), history, period)
    state = dict(problem.initial_state)
    rows = history.to_decide(period)
    moment = Moment(period=period, rows=rows, history=history, state=state, seed=seed_of(seed, period))
    return take_step(problem, moment, decider).decisions


def _of_period(problem: Problem, rows: pl.DataFrame, period: Period) -> pl.DataFrame:
    hidden = [name for name in problem.hidden if name in rows.columns]
    return rows.filter(pl.col(problem.period) == period).drop(hidden).sort(problem.unit)


def _moved(before: pl.DataFrame, after: pl.DataFrame) -> tuple[str, ...]:
    if before.height != after.height:
        return tuple(before.columns)
    return tuple(name for name in before.columns if name not in after.columns or not before[name].equals(after[name]))


def _scrambled(problem: Problem, table: pl.DataFrame, period: Period) -> pl.DataFrame:
    """The table with everything that is not known at `period` replaced by other values of the same column.

    Of later periods that is every column; of this one and of those whose outcome is still out, the columns known only
    after deciding. Values are drawn at random with replacement, and numbers are stretched besides, so that even their
    mean and range change.
    """
    when = pl.col(problem.period)
    out_still = (when > Span.of(problem.outcome_delay).before(period)) | (when >= period)
    columns: list[pl.Expr] = []
    for name, dtype in table.schema.items():
        if name in problem.key:
            continue
        drawn = table[name].sample(table.height, with_replacement=True, seed=_SEED + len(columns), shuffle=True)
        other = drawn * 3 + 1 if dtype.is_numeric() else drawn
        unknown = out_still if name in problem.hidden else when > period
        columns.append(pl.when(unknown).then(pl.lit(other)).otherwise(pl.col(name)).cast(dtype).alias(name))
    return table.with_columns(columns)
