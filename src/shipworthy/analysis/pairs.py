"""The paired differences of one measure, summed per period and per unit.

Rows are never kept beyond this point: a verdict needs only sums. Sums are taken over whole numbers, the differences
times a power of two, so that they do not depend on the order of the rows or on how many threads added them up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl

from shipworthy.statistics.series import FloatArray

_BEST_SHARE = 0.01
_WORST_QUANTILE = 0.05
_INTEGER_BITS = 62
_SMALLEST_AMOUNT, _LARGEST_AMOUNT = 1e-100, 1e100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Sums of challenger minus champion, the sign turned where lower is better.

    Attributes:
        periods: The periods with at least one row, in order.
        sums: Sum of the usable differences of each period, shape (periods,).
        counts: Usable pairs of each period, shape (periods,).
        one_sided: Pairs of each period of which only one side is usable, shape (periods,).
        unit_sums: Sum of the usable differences of each unit, shape (units,); empty if units were not asked for.
        unit_counts: Usable pairs of each unit, shape (units,).
        unit_one_sided: One-sided pairs of each unit, shape (units,).
        rows: Pairs, usable or not.
        differing: Periods in which any pair differs.
        best_rows: Sum of the best 1 % of the usable differences.
        worst: The 5 % quantile of the usable differences; 0 where no pair is one-sided.
        largest: The largest absolute difference.
    """

    periods: pl.Series
    sums: FloatArray
    counts: FloatArray
    one_sided: FloatArray
    unit_sums: FloatArray
    unit_counts: FloatArray
    unit_one_sided: FloatArray
    rows: int
    differing: int
    best_rows: float
    worst: float
    largest: float

    @property
    def is_money(self) -> bool:
        """Whether some currency could have such amounts; where none could, the sums are 0."""
        return _is_money(self.largest)

    @property
    def usable(self) -> int:
        """Usable pairs."""
        return int(self.counts.sum())

    @property
    def usable_share(self) -> float:
        """Usable pairs over all pairs; 1 where there is none."""
        return self.usable / self.rows if self.rows else 1.0

    @property
    def one_sided_share(self) -> float:
        """Pairs with one usable side over all pairs."""
        return float(self.one_sided.sum()) / self.rows if self.rows else 0.0

    @property
    def series(self) -> tuple[FloatArray, FloatArray]:
        """Sums and counts of the periods that have usable pairs."""
        seen = self.counts > 0
        return self.sums[seen], self.counts[seen]

    @property
    def units(self) -> tuple[FloatArray, FloatArray]:
        """Sums and counts of the units that have usable pairs."""
        seen = self.unit_counts > 0
        return self.unit_sums[seen], self.unit_counts[seen]

    def at_worst(self) -> Self:
        """Returns the pairs as if each one-sided one had differed by the worst 5 % quantile."""
        return replace(
            self,
            sums=self.sums + self.worst * self.one_sided,
            counts=self.counts + self.one_sided,
            unit_sums=self.unit_sums + self.worst * self.unit_one_sided,
            unit_counts=self.unit_counts + self.unit_one_sided,
        )


def paired(frame: pl.DataFrame, measure: str, *, lower_is_better: bool = False, by_unit: bool = False) -> Pairs:
    """Sums the differences of `<measure>_challenger` and `<measure>_champion`.

    Args:
        frame: Columns period and unit and both of the measure, one row per period and unit.
        measure: "value" or a guardrail.
        lower_is_better: Whether to turn the sign.
        by_unit: Whether to sum per unit as well.

    >>> day = {"period": [1, 2], "unit": [7, 7], "value_champion": [1.0, 1.0], "value_challenger": [2.5, None]}
    >>> found = paired(pl.DataFrame(day), "value")
    >>> found.sums.tolist(), found.counts.tolist(), found.one_sided.tolist()
    ([1.5, 0.0], [1.0, 0.0], [0.0, 1.0])
    """
    champion = pl.col(f"{measure}_champion").cast(pl.Float64)
    challenger = pl.col(f"{measure}_challenger").cast(pl.Float64)
    gain = champion - challenger if lower_is_better else challenger - champion
    table = frame.select(
        "period",
        "unit",
        gain=pl.when(gain.is_finite()).then(gain),
        one_sided=_is_known(champion) != _is_known(challenger),
    )
    # A difference that overflows is as unusable as one that is missing.
    largest = table.select(pl.col("gain").abs().max()).item()
    if not _is_money(largest or 0.0):
        table = table.with_columns(pl.col("gain") * 0.0)
    exponent = _exponent(largest, table.height)
    table = table.with_columns(whole=_whole(exponent))
    best = table.select(pl.col("whole").top_k(max(1, math.ceil(_BEST_SHARE * table["gain"].count()))).sum()).item()
    by_period = _summed(table, "period")
    by_units = _summed(table if by_unit else table.clear(), "unit")
    return Pairs(
        periods=by_period["period"],
        sums=_scaled(by_period["whole"], exponent),
        counts=_floats(by_period["usable"]),
        one_sided=_floats(by_period["one_sided"]),
        unit_sums=_scaled(by_units["whole"], exponent),
        unit_counts=_floats(by_units["usable"]),
        unit_one_sided=_floats(by_units["one_sided"]),
        rows=frame.height,
        differing=int(by_period["differs"].sum()),
        best_rows=math.ldexp(best or 0, -exponent),
        worst=_worst(table),
        largest=largest or 0.0,
    )


def _worst(table: pl.DataFrame) -> float:
    """Returns the 5 % quantile of the usable differences; 0 where no pair is one-sided, so that none is asked for."""
    if not table["one_sided"].any():
        return 0.0
    return table.select(pl.col("gain").quantile(_WORST_QUANTILE, "linear")).item() or 0.0


def _is_known(side: pl.Expr) -> pl.Expr:
    """Whether one side of a pair is a finite number."""
    return side.is_finite().fill_null(False)


def _is_money(largest: float) -> bool:
    """Whether the largest difference leaves room for sums and squares."""
    return largest == 0.0 or _SMALLEST_AMOUNT < largest < _LARGEST_AMOUNT


def _exponent(largest: float | None, rows: int) -> int:
    """Returns k such that all differences times 2^k, added up, fit into 62 bits."""
    if not largest:
        return 0
    return _INTEGER_BITS - rows.bit_length() - math.frexp(largest)[1]


def _whole(exponent: int) -> pl.Expr:
    """The differences as whole multiples of 2^-exponent; null where unusable."""
    # In two factors, because 2^exponent of a tiny currency would leave the range of a float.
    half = exponent // 2
    return (pl.col("gain") * math.ldexp(1.0, half) * math.ldexp(1.0, exponent - half)).round().cast(pl.Int64)


def _summed(table: pl.DataFrame, key: str) -> pl.DataFrame:
    """Sums by period or unit, in order."""
    return (
        table.group_by(key)
        .agg(
            pl.col("whole").sum(),
            usable=pl.col("whole").count(),
            one_sided=pl.col("one_sided").sum(),
            differs=(pl.col("whole") != 0).any(),
        )
        .sort(key)
    )


def _floats(column: pl.Series) -> FloatArray:
    """A column of counts as an array."""
    return column.to_numpy().astype(np.float64)


def _scaled(column: pl.Series, exponent: int) -> FloatArray:
    """Whole sums back in money."""
    scaled: FloatArray = np.ldexp(_floats(column), -exponent)
    return scaled
