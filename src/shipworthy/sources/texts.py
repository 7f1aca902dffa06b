"""Texts that are dates: JSON and SQLite have no type for these."""

from __future__ import annotations

import polars as pl

_DATE = r"^\d{4}-\d{2}-\d{2}$"
_TIME = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$"
_UTC = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$"


def with_dates(table: pl.DataFrame) -> pl.DataFrame:
    """The table, with every column of texts that are all dates, or all times, as such (ISO 8601); an offset makes it UTC.

    >>> with_dates(pl.DataFrame({"day": ["2026-01-31", None], "item": ["2026-01-31", "jam"]})).dtypes
    [Date, String]
    """
    return table.with_columns(_read(column) for column in table if column.dtype == pl.String)


def _read(column: pl.Series) -> pl.Series:
    texts = column.drop_nulls()
    if texts.is_empty():
        return column
    try:
        if texts.str.contains(_DATE).all():
            return column.str.to_date("%Y-%m-%d")
        if texts.str.contains(_TIME).all():
            return column.str.to_datetime(time_unit="us")
        if texts.str.contains(_UTC).all():
            return column.str.to_datetime(time_unit="us", time_zone="UTC")
    except pl.exceptions.PolarsError:  # as many digits as a date has, and no date: 2026-13-45
        return column
    return column
