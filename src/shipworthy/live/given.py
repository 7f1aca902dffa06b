"""Rows that are given as a file, as a query or by the problem's own source, and turned into what the service takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from shipworthy.errors import InvalidInputError
from shipworthy.live.columns import Column
from shipworthy.problem import Problem, Rows
from shipworthy.project import Project
from shipworthy.project.code import load_problem
from shipworthy.sources.duckdb import duckdb
from shipworthy.sources.files import csv, json, parquet
from shipworthy.sources.postgres import postgres
from shipworthy.sources.sqlite import sqlite
from shipworthy.step import History
from shipworthy.variable import variable_in

_READERS: Mapping[str, Callable[[str], Rows]] = {
    ".parquet": parquet,
    ".csv": csv,
    ".json": json,
    ".jsonl": json,
    ".ndjson": json,
}

_WRITERS: Mapping[str, Callable[[pl.DataFrame, str], None]] = {
    ".parquet": pl.DataFrame.write_parquet,
    ".csv": pl.DataFrame.write_csv,
    ".jsonl": pl.DataFrame.write_ndjson,
}

Row = dict[str, Any]


def read_file(project: Project, path: str) -> pl.DataFrame:
    """The rows of a Parquet, CSV or JSON file, by the ending of its name; a path is relative to where one stands, or an address.

    Raises:
        InvalidInputError: its name ends otherwise, or it is no such file.
        NotFoundError: it is not there.
    """
    ending = Path(path).suffix.lower()
    if ending not in _READERS:
        raise InvalidInputError(f"{path!r} does not end as a file of rows does. Give one that ends in {_endings()}.")
    place = path if "://" in path else str(Path(path).absolute())
    return _READERS[ending](place).load(project.root)


def read_query(project: Project, query: str, database: str | None = None) -> pl.DataFrame:
    """The rows of a query: of files, by DuckDB; or of a database, `postgresql://...`, `$NAME`, or a SQLite file.

    Raises:
        InvalidInputError: the query is refused.
        UnavailableError: the database does not answer.
    """
    if database is None:
        return duckdb(query).load(project.root)
    is_server = database.startswith(("postgresql://", "postgres://")) or variable_in(database)
    return (postgres if is_server else sqlite)(query, database).load(project.root)


def read_source(project: Project, name: str) -> tuple[Problem, pl.DataFrame]:
    """The problem as the project declares it, and the newest revision of every row of its own source."""
    _, problem = load_problem(project, name)
    rows = problem.rows.load(project.root)
    return problem, History(problem, rows).newest.rows if problem.known_at else rows


def refuse_lacking(table: pl.DataFrame, needed: Iterable[str], what: str) -> None:
    """Refuses a table without the columns that it must have.

    >>> refuse_lacking(pl.DataFrame({"day": [1]}), ["day", "sold"], "Outcomes")
    Traceback (most recent call last):
    ...
    shipworthy.errors.InvalidInputError: Outcomes need the column sold. There is: day.
    """
    absent = [name for name in needed if name not in table.columns]
    if absent:
        noun = "column" if len(absent) == 1 else "columns"
        raise InvalidInputError(f"{what} need the {noun} {', '.join(absent)}. There is: {', '.join(table.columns)}.")


def as_rows(table: pl.DataFrame, columns: Mapping[str, Column]) -> list[Row]:
    """The rows as JSON values, numbers and texts as their columns have them; a value that is wrong stays as it was given."""
    names = [name for name in columns if name in table.columns]
    turned = [_as_column_has(table.get_column(name), columns[name]).to_list() for name in names]
    return [msgspec.to_builtins(dict(zip(names, values, strict=True))) for values in zip(*turned, strict=True)]


def write_file(table: pl.DataFrame, path: str) -> None:
    """Writes a table as its file's name ends: Parquet, CSV or lines of JSON.

    Raises:
        InvalidInputError: it ends otherwise, or cannot be written there.
    """
    write = _WRITERS.get(Path(path).suffix.lower())
    if write is None:
        raise InvalidInputError(f"{path!r} cannot be written. Let it end in {', '.join(_WRITERS)}.")
    try:
        write(table, path)
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be written: {error.strerror or error}. Choose another place."
        ) from error


def _as_column_has(given: pl.Series, column: Column) -> pl.Series:
    """A file has lost some types: units that look like numbers, dates that are times, booleans that are 0 and 1."""
    if given.dtype == column.dtype:
        return given
    if given.dtype.is_numeric() and column.dtype.is_temporal():
        return given  # 20260131 is no day: Polars would count it from 1970 on
    try:
        cast = given.cast(column.dtype)
        is_same = cast.cast(given.dtype).equals(given)
    except pl.exceptions.PolarsError:
        return given
    return cast if is_same else given


def _endings() -> str:
    *others, last = _READERS
    return f"{', '.join(others)} or {last}"
