"""A column that is said to be known before deciding, and ranks the outcomes better than anything honest does.

The proof by experiment cannot see a column that was worked out with hindsight before it reached the raw table. It gives itself
away by how much it knows, so every column is measured: of two rows, does it say which has the larger outcome?

Pairs are drawn where drift cannot fake an answer: among the units of one period, and among neighbouring periods of one unit.
The share of pairs in the right order, ties halved, is what is told; Somers' D, twice that less one, is what is compared
(Somers, American Sociological Review 27, 1962). Beside the column itself the change since the unit's period before is
measured, which opens a running total, and beside the outcome of the period that of the next one.

It is held against what is honestly within reach: the unit's own past outcomes and all columns that know less, joined by a
least-squares fit of which row of a pair is ahead, judged on the half of the pairs that it was not fitted on. A column that
is suspected itself is not held against another. A suspicion is no proof: a column may simply be that good.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shipworthy.problem import Problem, Span

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_PAIRS = 20_000
_FEWEST_ROWS = 60
_NEIGHBOURS = 14
_SHARP = 0.5
_EXCESS = 0.4
_ERRORS = 4.0
_FEW_VALUES = 40
_FOLDS = 5
_FEWEST_THERE = 0.2
_RIDGE = 1e-3
_SEED = 20_260_101
_LAGS = (1, 2, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """A column that knows more of the outcome than a column can that is known before deciding.

    Attributes:
        column: Its name.
        right: The share of pairs that it brings in the right order.
        others: The share that the other columns and the outcome's own past reach together.
        where: What the pairs are, in words.
        what: What of the column is measured, in words.
    """

    column: str
    right: float
    others: float
    where: str
    what: str

    @property
    def excess(self) -> float:
        """How much larger its share is than that of all others together, by which the worst of several measures is told."""
        return self.right - self.others

    def __str__(self) -> str:
        """The remark: what is seen, and what to do."""
        return (
            f"{self.what} ranks {self.where} right in {100 * self.right:.0f} of 100 pairs; all other columns and the outcome's "
            f"own past together in {100 * self.others:.0f}. Declare {self.column} in known_after, or make sure that it is known "
            "before deciding."
        )


@dataclass(frozen=True, slots=True)
class _View:
    """What is measured of a column: its values, or how they changed, as ranks between -1/2 and 1/2; NaN where missing."""

    column: str
    what: str
    values: FloatArray
    is_past: bool = False


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs of rows of which the first has the smaller outcome, and which half of the history each is from."""

    low: IntArray
    high: IntArray
    half: IntArray
    where: str
    n_rows: int


class _Distances:
    """How far apart the rows of each pair are in every view, and what follows from it."""

    def __init__(self, pairs: _Pairs, views: Sequence[_View]) -> None:
        apart = np.column_stack([view.values[pairs.high] - view.values[pairs.low] for view in views])
        self._is_there = np.isfinite(apart)
        self._apart = np.where(self._is_there, apart, 0.0)
        self._halves = [pairs.half == half for half in (0, 1)]
        self._products = [self._apart[half].T @ self._apart[half] for half in self._halves]
        self._sums = [self._apart[half].sum(axis=0) for half in self._halves]
        there = self._is_there.sum(axis=0)
        right = np.abs(np.sign(self._apart).sum(axis=0)) / np.maximum(there, 1)
        self.sharpness: FloatArray = np.where(there >= _FEWEST_THERE * len(apart), right, 0.0)
        """Somers' D of each view with the outcome, either way round, over the pairs in which it is there."""

    def joined(self, places: IntArray, view: int) -> float:
        """Somers' D that some views reach together, on the pairs in which another one is there.

        The weights are fitted on one half of the history and judged on the other.
        """
        right = []
        for fitted, judged in ((0, 1), (1, 0)):
            products = self._products[fitted][np.ix_(places, places)]
            ridge = _RIDGE * max(float(np.trace(products)) / places.size, 1e-12) * np.eye(places.size)
            weights = np.linalg.solve(products + ridge, self._sums[fitted][places])
            asked = self._halves[judged] & self._is_there[:, view]
            right.append(np.sign(self._apart[np.ix_(asked, places)] @ weights))
        return max(0.0, float(np.concatenate(right).mean()))


def find_suspicions(problem: Problem, rows: pl.DataFrame) -> list[Suspicion]:
    """The columns of some rows that predict the outcome too well to be known before deciding; none is what is usual.

    Args:
        problem: Names the columns, and which of them are known only after deciding; those are not asked about.
        rows: Good rows, one per period and unit. Without an outcome that can be ordered, nothing is suspected.
    """
    dtype = rows.schema[problem.outcome]
    table = rows.filter(pl.col(problem.outcome).is_not_null()).sort(problem.unit, problem.period)
    if table.height < _FEWEST_ROWS or not (dtype.is_numeric() or dtype == pl.Boolean):
        return []
    outcome = table[problem.outcome].cast(pl.Float64).to_numpy()
    recurs = table.height >= 3 * table[problem.unit].n_unique()
    asked = [(outcome, "the outcomes")]
    if recurs:
        following = table.select(pl.col(problem.outcome).cast(pl.Float64).shift(-1).over(problem.unit)).to_series()
        asked.append((following.to_numpy(), "the outcomes of the next period"))
    views = [*(_own_past(problem, table) if recurs else ()), *_views(problem, table, outcome, recurs=recurs)]
    worst: dict[str, Suspicion] = {}
    for target, what in asked:
        for pairs in _drawn(problem, table, target, what):
            for found in _suspected(pairs, views):
                if found.column not in worst or found.excess > worst[found.column].excess:
                    worst[found.column] = found
    return [worst[name] for name in rows.columns if name in worst]


def _suspected(pairs: _Pairs, views: Sequence[_View]) -> list[Suspicion]:
    """The views that are in order far oftener than all weaker ones together, until no further column is suspected."""
    distances = _Distances(pairs, views)
    sharpness = distances.sharpness
    found: dict[str, Suspicion] = {}
    n_found = -1
    while n_found < len(found):
        n_found = len(found)
        for place in np.flatnonzero(sharpness >= _SHARP).tolist():
            view, sharp = views[place], float(sharpness[place])
            held = [
                i
                for i, one in enumerate(views)
                if one.is_past or (sharpness[i] < sharp and one.column != view.column and one.column not in found)
            ]
            if (
                view.column in found
                or not view.column
                or not _is_beyond(sharp, sharpness[held].max(initial=0.0), pairs)
            ):
                continue
            others = distances.joined(np.array(held), place) if held else 0.0
            if _is_beyond(sharp, others, pairs):
                found[view.column] = Suspicion(
                    column=view.column,
                    right=(1 + sharp) / 2,
                    others=(1 + others) / 2,
                    where=pairs.where,
                    what=view.what,
                )
    return list(found.values())


def _is_beyond(sharp: float, others: float, pairs: _Pairs) -> bool:
    return bool(sharp - others >= max(_EXCESS * (1 - others), _ERRORS / np.sqrt(pairs.n_rows)))


def _drawn(problem: Problem, table: pl.DataFrame, target: FloatArray, what: str) -> Iterator[_Pairs]:
    """Pairs within periods, and pairs of neighbouring periods of one unit; either only where there are such pairs."""
    rng = np.random.default_rng(_SEED)
    period = table[problem.period].rank("dense").to_numpy().astype(np.int64)
    unit = table[problem.unit].rle_id().to_numpy().astype(np.int64)
    some = rng.integers(0, table.height, size=8 * _PAIRS)

    by_period = np.argsort(period, kind="stable")
    starts = np.searchsorted(period[by_period], period[some], side="left")
    ends = np.searchsorted(period[by_period], period[some], side="right")
    beside = by_period[starts + (rng.random(some.size) * (ends - starts)).astype(np.int64)]
    yield from _ordered(some, beside, target, period % 2, f"{what} of one period")

    near = np.minimum(some + rng.integers(1, _NEIGHBOURS + 1, size=some.size), table.height - 1)
    same = unit[near] == unit[some]
    half = period // (2 * _NEIGHBOURS) % 2
    yield from _ordered(some[same], near[same], target, half, f"{what} of one {problem.unit} in neighbouring periods")


def _ordered(one: IntArray, other: IntArray, target: FloatArray, half: IntArray, where: str) -> Iterator[_Pairs]:
    differ = np.flatnonzero(np.abs(target[one] - target[other]) > 0)[:_PAIRS]
    one, other = one[differ], other[differ]
    n_rows = np.unique(np.concatenate([one, other])).size
    halves = half[one]
    if n_rows >= _FEWEST_ROWS and 0 < halves.mean() < 1:
        is_low = target[one] < target[other]
        yield _Pairs(np.where(is_low, one, other), np.where(is_low, other, one), halves, where, n_rows)


def _views(problem: Problem, table: pl.DataFrame, outcome: FloatArray, *, recurs: bool) -> Iterator[_View]:
    taken = {*problem.key, *problem.hidden, *problem.decisions}
    fold = table[problem.period].rank("dense").to_numpy().astype(np.int64) % _FOLDS
    ranked = _ranks(pl.Series(outcome))
    for name in table.columns:
        column = table[name]
        is_number = column.dtype.is_numeric() or column.dtype.is_temporal() or column.dtype == pl.Boolean
        is_word = column.dtype in (pl.String, pl.Categorical, pl.Enum)
        if name in taken or not (is_number or is_word) or column.n_unique() < 2:
            continue
        if is_word or column.n_unique() <= _FEW_VALUES:
            yield _View(name, name, _category_means(column, ranked, fold))
        if column.has_nulls():
            yield _View(name, f"Whether {name} is there", column.is_not_null().cast(pl.Float64).to_numpy())
        if is_number:
            numbers = column.to_physical().cast(pl.Float64)
            yield _View(name, name, _ranks(numbers))
            if recurs:
                change = table.select(problem.unit, of=numbers).select(pl.col("of").diff().over(problem.unit))
                yield _View(name, f"The change of {name}", _ranks(change.to_series()))


def _own_past(problem: Problem, table: pl.DataFrame) -> Iterator[_View]:
    """What the outcomes of the same unit were that are known by then: the last, those before it, and their means."""
    periods = table[problem.period].unique().sort()
    last = periods[-1]
    out = max(1, int((periods > Span.of(problem.outcome_delay).before(last)).sum()))
    known = pl.col(problem.outcome).cast(pl.Float64).shift(out)
    measures = [
        *(known.shift(lag - 1) for lag in _LAGS),
        known.rolling_mean(_NEIGHBOURS, min_samples=1),
        known.cum_sum() / known.is_not_null().cum_sum(),
    ]
    for measure in measures:
        yield _View("", "", _ranks(table.select(measure.over(problem.unit)).to_series()), is_past=True)


def _category_means(column: pl.Series, ranked: FloatArray, fold: IntArray) -> FloatArray:
    """The mean outcome of a row's category in the other folds of periods; in the middle where there is none."""
    table = pl.DataFrame({"category": column, "of": ranked, "fold": fold})
    sums = table.group_by("category", "fold").agg(total=pl.col("of").sum(), n=pl.len())
    both = sums.with_columns(all=pl.col("total").sum().over("category"), every=pl.col("n").sum().over("category"))
    means = both.select("category", "fold", mean=(pl.col("all") - pl.col("total")) / (pl.col("every") - pl.col("n")))
    joined = table.join(means, on=["category", "fold"], how="left", maintain_order="left", nulls_equal=True)
    means_there: FloatArray = joined["mean"].to_numpy().astype(float)
    return np.nan_to_num(means_there)


def _ranks(values: pl.Series) -> FloatArray:
    """Ranks between -1/2 and 1/2, NaN where there is no value."""
    there = values.fill_nan(None)
    ranks = (there.rank("average") / max(1, there.count()) - 0.5).fill_null(float("nan"))
    return np.asarray(ranks.to_numpy(), dtype=float)
