"""DuckDB: SQL over the project's files."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

import polars as pl

from shipworthy.library import library
from shipworthy.problem import Rows
from shipworthy.sources.query import Query


def duckdb(query: str, *, known_at: str | None = None) -> Rows:
    r"""Rows from a query of DuckDB over files, such as "select * from 'data/*.parquet' where price > 0".

    Needs the extra `sql`. Paths are relative to the project's folder. While it is read, that is the folder of the whole process.

    Args:
        query: A query in DuckDB's SQL.
        known_at: The column that says when the outcome of a row became known.

    >>> duckdb("select day, item, sold\nfrom 'sales.parquet'").label
    "the DuckDB query 'select day, item, sold'"
    """
    asked = Query("DuckDB", query)
    return Rows(read=lambda folder: _read(folder, asked), label=asked.label, known_at=known_at)


def _read(folder: Path, asked: Query) -> pl.DataFrame:
    engine = library("duckdb", "sql")
    library("pyarrow", "sql")  # what hands the rows over; without it DuckDB 2.0 complains of leaks when Python ends
    # DuckDB looks for a path in the folder of the process before it looks in its own file_search_path: another file of the
    # same name would be read there without a word.
    with chdir(folder), engine.connect() as connection:
        try:
            found = connection.sql(asked.text)
            if found is None:
                raise asked.refusal("it asks for no rows")
            return found.pl()  # type: ignore[no-any-return]
        except (engine.Error, pl.exceptions.PolarsError, pl.exceptions.PanicException, TypeError) as error:
            raise asked.refusal(error) from None
