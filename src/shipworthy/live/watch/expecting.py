"""What a period is expected to earn while its outcomes are still out: the replay's money, weighted to today's rows.

The replay's rows are parted into strata by the one or two columns that tell most of the money, and the mean of each stratum
counts as often as today's rows fall into it. How good that is, the replay says itself: each of its stretches is predicted from
the rest, and the error that a tenth of them exceed, by the rule of split conformal prediction, is half the interval.

It holds as long as rows of a stratum earn what they did. Where the world changed so that the same rows earn otherwise, nothing
that looks at inputs alone can see it; outcomes do. Where strata predict no better than the plain mean, or today's rows fall into
strata that the replay hardly has, nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from shipworthy.live.watch.alert import Alert
from shipworthy.live.watch.lived import Lived
from shipworthy.live.watch.promised import Promised
from shipworthy.live.watch.usual import stretches
from shipworthy.step.worth import VALUE

_MISSED = 0.1
_STRATA = {1: 10, 2: 5}
"""Into how many strata numbers are parted, by how many columns do it."""

_EDGE = 0.01
_MOST_WORDS = 8
_FEWEST_ROWS = 30
_FEWEST_STRETCHES = 10
_STRETCHES = 12
_FEWEST_PERIODS = 5
_BETTER = 0.9
_SLOPES = (0.5, 2.0)
_MOST_STRANGE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a period is expected to earn, before outcomes say.

    Attributes:
        value: Money a period.
        low: Lower end of its 90 % interval.
        high: Upper end.
        replayed: What a period with as many rows earned in the replay, unweighted.
        least: The same of the replay's poorest stretch.
        by: The columns that part the strata.
        slope: How much of a predicted difference came true between the replay's own stretches; 1 where all of it did.
    """

    value: float
    low: float
    high: float
    replayed: float
    least: float
    by: tuple[str, ...]
    slope: float


def expected_value(promised: Promised, lived: Lived) -> Expected | None:
    """What a period of the window is expected to earn; None where the replay cannot say it honestly."""
    if promised.decided is None or len(lived.periods) < _FEWEST_PERIODS:
        return None
    period, unit = promised.problem.key
    replayed = promised.decided.select(pl.col("period").alias(period), pl.col("unit").alias(unit), VALUE).drop_nulls(
        VALUE
    )
    history = promised.rows.join(replayed, on=[period, unit])
    return expect(history, lived.asked, period, [unit, *promised.inputs])


def expect(history: pl.DataFrame, now: pl.DataFrame, period: str, columns: Sequence[str]) -> Expected | None:
    """The same of plain tables: of a history with the column `value`, and of rows whose value is not known yet."""
    periods = history[period].unique().sort().to_list()
    length = min(now[period].n_unique(), len(periods) // _STRETCHES)
    if length < _FEWEST_PERIODS:
        return None
    cuts = [(periods[first], periods[first + length - 1]) for first in stretches(len(periods), length)]
    if len(cuts) < _FEWEST_STRETCHES:
        return None
    best: tuple[float, tuple[str, ...], Expected] | None = None
    for by in _candidates(history, columns):
        found = _by(history, now, period, cuts, by)
        if found is not None and (best is None or found[0] < best[0]):
            best = (found[0], by, found[1])
    return None if best is None else best[2]


def check_expected(expected: Expected | None) -> list[Alert]:
    """An alert where the whole interval lies below what any stretch of the replay earned."""
    if expected is None or expected.high >= expected.least:
        return []
    what = f"Before outcomes are there, today's rows are expected to earn {expected.value:,.2f} a period"
    what += (
        f" ({expected.low:,.2f} to {expected.high:,.2f}); no stretch of the replay earned below {expected.least:,.2f}."
    )
    how = f"the replay's {expected.replayed:,.2f} less the expected, by {' and '.join(expected.by)}"
    risk = expected.replayed - expected.value
    return [Alert(kind="expected-value", what=what, money_at_risk=risk, reckoned=how)]


def _candidates(history: pl.DataFrame, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The columns, and pairs of those four that tell most of the money each by itself."""
    told = {name: _explained(history, name) for name in columns}
    useful = sorted((name for name in columns if told[name] > 0.0), key=lambda name: -told[name])[:4]
    yield from ((name,) for name in useful)
    yield from combinations(useful, 2)


def _explained(history: pl.DataFrame, name: str) -> float:
    """The share of the variance of money that strata of a column tell; 0 where it has none."""
    stratum = _stratum(history, history, name, _STRATA[1])
    if stratum is None:
        return 0.0
    table = history.select(VALUE, stratum.alias("stratum"))
    whole = float(table[VALUE].to_numpy().var())
    within = table.select((pl.col(VALUE) - pl.col(VALUE).mean().over("stratum")).pow(2).mean()).item()
    return 1.0 - float(within) / whole if whole > 0.0 else 0.0


def _stratum(table: pl.DataFrame, history: pl.DataFrame, name: str, strata: int) -> pl.Series | None:
    """The stratum of each row by one column, by equal parts of the history for numbers; None where it has only one."""
    dtype, known = history.schema[name], history[name].drop_nulls()
    if dtype.is_numeric() and known.n_unique() > _MOST_WORDS:
        values = known.cast(pl.Float64).to_numpy()
        cuts = np.unique(np.quantile(values, np.arange(1, strata) / strata))
        return pl.Series(np.searchsorted(cuts, table[name].cast(pl.Float64).to_numpy())).cast(pl.String)
    often = (
        known.cast(pl.String, strict=False).value_counts(sort=True).head(_MOST_WORDS)[name]
        if _is_plain(dtype)
        else None
    )
    if often is None or len(often) < 2:
        return None
    words = table[name].cast(pl.String)
    return (
        words.to_frame()
        .select(pl.when(pl.col(name).is_in(often.implode())).then(pl.col(name)).otherwise(pl.lit("other")))
        .to_series()
    )


def _strange(now: pl.DataFrame, history: pl.DataFrame, by: tuple[str, ...]) -> float:
    """The share of rows that lie at the history's edge or beyond, where what they earn would be a guess."""
    strange = np.zeros(now.height, dtype=np.bool_)
    for name in by:
        if history.schema[name].is_numeric():
            edges = np.quantile(history[name].drop_nulls().cast(pl.Float64).to_numpy(), [_EDGE, 1.0 - _EDGE])
            values = now[name].cast(pl.Float64).to_numpy()
            strange |= (values < edges[0]) | (values > edges[1])
    return float(strange.mean())


def _is_plain(dtype: pl.DataType) -> bool:
    return dtype.is_numeric() or dtype in (pl.String, pl.Boolean, pl.Categorical, pl.Enum)


def _by(
    history: pl.DataFrame, now: pl.DataFrame, period: str, cuts: Sequence[tuple[object, object]], by: tuple[str, ...]
) -> tuple[float, Expected] | None:
    """What strata of some columns expect, with their error on the replay; None where that is no better than the mean."""
    parted, today = _parted(history, history, period, by), _parted(now, history, period, by)
    pairs = []
    for first, last in cuts:
        inside = pl.col(period).is_between(pl.lit(first), pl.lit(last))
        stretch, rest = parted.filter(inside), parted.filter(~inside)
        predicted = _weighted(rest, stretch)
        if predicted is None:
            return None
        pairs.append((float(stretch[VALUE].to_numpy().mean()), predicted, float(rest[VALUE].to_numpy().mean())))
    came, predicted_means, plain = (np.array(column) for column in zip(*pairs, strict=True))
    errors, size = np.abs(came - predicted_means), now.height / now[period].n_unique()
    error = float(np.sqrt((errors**2).mean()))
    moved = predicted_means - predicted_means.mean()
    slope = float((moved * (came - came.mean())).sum() / (moved**2).sum()) if (moved**2).sum() > 0.0 else 0.0
    mean = None if _strange(now, history, by) > _MOST_STRANGE else _weighted(parted, today)
    if (
        mean is None
        or error > _BETTER * float(np.sqrt(((came - plain) ** 2).mean()))
        or not _SLOPES[0] <= slope <= _SLOPES[1]
    ):
        return None
    place = min(len(errors), math.ceil((1.0 - _MISSED) * (len(errors) + 1)))
    half = float(np.sort(errors)[place - 1])
    return error, Expected(
        value=mean * size,
        low=(mean - half) * size,
        high=(mean + half) * size,
        replayed=float(parted[VALUE].to_numpy().mean()) * size,
        least=float(came.min()) * size,
        by=by,
        slope=slope,
    )


def _parted(table: pl.DataFrame, history: pl.DataFrame, period: str, by: tuple[str, ...]) -> pl.DataFrame:
    strata = [stratum for name in by if (stratum := _stratum(table, history, name, _STRATA[len(by)])) is not None]
    kept = table.select(period, *([VALUE] if VALUE in table.columns else []))
    columns = [stratum.alias(f"stratum {i}") for i, stratum in enumerate(strata)]
    return kept.with_columns(columns).with_columns(pl.concat_str("^stratum .*$", separator="|").alias("stratum"))


def _weighted(history: pl.DataFrame, now: pl.DataFrame) -> float | None:
    """The history's mean money, each stratum as often as in `now`; None where `now` falls into strata it hardly has."""
    means = history.group_by("stratum").agg(pl.col(VALUE).mean().alias("mean"), pl.len().alias("rows"))
    often = means.filter(pl.col("rows") >= _FEWEST_ROWS)
    counts = now.group_by("stratum").agg(pl.len().alias("count")).join(often, on="stratum")
    there = int(counts["count"].sum())
    if there < (1.0 - _MOST_STRANGE) * now.height:
        return None
    return float((counts["mean"] * counts["count"]).sum()) / there
