"""The quick reader of rows: a decoder made from their columns. What it doubts is left to the careful one, which names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import lt
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import structs

from shipworthy.data.contract import Expected
from shipworthy.live.columns import FIRST_DAY, LARGEST_FLOAT32, LAST_DAY, Column
from shipworthy.problem import Period

_ANYTHING = Expected(type="text")

_INT64 = (-(2**63), 2**63 - 1)


@dataclass(frozen=True, slots=True)
class ReadRows:
    """Rows that keep their columns' types, in the order of their units.

    Attributes:
        values: One mapping per row, as Polars takes it.
        units: The units, as JSON values.
        json: All rows in JSON, on one line.
    """

    values: list[dict[str, Any]]
    units: Sequence[Any]
    json: bytes


class RowReader:
    """Reads lists of objects that have exactly these columns.

    >>> import polars as pl
    >>> reader = RowReader({"dish": Column("dish", pl.String(), True), "price": Column("price", pl.Float64())}, "dish")
    >>> reader.read(b'[{"dish": "soup", "price": 4}]').values
    [{'dish': 'soup', 'price': 4.0}]
    >>> reader.read(b'[{"dish": "soup", "price": "4"}]')
    """

    def __init__(
        self, columns: Mapping[str, Column], unit: str, expected: Mapping[str, Expected] | None = None
    ) -> None:
        """Compiles the decoder; where a column's kind has none, every list is left to the careful reader.

        Args:
            columns: The columns of a row, all of them.
            unit: Which of them names the unit.
            expected: What the problem's contract expects of columns that `decodes` what it expects.
        """
        self._names = tuple(columns)
        self._unit = self._names.index(unit)
        self._choices = columns[unit].choices
        self._dates = tuple(name for name, column in columns.items() if column.kind == "date")
        types = [_type_of(column, (expected or {}).get(name, _ANYTHING)) for name, column in columns.items()]
        self._decoder: msgspec.json.Decoder[list[Any]] | None = None
        if None not in types and columns[unit].kind in {"string", "integer", "choice"}:
            fields = [(f"c{place}", kind) for place, kind in enumerate(types)]
            rename = {f"c{place}": name for place, name in enumerate(self._names)}
            row = msgspec.defstruct("Row", fields, rename=rename, forbid_unknown_fields=True, gc=False)
            self._decoder = msgspec.json.Decoder(list[row])  # type: ignore[valid-type]

    def read(self, raw: bytes | memoryview | msgspec.Raw) -> ReadRows | None:
        """The rows; None where anything about them has to be looked at more closely."""
        if self._decoder is None:
            return None
        try:
            rows = self._decoder.decode(raw)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        tuples = list(map(structs.astuple, rows))
        units = [row[self._unit] for row in tuples]
        if not units or len(set(units)) != len(units):
            return None
        ranks = [self._choices.index(unit) for unit in units] if self._choices else units
        if all(map(lt, ranks, ranks[1:])):
            json = bytes(raw)
        else:
            order = sorted(range(len(ranks)), key=ranks.__getitem__)
            rows, tuples, units = ([given[place] for place in order] for given in (rows, tuples, units))
            json = b"\n"
        if b"\n" in json or b"\r" in json:
            json = msgspec.json.encode(rows)
        values = [dict(zip(self._names, row, strict=True)) for row in tuples]
        if self._dates and any(_is_far(row[name]) for name in self._dates for row in values):
            return None
        return ReadRows(values, units, json)


def decodes(column: Column, expected: Expected) -> bool:
    """Whether the decoder can see to all that is expected of a column, so that no expression has to be evaluated for it."""
    if expected.pattern is not None or (expected.one_of and column.kind != "string"):
        return False
    bounds = [bound for bound in (expected.min, expected.max) if bound is not None]
    if not bounds:
        return True
    return (column.kind == "integer" and all(type(bound) is int for bound in bounds)) or (
        column.kind == "number" and not column.is_float32 and all(type(bound) in {int, float} for bound in bounds)
    )


def _type_of(column: Column, expected: Expected) -> Any:
    """What the decoder is told of a column; None where it cannot be told."""
    kind: Any = {"boolean": bool, "string": str, "number": float, "date": date}.get(column.kind)
    low: Any = expected.min
    high: Any = expected.max
    if column.kind == "integer":
        least, most = column.bounds
        low = max(least, _INT64[0], least if low is None else low)
        high = min(most, _INT64[1], most if high is None else high)
        kind = Annotated[int, msgspec.Meta(ge=low, le=high)]
    elif column.kind == "choice":
        kind = Literal[column.choices]
    elif column.kind == "string" and expected.one_of:
        kind = Literal[tuple(map(str, expected.one_of))]
    elif column.kind == "number" and column.is_float32:
        kind = Annotated[float, msgspec.Meta(ge=-LARGEST_FLOAT32, le=LARGEST_FLOAT32)]
    elif column.kind == "number" and (low is not None or high is not None):
        kind = Annotated[float, msgspec.Meta(ge=low, le=high)]
    return kind if column.required or expected.required or kind is None else kind | None


def _is_far(day: date | None) -> bool:
    return day is not None and not FIRST_DAY <= day <= LAST_DAY


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request to decide, its rows unread."""

    period: str | int
    rows: msgspec.Raw
    state: Any = None
    time_limit: Any = None


ASKED = msgspec.json.Decoder(Asked)


class Read(NamedTuple):
    """What the quick reader made of a body."""

    asked: Asked
    period: Period
    rows: ReadRows
