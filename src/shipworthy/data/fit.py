"""Whether rows are of the shape that a contract expects: every column there, and of its type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from shipworthy.data.contract import Contract
from shipworthy.data.sql_rule import rule_columns
from shipworthy.errors import InvalidInputError, NotFoundError


def refuse_unfit(contract: Contract, rows: pl.DataFrame, hidden: Sequence[str]) -> None:
    """Refuses rows that lack a column of the contract, or have one of another type.

    Args:
        contract: What is expected.
        rows: The rows.
        hidden: The columns that are known only after deciding.

    Raises:
        InvalidInputError: the message says what was expected and what is there.
    """
    for name, expected in contract.columns.items():
        where = f"{contract.file}: columns.{name}"
        if name not in rows.columns:
            raise InvalidInputError(f"{where}: {_absent(name, rows)}")
        if not _IS_TYPE[expected.type](rows.schema[name]) and rows.schema[name] != pl.Null:
            raise InvalidInputError(f"{where} is to be {expected.type}, but {_found(rows[name], expected.type)}")
        if expected.required and name in hidden:
            raise InvalidInputError(
                f"{where}.required cannot be: {name} is known only after deciding, so the newest rows do not have it yet. "
                "Leave it out."
            )
    for name in contract.rules:
        for column in rule_columns(contract, name):
            if column not in rows.columns:
                raise InvalidInputError(f"{contract.file}: rules.{name}: {_absent(column, rows)}")


_IS_TYPE: Mapping[str, Callable[[pl.DataType], bool]] = {
    "text": lambda dtype: dtype in (pl.String, pl.Categorical, pl.Enum),
    "number": lambda dtype: dtype.is_numeric(),
    "integer": lambda dtype: dtype.is_integer(),
    "date": lambda dtype: dtype == pl.Date,
    "datetime": lambda dtype: dtype == pl.Datetime,
    "boolean": lambda dtype: dtype == pl.Boolean,
}

_CASTS = {"number": ".cast(pl.Float64)", "integer": ".cast(pl.Int64)", "date": ".str.to_date()"}
"""How texts become values of a type."""


def _absent(name: str, rows: pl.DataFrame) -> str:
    return str(
        NotFoundError.among("column", name, rows.columns, "Correct the contract or the preparation of the rows.")
    )


def _found(column: pl.Series, kind: str) -> str:
    """What is there instead of the type that was expected, and what to do about it."""
    texts = column.drop_nulls()
    if column.dtype != pl.String or kind not in _CASTS or texts.is_empty():
        return f"the column is {column.dtype}. Cast it where the rows are prepared, or correct the contract."
    read = texts.to_frame("text").select(_reading(kind)).to_series()
    not_so = texts.filter(read.is_null()).unique(maintain_order=True)
    how = f'Make it one with pl.col("{column.name}"){_CASTS[kind]} where the rows are prepared'
    if not_so.is_empty():
        return f"the column is text. All its {len(texts):,} texts read as {kind}s. {how}."
    shown = ", ".join(repr(text[:30]) for text in not_so[:3])
    return (
        f"the column is text. {len(texts) - read.null_count():,} of its {len(texts):,} texts read as {kind}s; not so: {shown}. "
        f"{how}, with strict=False to have null for those."
    )


def _reading(kind: str) -> pl.Expr:
    text = pl.col("text").str.strip_chars()
    if kind == "date":
        return text.str.to_date("%Y-%m-%d", strict=False)
    return text.cast(pl.Float64 if kind == "number" else pl.Int64, strict=False)
