"""What the log of earlier decisions says of other ones, where outcomes depend on what was decided.

History then shows one outcome per row, that of the decision which was made. Of another policy it says something only where
that one would have decided the same, and only if chance had a part in the decision: if it was drawn with a known
probability. Then scores take the place of values (`shipworthy.statistics.offpolicy`), and everything after goes on as usual.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shipworthy.errors import InvalidInputError
from shipworthy.problem import Problem
from shipworthy.statistics import Support, doubly_robust, support
from shipworthy.statistics.series import FloatArray
from shipworthy.step import happened, worth
from shipworthy.step.worth import VALUE

_FOLDS = 5
_MOST_ARMS = 50
_FEWEST_PER_ARM = 30
_RIDGE = 1.0
_LOGGED = "_logged"


def has_log(problem: Problem, rows: pl.DataFrame) -> bool:
    """Whether the rows say what was decided."""
    return all(name in rows.columns for name in problem.decisions)


def agreement(problem: Problem, rows: pl.DataFrame, track: pl.DataFrame) -> float:
    """The share of rows for which a policy decides what was decided.

    Args:
        problem: Names the key and the decisions.
        rows: The rows with the logged decisions.
        track: The policy's track: key and decisions.
    """
    paired = _paired(problem, rows, track)
    return float(_agrees(problem, paired).mean()) if paired.height else 0.0


def support_of(problem: Problem, rows: pl.DataFrame, track: pl.DataFrame) -> Support:
    """How much the log can say of a policy.

    Raises:
        InvalidInputError: a logged decision has no probability.
    """
    paired = _paired(problem, rows, track)
    return support(_agrees(problem, paired), _chance(problem, paired))


def rescored(problem: Problem, rows: pl.DataFrame, track: pl.DataFrame) -> pl.DataFrame:
    """The track with doubly robust scores in the place of its money and of its guardrail metrics.

    The model of what a decision earns is a ridge regression per decision on the numeric columns known before deciding, fitted on
    the periods of the other four fifths of the history. Rows that were not logged, or have no outcome yet, score null.

    Raises:
        InvalidInputError: a logged decision has no probability, or there are too many different decisions to agree on one.
    """
    paired = _paired(problem, rows, track)
    names = [VALUE, *(rail.name for rail in problem.guardrails)]
    logged = worth(problem, happened(problem, rows, rows.select(*problem.key, *problem.decisions)))
    known = paired.select(problem.key).join(logged, on=list(problem.key), how="left", maintain_order="left")
    agrees, chance = _agrees(problem, paired), _chance(problem, paired)
    arms = _Arms(problem, paired)
    scores = []
    for name in names:
        value = known[name].to_numpy().astype(float)
        scored = doubly_robust(
            value,
            agrees,
            chance,
            expected=arms.expected(value, arms.decided),
            expected_logged=arms.expected(value, arms.logged),
        )
        scores.append(pl.Series(name, scored).fill_nan(None))
    table = paired.select(problem.key).with_columns(scores)
    return track.drop(names).join(table, on=list(problem.key), how="left", maintain_order="left").select(track.columns)


def _paired(problem: Problem, rows: pl.DataFrame, track: pl.DataFrame) -> pl.DataFrame:
    """The rows that were logged, with the policy's decisions; the logged ones under names of their own."""
    for name in problem.decisions:
        _refuse_other_kind(name, track.schema[name], rows.schema[name])
    logged = rows.rename({name: f"{name}{_LOGGED}" for name in problem.decisions})
    decided = track.select(*problem.key, *problem.decisions)
    both = decided.join(logged, on=list(problem.key), how="inner", maintain_order="left")
    return both.drop_nulls([*problem.decisions, *(f"{name}{_LOGGED}" for name in problem.decisions)])


def _refuse_other_kind(name: str, decided: pl.DataType, logged: pl.DataType) -> None:
    if decided != logged and pl.Null not in (decided, logged) and not (decided.is_numeric() and logged.is_numeric()):
        raise InvalidInputError(
            f"A policy decides {name!r} as {decided}, and the log holds it as {logged}: they would never agree. Let both "
            "say it in the same way."
        )


def _agrees(problem: Problem, paired: pl.DataFrame) -> NDArray[np.bool_]:
    same = [pl.col(name) == pl.col(f"{name}{_LOGGED}") for name in problem.decisions]
    return paired.select(pl.all_horizontal(same)).to_series().to_numpy()


def _chance(problem: Problem, paired: pl.DataFrame) -> FloatArray:
    assert problem.propensity is not None, "asked only where probabilities were logged"
    if problem.propensity not in paired.columns:
        raise InvalidInputError(
            f"The rows of problem {problem.name!r} have no column {problem.propensity!r}, which Problem(propensity=...) names. "
            f"There is: {', '.join(name for name in paired.columns if not name.endswith(_LOGGED))}."
        )
    return paired[problem.propensity].cast(pl.Float64).to_numpy()


class _Arms:
    """The different decisions of a log, and what each is expected to earn in each row.

    Attributes:
        decided: Per row the number of the policy's decision; -1 where it was never logged.
        logged: Per row the number of the logged decision.
    """

    def __init__(self, problem: Problem, paired: pl.DataFrame) -> None:
        logged = [f"{name}{_LOGGED}" for name in problem.decisions]
        known = {row: i for i, row in enumerate(paired.select(logged).unique().sort(logged).rows())}
        if len(known) > _MOST_ARMS:
            raise InvalidInputError(
                f"{len(known)} different decisions were logged, so that hardly any other policy decides one of them exactly. "
                f"A log can prove something only where they are few, {_MOST_ARMS} at most: only a live trial can tell."
            )
        self.decided = _numbers(paired.select(problem.decisions).rows(), known)
        self.logged = _numbers(paired.select(logged).rows(), known)
        self._features = _features(problem, paired)
        self._fold = _folds(paired[problem.period])

    def expected(self, value: FloatArray, arm: NDArray[np.int64]) -> FloatArray:
        """What each row's decision of that number is expected to earn, by a model of the other folds."""
        found = np.full(value.size, np.nan)
        is_known = np.isfinite(value)
        for fold in range(_FOLDS):
            learnt, asked = is_known & (self._fold != fold), self._fold == fold
            found[asked] = value[learnt].mean() if learnt.any() else 0.0
            for number in np.unique(arm[asked & (arm >= 0)]):
                own = learnt & (self.logged == number)
                if own.sum() >= _FEWEST_PER_ARM:
                    place = asked & (arm == number)
                    found[place] = _ridge(self._features[own], value[own], self._features[place])
        return found


def _numbers(rows: Sequence[tuple[object, ...]], known: dict[tuple[object, ...], int]) -> NDArray[np.int64]:
    return np.array([known.get(row, -1) for row in rows], dtype=np.int64)


def _features(problem: Problem, paired: pl.DataFrame) -> FloatArray:
    left_out = {*problem.key, *problem.hidden, *problem.decisions}
    numeric = [
        name
        for name, dtype in paired.schema.items()
        if name not in left_out and not name.endswith(_LOGGED) and (dtype.is_numeric() or dtype == pl.Boolean)
    ]
    matrix = (
        paired.select(pl.col(numeric).cast(pl.Float64))
        .fill_nan(None)
        .fill_null(strategy="mean")
        .fill_null(0.0)
        .to_numpy()
    )
    spread = matrix.std(axis=0)
    standard: FloatArray = (matrix - matrix.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.hstack([np.ones((paired.height, 1)), standard])


def _folds(periods: pl.Series) -> NDArray[np.int64]:
    """Folds of neighbouring periods: rows of one period are never on both sides."""
    rank = periods.rank("dense").to_numpy().astype(np.int64) - 1
    return rank * _FOLDS // (int(rank.max(initial=0)) + 1)


def _ridge(features: FloatArray, value: FloatArray, asked: FloatArray) -> FloatArray:
    penalty = _RIDGE * np.eye(features.shape[1])
    penalty[0, 0] = 0.0
    weights = np.linalg.solve(features.T @ features + penalty, features.T @ value)
    found: FloatArray = asked @ weights
    return found
