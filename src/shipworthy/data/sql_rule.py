"""The rules of a contract over several columns: SQL, read and proved to be about one row at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from shipworthy.data.contract import Contract
from shipworthy.errors import InvalidInputError

FAULTS = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What Polars raises for an expression that it cannot read or evaluate."""


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
    if not columns:
        raise InvalidInputError(f"{where} mentions no column. Write what must hold of every row.")
    return holds.meta.undo_aliases(), columns


def _refuse_no_truth(where: str, holds: pl.Expr, columns: Sequence[str], schema: Mapping[str, pl.DataType]) -> None:
    """Refuses a rule that is not true or false of each row by itself."""
    own = {name: schema[name] for name in columns}
    try:
        found = pl.LazyFrame(schema=own).select(holds).collect_schema().dtypes()
        mixes = any(_mixes_rows(part) for part in _parts(holds, own))
    except FAULTS as error:
        raise InvalidInputError(
            f"{where} does not fit the columns {_typed(own)}: {first_line(error)}. Correct it there."
        ) from error
    if mixes or not holds.meta.is_length_preserving():
        raise InvalidInputError(
            f"{where} looks at several rows, which a request does not have. Ask only about the columns of one row."
        )
    if found != [pl.Boolean]:
        raise InvalidInputError(
            f"{where} gives {', '.join(map(str, found))}, not true or false. Write a comparison, such as a > 0."
        )


def _parts(expression: pl.Expr, schema: Mapping[str, pl.DataType]) -> Iterator[pl.Expr]:
    yield expression
    for part in expression.meta.pop(schema=dict(schema)):
        yield from _parts(part, schema)


def _mixes_rows(part: pl.Expr) -> bool:
    """Whether a part of an expression is an aggregate, or a window, over other rows."""
    text = str(part)
    aggregated = (
        part.meta.is_scalar() and not part.meta.is_literal() and (bool(part.meta.root_names()) or "len()" in text)
    )
    return aggregated or ".over(" in text


def _typed(schema: Mapping[str, pl.DataType]) -> str:
    return ", ".join(f"{name} ({dtype})" for name, dtype in schema.items())


def first_line(error: BaseException) -> str:
    r"""What an error of Polars says, without the lines that follow.

    >>> first_line(ValueError("\nno such column.\nhint"))
    'no such column'
    """
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__).rstrip(".")
