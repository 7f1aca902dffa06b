"""PostgreSQL: SQL over a database server."""

from __future__ import annotations

from typing import Any

import polars as pl

from shipworthy.errors import UnavailableError
from shipworthy.library import library
from shipworthy.problem import Rows
from shipworthy.sources.address import secrets_of, without
from shipworthy.sources.query import Query
from shipworthy.variable import held

_WHAT = "The address of the database"


def postgres(query: str, address: str, *, known_at: str | None = None) -> Rows:
    """Rows from a query of a PostgreSQL database, in a transaction that may only read.

    Needs the extra `sql`. Numbers of type `numeric` come as floating-point ones; other types that Polars does not have, as texts.

    Args:
        query: A query in PostgreSQL's SQL.
        address: "postgresql://user:password@host/database", or better "$NAME", the environment variable that holds it: so no
            password stands in the code.
        known_at: The column that says when the outcome of a row became known.

    >>> postgres("select * from sales", "$SALES_DATABASE").label
    "the PostgreSQL query 'select * from sales'"
    """
    asked = Query("PostgreSQL", query)
    return Rows(read=lambda _: _read(held(address, _WHAT), asked), label=asked.label, known_at=known_at)


def _read(address: str, asked: Query) -> pl.DataFrame:
    driver = library("adbc_driver_postgresql.dbapi", "sql")
    secrets = [address, *secrets_of(address)]
    try:
        connection = driver.connect(address)
    except driver.Error as error:
        raise UnavailableError(
            f"The database for {asked.label} does not answer: {without(error, secrets)} Correct its address, or start it."
        ) from None
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute(asked.text)
            return _plain(cursor.fetch_polars())
    except driver.OperationalError as error:
        raise UnavailableError(
            f"The database went away during {asked.label}: {without(error, secrets)} Repeat the command."
        ) from None
    except (driver.Error, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise asked.refusal(error, secrets) from None


def _plain(table: pl.DataFrame) -> pl.DataFrame:
    """The table without types that only PostgreSQL has."""
    opaque = [column for column in table if isinstance(column.dtype, pl.BaseExtension)]
    return table.with_columns(_stored(column) for column in opaque)


def _stored(column: pl.Series) -> pl.Series:
    dtype: Any = column.dtype
    stored = column.ext.storage()
    return stored.cast(pl.Float64) if '"numeric"' in str(dtype.ext_metadata()) else stored
