"""Where two tables that ought to be the same differ first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first place at which evidence that was computed again is not what it was.

    Attributes:
        where: The period and the unit; the place is the whole table where columns or rows are missing.
        column: The column.
        was: What was stored.
        is_now: What came out now.
    """

    where: str
    column: str
    was: Any
    is_now: Any

    def __str__(self) -> str:
        return f"{self.where}, column {self.column!r}: it was {self.was!r} and is {self.is_now!r} now"


def first_difference(stored: pl.DataFrame, computed: pl.DataFrame, key: Sequence[str]) -> Difference | None:
    """The first difference in the order of the rows, then of the columns; None where the tables are equal.

    Numbers have to be the same to the last bit: the same code, data and versions give the same.

    >>> table = pl.DataFrame({"period": [1, 2], "unit": ["a", "a"], "value": [1.0, 2.0]})
    >>> first_difference(table, table, ["period", "unit"]) is None
    True
    >>> other = table.with_columns(value=pl.Series([1.0, 2.5]))
    >>> print(first_difference(table, other, ["period", "unit"]))
    period 2, unit a, column 'value': it was 2.0 and is 2.5 now
    """
    for what, was, is_now in (
        ("columns", stored.columns, computed.columns),
        ("rows", stored.select(key).rows(), computed.select(key).rows()),
    ):
        if was != is_now:
            gone, new = [one for one in was if one not in is_now][:3], [one for one in is_now if one not in was][:3]
            return Difference(where="the whole table", column=what, was=gone or len(was), is_now=new or len(is_now))
    moved = [name for name in stored.columns if not stored[name].equals(computed[name], null_equal=True)]
    if not moved:
        return None
    same = [stored[name].eq_missing(computed[name]).alias(name) for name in moved]
    table = pl.DataFrame(same)
    place = table.select(pl.all_horizontal(pl.all()).not_().arg_true().first()).item()
    if place is None:  # equal values of another type
        name = moved[0]
        return Difference(where="the whole table", column=name, was=stored.schema[name], is_now=computed.schema[name])
    name = next(name for name in moved if not table[name][place])
    where = ", ".join(f"{column} {stored[column][place]}" for column in key)
    return Difference(where=where, column=name, was=stored[name][place], is_now=computed[name][place])
