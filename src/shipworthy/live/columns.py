"""One column of a request: which JSON values it takes, and what it makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from math import isfinite
from typing import Any, Literal

import polars as pl

Kind = Literal["boolean", "integer", "number", "string", "choice", "date", "datetime", "decimal", "other"]

_PLAIN: dict[Kind, frozenset[type]] = {
    "boolean": frozenset({bool}),
    "integer": frozenset({int}),
    "number": frozenset({float, int}),
    "string": frozenset({str}),
}
"""The types whose values need no further look, except for the bounds of integers."""

_LARGEST = 2.0**63
"""Larger numbers, and NaN, which is neither larger nor smaller, are looked at one by one."""

LARGEST_FLOAT32 = 3.4e38
"""Larger numbers do not fit into a Float32."""

FIRST_DAY, LAST_DAY = date(1700, 1, 1), date(2250, 12, 31)
"""Further away an instant does not fit into 64 bits of nanoseconds, and spans of time run off the calendar."""


@dataclass(frozen=True)
class Column:
    """A column by name and type; `required` where null is no value.

    >>> Column("size", pl.Int8(), required=True).read_one(7.0)
    7
    >>> Column("size", pl.Int8(), required=True).read_one(700)
    Traceback (most recent call last):
    ...
    ValueError: must be an integer from -128 to 127, not 700
    """

    name: str
    dtype: pl.DataType
    required: bool = False

    @cached_property
    def kind(self) -> Kind:
        """The kind of JSON value that it takes."""
        dtype = self.dtype
        if dtype.is_integer():
            return "integer"
        if dtype.is_float():
            return "number"
        if dtype.is_decimal():
            return "decimal"
        named: list[tuple[Any, Kind]] = [
            (pl.Boolean, "boolean"),
            (pl.String, "string"),
            (pl.Categorical, "string"),
            (pl.Enum, "choice"),
            (pl.Date, "date"),
            (pl.Datetime, "datetime"),
        ]
        return next((kind for known, kind in named if dtype == known), "other")

    @cached_property
    def bounds(self) -> tuple[int, int]:
        """The least and the greatest integer, where it holds integers."""
        low, high = pl.select(
            pl.lit(0).cast(self.dtype).lower_bound(), high=pl.lit(0).cast(self.dtype).upper_bound()
        ).row(0)
        return int(low), int(high)

    @cached_property
    def choices(self) -> tuple[str, ...]:
        """The strings that it takes, where they are a closed set."""
        return tuple(self.dtype.categories.to_list()) if isinstance(self.dtype, pl.Enum) else ()

    @property
    def is_float32(self) -> bool:
        """Whether it holds numbers of half the usual size."""
        return self.dtype == pl.Float32

    @property
    def is_written_otherwise(self) -> bool:
        """Whether JSON writes its values in another form than Polars takes them."""
        return self.kind not in _PLAIN

    def takes(self, values: Sequence[Any]) -> bool:
        """Whether all values can be used as they are: the quick look, which never accepts a wrong one."""
        types = set(map(type, values))
        if type(None) in types:
            if self.required:
                return False
            types.discard(type(None))
            values = [value for value in values if value is not None]
        if not types <= _PLAIN.get(self.kind, frozenset()):
            return False
        if not types:
            return True
        if self.kind == "integer":
            low, high = self.bounds
            return bool(low <= min(values) and max(values) <= high)
        return self.kind != "number" or bool(-_LARGEST < min(values) <= max(values) < _LARGEST)

    def rank(self, value: Any) -> Any:
        """What a JSON value is sorted by, so that rows come in the order in which Polars sorts them."""
        if self.kind == "choice":
            return self.choices.index(value)
        return self.read_one(value) if self.is_written_otherwise else value

    def read_one(self, value: Any) -> Any:
        """The Python value that a JSON value stands for.

        Raises:
            ValueError: it is of another kind; the message reads on after the field's name.
        """
        if value is None:
            if self.required:
                raise ValueError("must not be null")
            return None
        return _READERS[self.kind](self, value)


def _boolean(column: Column, value: Any) -> bool:
    del column
    if type(value) is not bool:
        raise ValueError(f"must be true or false, not {_shown(value)}")
    return value


def _integer(column: Column, value: Any) -> int:
    low, high = column.bounds
    whole = type(value) is int or (type(value) is float and value.is_integer())
    if not whole or not low <= value <= high:
        raise ValueError(f"must be an integer from {low} to {high}, not {_shown(value)}")
    return int(value)


def _number(column: Column, value: Any) -> float:
    if type(value) not in {int, float}:
        raise ValueError(f"must be a number, not {_shown(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if not isfinite(number) or (column.is_float32 and abs(number) > LARGEST_FLOAT32):
        raise ValueError("must be a finite number of its type: NaN and infinity are none")
    return number


def _string(column: Column, value: Any) -> str:
    del column
    if type(value) is not str:
        raise ValueError(f"must be a string, not {_shown(value)}")
    return value


def _choice(column: Column, value: Any) -> str:
    if value not in column.choices:
        raise ValueError(f"must be one of {', '.join(column.choices[:20])}, not {_shown(value)}")
    return str(value)


def _date(column: Column, value: Any) -> date:
    del column
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"must be a date such as '2026-01-31', not {_shown(value)}") from None
    if len(value) != len("2026-01-31"):
        raise ValueError(f"must be a date written as YYYY-MM-DD, not {_shown(value)}")
    _refuse_far(day)
    return day


def _datetime(column: Column, value: Any) -> datetime:
    zone = getattr(column.dtype, "time_zone", None)
    example = "2026-01-31T06:00:00+01:00" if zone else "2026-01-31T06:00:00"
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"must be a time such as {example!r}, not {_shown(value)}") from None
    if (at.tzinfo is None) == bool(zone):
        raise ValueError(
            f"must be a time {'with' if zone else 'without'} an offset, such as {example!r}, not {_shown(value)}"
        )
    _refuse_far(at)
    return at


def _decimal(column: Column, value: Any) -> Decimal:
    del column
    try:
        number = Decimal(str(value)) if type(value) in {int, float, str} else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise ValueError(f"must be a number, not {_shown(value)}")
    return number


def _other(column: Column, value: Any) -> Any:
    if holds_no_number(value):
        raise ValueError("must be finite throughout: NaN and infinity are no numbers")
    try:
        return pl.Series([value], dtype=column.dtype, strict=True).to_list()[0]
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
        raise ValueError(f"must be a {column.dtype}, not {_shown(value)}") from None


def holds_no_number(content: Any) -> bool:
    """Whether NaN or an infinity is anywhere in a JSON value.

    >>> holds_no_number({"charge": [1.0, float("nan")]}), holds_no_number([1.0, "nan"])
    (True, False)
    """
    if isinstance(content, dict):
        return any(map(holds_no_number, content.values()))
    if isinstance(content, list):
        return any(map(holds_no_number, content))
    return isinstance(content, float) and not isfinite(content)


def _refuse_far(day: date) -> None:
    if not FIRST_DAY.year <= day.year <= LAST_DAY.year:
        raise ValueError(f"must lie between the years {FIRST_DAY.year} and {LAST_DAY.year}")


def _shown(value: Any) -> str:
    text = (
        {True: "true", False: "false", None: "null"}.get(value) if value is None or type(value) is bool else repr(value)
    )
    text = str(text)
    return text if len(text) <= 60 else f"{text[:57]}..."


_READERS: dict[Kind, Callable[[Column, Any], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "string": _string,
    "choice": _choice,
    "date": _date,
    "datetime": _datetime,
    "decimal": _decimal,
    "other": _other,
}
