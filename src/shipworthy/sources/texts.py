"""Texts that are dates: CSV, JSON and SQLite have no type for these."""

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


def with_written_dates(table: pl.DataFrame) -> pl.DataFrame:
    """The same for dates as people write them too, such as 31.01.2026; the first text of a column says how all are written.

    Polars' own `try_parse_dates` recognises the same, but tries every text while it looks for the types, and is far slower.

    >>> with_written_dates(pl.DataFrame({"day": ["31.01.2026", "01.02.2026"], "item": ["31.01.2026", "jam"]})).dtypes
    [Date, String]
    """
    return table.with_columns(_written(column) for column in table if column.dtype == pl.String)


def _written(column: pl.Series) -> pl.Series:
    first = column.drop_nulls().head(1)
    if first.is_empty():
        return column
    for read in (_to_date, _to_time):
        try:
            read(first)  # most texts are no dates, which Polars is slow to find out of many
            return read(column)
        except pl.exceptions.PolarsError:  # no such dates, or not all of them
            continue
    return column


def _to_date(texts: pl.Series) -> pl.Series:
    return texts.str.to_date()


def _to_time(texts: pl.Series) -> pl.Series:
    return texts.str.to_datetime(time_unit="us")


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
