"""SQLite: SQL over a database in one file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl

from shipworthy.problem import Rows
from shipworthy.sources.files import existing
from shipworthy.sources.query import Query
from shipworthy.sources.texts import with_dates


def sqlite(query: str, path: str, *, known_at: str | None = None) -> Rows:
    """Rows from a query of a SQLite database, which is only read; texts that are all dates, or times, become such.

    Args:
        query: A query in SQLite's SQL.
        path: The database's file, relative to the project's folder.
        known_at: The column that says when the outcome of a row became known.

    >>> sqlite("select * from sales", "shop.db").label
    "the SQLite query 'select * from sales'"
    """
    asked = Query("SQLite", query)
    return Rows(read=lambda folder: _read(existing(folder, path), asked), label=asked.label, known_at=known_at)


def _read(place: Path, asked: Query) -> pl.DataFrame:
    try:
        with closing(sqlite3.connect(f"{place.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute(asked.text)
            columns = [column[0] for column in found.description or ()]
            rows = found.fetchall()
        return with_dates(pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None))
    except (sqlite3.Error, sqlite3.Warning, pl.exceptions.PolarsError, TypeError, OverflowError) as error:
        raise asked.refusal(error) from None
