"""Frames: a table that is in memory already, or a function that makes one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import polars as pl

from shipworthy.errors import UserCodeError
from shipworthy.library import library
from shipworthy.problem import Rows


class ArrowTable(Protocol):
    """A table of any library that can hand it over as Arrow: pandas, PyArrow, DuckDB and others."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


Table = pl.DataFrame | pl.LazyFrame | ArrowTable


def frame(source: Table | Callable[[], Table], *, known_at: str | None = None) -> Rows:
    """Rows from a table, or from a function that returns one: of Polars (lazy too), pandas, or any library that speaks Arrow.

    Args:
        source: The table, or the function that makes it when it is needed.
        known_at: The column that says when the outcome of a row became known.

    >>> from pathlib import Path
    >>> frame(lambda: pl.LazyFrame({"a": [1]})).load(Path())["a"].to_list()
    [1]
    """
    return Rows(
        read=lambda _: to_polars(source() if callable(source) else source),
        label="a frame",
        known_at=known_at,
    )


def to_polars(table: Any) -> pl.DataFrame:
    """Returns any table as a frame of Polars; what is one already is not copied.

    Raises:
        UserCodeError: It is no table, or none that can be read.
        UnavailableError: It is one of pandas, and pyarrow is not installed.

    >>> to_polars(pl.LazyFrame({"a": [1]}))["a"].to_list()
    [1]
    """
    if isinstance(table, pl.DataFrame):
        return table
    if isinstance(table, pl.LazyFrame):
        return table.collect()
    if not hasattr(table, "__arrow_c_stream__"):
        raise UserCodeError(
            f"A table was asked for, and a {type(table).__name__} is none. Give a Polars or pandas frame or "
            "an Arrow table."
        )
    if type(table).__module__.startswith("pandas"):
        library("pyarrow", "sql")  # by which pandas hands its columns over
    try:
        return pl.DataFrame(table)
    except (TypeError, ValueError) as error:
        kind = type(table).__name__
        raise UserCodeError(f"The {kind} cannot be read ({error}). Give each column one type of value.") from error
