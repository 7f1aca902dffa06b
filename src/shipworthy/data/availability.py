"""What would be missing live: columns that are emptier at the moment of deciding than they ever were before.

A replay takes every column as it stands in the table, where it was perhaps filled in days later. The newest rows, whose
outcome is still open, show what is there in time. A column is suspicious where it is usually filled and is now empty for
longer, or in more of a period's rows, than ever before: so columns that have holes anyway raise no alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import polars as pl

from shipworthy.problem import Problem

_USUALLY = 0.5


def unavailable(problem: Problem, rows: pl.DataFrame) -> list[str]:
    """A remark on each column that is usually filled and is not now; columns known only after deciding are left out.

    >>> shop = Problem("shop", rows=None, period="day", unit="item", outcome="sold")
    >>> table = pl.DataFrame({"day": [1, 2, 3, 4], "item": "a", "rain": [0.0, 2.0, 1.0, None], "sold": [3, 4, 5, None]})
    >>> unavailable(shop, table)
    ['rain is empty since 4; before, 100 % of the rows had it. Is it there when it is decided?']
    """
    left_out = {*problem.key, *problem.hidden, *problem.decisions}
    names = [name for name in rows.columns if name not in left_out and rows[name].null_count() < rows.height]
    if not names or rows.is_empty():
        return []
    counted = (
        rows.group_by(pl.col(problem.period).alias("period"))
        .agg(
            pl.len().alias("rows"),
            pl.col(problem.outcome).count().alias("known"),
            *(pl.col(name).count().alias(str(place)) for place, name in enumerate(names)),
        )
        .sort("period")
    )
    periods, sizes = counted["period"].to_list(), counted["rows"].to_list()
    n_open = _at_end(counted["known"].to_list())
    told = (_told(periods, sizes, counted[str(place)].to_list(), n_open) for place in range(len(names)))
    return [f"{name} {what} Is it there when it is decided?" for name, what in zip(names, told, strict=True) if what]


def _told(periods: Sequence[Any], sizes: Sequence[int], filled: Sequence[int], n_open: int) -> str | None:
    """What is suspicious about one column, given how many rows of each period have it."""
    first = next(place for place, count in enumerate(filled) if count)
    stop = len(filled) - _at_end(filled)
    usual = sum(filled[first:stop]) / sum(sizes[first:stop])
    if usual < _USUALLY:
        return None
    if len(filled) - stop > _longest_empty(filled[first:stop]):
        return f"is empty since {periods[stop]}; before, {100 * usual:.0f} % of the rows had it."
    settled = len(filled) - n_open
    before = [count / size for count, size in zip(filled[first:settled], sizes[first:settled], strict=True)]
    there, asked = sum(filled[settled:]), sum(sizes[settled:])
    if asked and before and there / asked < min(before):
        usual = sum(filled[first:settled]) / sum(sizes[first:settled])
        what = f"is there in {there} of the {asked} rows whose outcome is open, since {periods[settled]}"
        return f"{what}; before, {100 * usual:.0f} % of the rows had it."
    return None


def _at_end(counts: Sequence[int]) -> int:
    """How many counts at the end are zero."""
    return next((place for place, count in enumerate(reversed(counts)) if count), len(counts))


def _longest_empty(counts: Sequence[int]) -> int:
    return max(
        (len(list(run)) for is_empty, run in groupby(counts, key=lambda count: count == 0) if is_empty), default=0
    )
