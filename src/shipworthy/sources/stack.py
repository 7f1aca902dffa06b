"""Several tables as one, where they have the same columns."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from shipworthy.errors import InvalidInputError

_MOST_NAMED = 3


def stacked(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """One below the other, columns in the order of the first; whole numbers become others where one table has others.

    Raises:
        InvalidInputError: a table has other columns than the first one, or of another type; the message names it.

    >>> stacked({"a.csv": pl.DataFrame({"x": [1]}), "b.csv": pl.DataFrame({"x": [2.5]})})["x"].to_list()
    [1.0, 2.5]
    """
    (first, wanted), *others = tables.items()
    faults = [f"{name} {fault}" for name, table in others if (fault := _fault(table, wanted))]
    if faults:
        more = f"; and {len(faults) - _MOST_NAMED} more" if len(faults) > _MOST_NAMED else ""
        raise InvalidInputError(
            f"Not every file has the columns of {first}: {'; '.join(faults[:_MOST_NAMED])}{more}. Write them alike, or match "
            "fewer in Problem(rows=...)."
        )
    return pl.concat([wanted, *(table.select(wanted.columns) for _, table in others)], how="vertical_relaxed")


def _fault(table: pl.DataFrame, wanted: pl.DataFrame) -> str | None:
    lacking = [name for name in wanted.columns if name not in table.columns]
    besides = [name for name in table.columns if name not in wanted.columns]
    other = [
        f"{name} as {table.schema[name]}, not {dtype}"
        for name, dtype in wanted.schema.items()
        if name in table.columns and not _fits(table.schema[name], dtype)
    ]
    parts = [
        f"lacks {', '.join(lacking)}" if lacking else "",
        f"has besides {', '.join(besides)}" if besides else "",
        f"has {', '.join(other)}" if other else "",
    ]
    return " and ".join(part for part in parts if part) or None


def _fits(given: pl.DataType, wanted: pl.DataType) -> bool:
    return given == wanted or (given.is_numeric() and wanted.is_numeric()) or pl.Null in (given, wanted)
