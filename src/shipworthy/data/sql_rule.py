"""The rules of a contract over several columns: SQL, read and proved to be about one row at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import polars as pl

from shipworthy.data.contract import Contract
from shipworthy.errors import InvalidInputError

FAULTS = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What Polars raises for an expression that it cannot read or evaluate."""


_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"")
_OVER_ROWS = re.compile(
    r"\b(?:over|select|distinct)\b|\b(?:avg|sum|min|max|count|first|last|mode|median|corr|unnest|any_value|every|\w+_agg"
    r"|(?:std|var|covar|quantile|approx|bool_)\w*)\s*\(",
    re.IGNORECASE,
)
"""What makes an SQL expression look at other rows than one: aggregates, windows and queries."""


def compile_rule(
    contract: Contract, name: str, schema: Mapping[str, pl.DataType]
) -> tuple[pl.Expr, tuple[str, ...]] | None:
    """What a rule asks, true for each row that keeps it, and the columns it mentions; None where one is not in `schema`.

    Raises:
        InvalidInputError: it cannot be read, does not fit the columns, or looks at more than one row.
    """
    where = f"{contract.file}: rules.{name}"
    holds, columns = _read(where, contract.rules[name])
    if not set(columns) <= schema.keys():
        return None
    _refuse_no_truth(where, holds, columns, schema)
    return holds, columns


def rule_columns(contract: Contract, name: str) -> tuple[str, ...]:
    """The columns that a rule mentions.

    Raises:
        InvalidInputError: it cannot be read.
    """
    return _read(f"{contract.file}: rules.{name}", contract.rules[name])[1]


def _read(where: str, text: str) -> tuple[pl.Expr, tuple[str, ...]]:
    try:
        holds = pl.sql_expr(text)
        columns = tuple(dict.fromkeys(holds.meta.root_names()))
    except FAULTS as error:
        raise InvalidInputError(
            f"{where} cannot be read as SQL over the columns of a row: {first_line(error)}. Correct it there."
        ) from error
    if _OVER_ROWS.search(_QUOTED.sub("", text)):
        raise InvalidInputError(
            f"{where} looks at several rows, of which a request may have one. Ask only about the columns of a row."
        )
    if not columns:
        raise InvalidInputError(f"{where} mentions no column. Write what must hold of every row.")
    return holds.meta.undo_aliases(), columns


def _refuse_no_truth(where: str, holds: pl.Expr, columns: Sequence[str], schema: Mapping[str, pl.DataType]) -> None:
    """Refuses a rule that is not true or false of each row by itself."""
    own = {name: schema[name] for name in columns}
    try:
        found = pl.DataFrame(schema=own).select(holds).dtypes
    except FAULTS as error:
        raise InvalidInputError(
            f"{where} does not fit the columns {_typed(own)}: {first_line(error)}. Correct it there."
        ) from error
    if found != [pl.Boolean]:
        raise InvalidInputError(
            f"{where} gives {', '.join(map(str, found))}, not true or false. Write a comparison, such as a > 0."
        )


def _typed(schema: Mapping[str, pl.DataType]) -> str:
    return ", ".join(f"{name} ({dtype})" for name, dtype in schema.items())


def first_line(error: BaseException) -> str:
    r"""What an error of Polars says, without the lines that follow.

    >>> first_line(ValueError("\nno such column.\nhint"))
    'no such column'
    """
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__).rstrip(".")
