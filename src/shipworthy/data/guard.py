"""A contract compiled to Polars expressions: once for the rows of a snapshot, once for the requests to a release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from polars import selectors

from shipworthy.data.contract import Contract, Expected
from shipworthy.data.sql_rule import FAULTS, compile_rule, first_line
from shipworthy.errors import InvalidInputError

_MOST_LISTED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that must hold of rows.

    Attributes:
        columns: The columns that it is about.
        says: How a row breaks it; it reads on after the column's name where it is about one.
        broken: True for each row that breaks it.
    """

    columns: tuple[str, ...]
    says: str
    broken: pl.Expr

    @property
    def reason(self) -> str:
        """How it stands beside a row that breaks it.

        >>> Rule(columns=("price",), says="is below 0", broken=pl.col("price") < 0).reason
        'price is below 0'
        """
        return f"{self.columns[0]} {self.says}" if len(self.columns) == 1 else self.says


class Guard:
    r"""What a contract asks of rows with certain columns; it may be used from several threads.

    Attributes:
        rules: All that it asks.

    >>> from shipworthy.data.contract import parse_contract
    >>> contract = parse_contract(b'[columns]\nprice = { type = "number", min = 0 }', "contracts/shop.toml")
    >>> guard = Guard(contract, {"price": pl.Float64()})
    >>> guard.breaks(pl.DataFrame({"price": [2.0, -1.0]}))
    True
    """

    def __init__(self, contract: Contract, schema: Mapping[str, pl.DataType]) -> None:
        """Compiles what the contract asks of these columns; what mentions any other is left out.

        Raises:
            InvalidInputError: a pattern or a rule cannot be read, or does not fit the columns.
        """
        self._file = contract.file
        self.rules: Sequence[Rule] = [
            *(
                rule
                for name, expected in contract.columns.items()
                if name in schema
                for rule in _of_column(contract.file, name, expected, schema[name])
            ),
            *_of_rows(contract, schema),
        ]
        self._flags = [rule.broken.alias(str(place)) for place, rule in enumerate(self.rules)]

    def breaks(self, rows: pl.DataFrame) -> bool:
        """Whether any row breaks any rule: one select, and none where there is no rule.

        Raises:
            InvalidInputError: a rule cannot be evaluated on these rows.
        """
        return bool(self.rules) and any(flag.any() for flag in self.broken(rows))

    def broken(self, rows: pl.DataFrame) -> Iterator[pl.Series]:
        """For each rule in their order, whether each row breaks it; null where that cannot be known, which breaks nothing.

        Raises:
            InvalidInputError: a rule cannot be evaluated on these rows.
        """
        try:
            return rows.select(self._flags).iter_columns()
        except FAULTS:
            return iter([self._flag(rule, rows) for rule in self.rules])

    def _flag(self, rule: Rule, rows: pl.DataFrame) -> pl.Series:
        try:
            return rows.select(rule.broken).to_series()
        except FAULTS as error:
            raise InvalidInputError(
                f"{self._file}: whether a row {rule.says} cannot be told of these rows: {first_line(error)}"
            ) from error


def without_nan(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with null for NaN, as contracts see them: it is no number, and no value."""
    return rows.with_columns(selectors.float().fill_nan(None))


def _of_column(file: str, name: str, expected: Expected, dtype: pl.DataType) -> Iterator[Rule]:
    column = pl.col(name)

    def rule(says: str, broken: pl.Expr) -> Rule:
        return Rule(columns=(name,), says=says, broken=broken)

    if expected.required:
        yield rule("is empty", column.is_null())
    if dtype == pl.Null:
        return
    bounds = _outside(expected)
    if bounds is not None:
        _refuse_other_zone(file, name, expected, dtype)
        yield rule(bounds, _broken_bounds(column, expected))
    text = column.cast(pl.String) if expected.type == "text" and dtype != pl.String else column
    if expected.one_of:
        listed = ", ".join(map(str, expected.one_of[:_MOST_LISTED]))
        more = len(expected.one_of) - _MOST_LISTED
        yield rule(f"is none of {listed}{f' and {more} more' if more > 0 else ''}", ~text.is_in(list(expected.one_of)))
    if expected.pattern is not None:
        whole = rf"\A(?:{expected.pattern})\z"
        _refuse_no_pattern(file, name, whole)
        yield rule(f"does not match {expected.pattern}", ~text.str.contains(whole))


def _outside(expected: Expected) -> str | None:
    """How a value breaks the bounds, in words; None where there are none."""
    if expected.min is None and expected.max is None:
        return None
    if expected.max is None:
        return f"is below {expected.min}"
    if expected.min is None:
        return f"is above {expected.max}"
    return f"is outside {expected.min} to {expected.max}"


def _broken_bounds(column: pl.Expr, expected: Expected) -> pl.Expr:
    if expected.max is None:
        return column < expected.min
    if expected.min is None:
        return column > expected.max
    return ~column.is_between(pl.lit(expected.min), pl.lit(expected.max))


def _refuse_other_zone(file: str, name: str, expected: Expected, dtype: pl.DataType) -> None:
    zone = getattr(dtype, "time_zone", None)
    for field in ("min", "max"):
        bound = getattr(expected, field)
        if expected.type == "datetime" and bound is not None and (bound.tzinfo is None) != (zone is None):
            needs = f"has the time zone {zone}: write an offset" if zone else "has no time zone: write no offset"
            raise InvalidInputError(f"{file}: columns.{name}.{field} is {bound}, but the column {needs}.")


def _refuse_no_pattern(file: str, name: str, pattern: str) -> None:
    try:
        pl.Series([""]).str.contains(pattern)
    except FAULTS as error:
        raise InvalidInputError(
            f"{file}: columns.{name}.pattern is no regular expression: {first_line(error)}. Correct it there."
        ) from error


def _of_rows(contract: Contract, schema: Mapping[str, pl.DataType]) -> Iterator[Rule]:
    for name, text in contract.rules.items():
        compiled = compile_rule(contract, name, schema)
        if compiled is not None:
            holds, columns = compiled
            yield Rule(columns=columns, says=f"breaks {name}: {text}", broken=~holds)
