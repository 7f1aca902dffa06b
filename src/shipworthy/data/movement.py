"""What differs between two tables of one period, beyond the order in which numbers were added up."""

from __future__ import annotations

import numpy as np
import polars as pl

from shipworthy.problem import Period, Problem

_SAME = 1e-9


def rows_of(problem: Problem, rows: pl.DataFrame, period: Period) -> pl.DataFrame:
    """The rows of one period, without what is known, or was decided, only afterwards."""
    hidden = [name for name in rows.columns if name in {*problem.hidden, *problem.decisions}]
    return rows.filter(pl.col(problem.period) == period).drop(hidden)


def moved_columns(before: pl.DataFrame, after: pl.DataFrame, unit: str) -> tuple[str, ...]:
    """The columns that differ, of the units that are in both tables once."""
    before, after = (table.filter(pl.col(unit).is_unique()).sort(unit) for table in (before, after))
    before, after = before.join(after, on=unit, how="semi"), after.join(before, on=unit, how="semi")
    return tuple(name for name in before.columns if _differ(before[name], after.get_column(name, default=None)))


def has_same_units(before: pl.DataFrame, after: pl.DataFrame, unit: str) -> bool:
    """Whether both tables are about the same units."""
    return before[unit].sort().equals(after[unit].sort())


def _differ(before: pl.Series, after: pl.Series | None) -> bool:
    """Whether two columns differ by more than the order in which numbers were added up.

    A column that is not there any more differs if it said something: that of a category which comes up later says nothing.
    """
    if after is None:
        return not (before.is_null() | before.cast(pl.String, strict=False).is_in(["0", "0.0", "false"])).all()
    if not (before.dtype.is_float() and after.dtype.is_float()):
        return not before.equals(after)
    largest = max(np.abs(np.nan_to_num(one.to_numpy())).max(initial=0.0) for one in (before, after))
    close = ((before - after).abs() <= _SAME * largest).fill_null(value=False)
    return not (close | before.eq_missing(after)).all()
