"""The careful look at a request: field by field, so that every wrong one is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import polars as pl

from shipworthy.data.guard import Guard
from shipworthy.live.columns import Column, holds_no_number
from shipworthy.live.refusals import MOST_ERRORS, FieldError, RefusedError, wrong_fields

MAX_ROWS = 50_000
"""How many rows one request may hold."""

MAX_SECONDS = 3600.0
"""The longest time limit that a request may ask for."""

MAX_KEY = 255
"""How many characters an Idempotency-Key may have."""

Row = dict[str, Any]


def read_key(key: str | None) -> str | None:
    """Checks an Idempotency-Key.

    >>> read_key("order-17")
    'order-17'
    """
    if key is None or (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        return key
    error = FieldError("Idempotency-Key", f"must have 1 to {MAX_KEY} printable ASCII characters")
    raise RefusedError(400, f"{error.field} {error.detail}", errors=[error])


def members(body: bytes, needed: set[str], optional: set[str]) -> dict[str, Any]:
    """The members of a JSON object that has what is needed and nothing that is not known.

    Raises:
        RefusedError: it is none, or has not.
    """
    content = _decoded(body)
    if type(content) is not dict:
        raise RefusedError(422, f"The body must be a JSON object with {', '.join(sorted(needed))}.")
    errors = [FieldError(name, "is missing") for name in sorted(needed - content.keys())]
    known = ", ".join(sorted(needed | optional))
    errors += [
        FieldError(_short(name), f"is not known here. There is: {known}") for name in content.keys() - needed - optional
    ]
    if errors:
        raise wrong_fields(errors)
    return content


def _decoded(body: bytes) -> Any:
    """Reads strict JSON. NaN, Infinity and 1e999 are none, but are let through to be named by their field."""
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        raise RefusedError(400, "The body is nested too deeply.") from None
    except msgspec.MsgspecError as error:
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            content = None
        if type(content) is dict and holds_no_number(content):
            return content
        raise RefusedError(400, f"The body is not JSON: {error}.") from None


def listed(rows: Any) -> list[Any]:
    """The rows, if they are a list of neither none nor too many.

    Raises:
        RefusedError: they are not.
    """
    if type(rows) is not list:
        raise wrong_fields([FieldError("rows", "must be a list of objects, one per unit")])
    if not rows:
        raise wrong_fields([FieldError("rows", "is empty: there is nothing to decide or to note")])
    if len(rows) > MAX_ROWS:
        detail = f"has {len(rows)} rows, more than the {MAX_ROWS} that one request may hold: send several requests"
        raise RefusedError(413, f"rows {detail}", errors=[FieldError("rows", detail)])
    return rows


def all_errors(
    rows: list[Any], needed: Mapping[str, Column], optional: Mapping[str, Column], why_extra: Callable[[str], str]
) -> list[FieldError]:
    """What is wrong with the rows, up to as many errors as one answer lists."""
    errors: list[FieldError] = []
    for place, row in enumerate(rows):
        errors.extend(_errors_of(f"rows[{place}]", row, needed, optional, why_extra))
        if len(errors) >= MOST_ERRORS:
            break
    return errors


def _errors_of(
    where: str, row: Any, needed: Mapping[str, Column], optional: Mapping[str, Column], why_extra: Callable[[str], str]
) -> Iterator[FieldError]:
    if type(row) is not dict:
        yield FieldError(where, "must be an object with one member per column")
        return
    for name, column in {**needed, **optional}.items():
        if name in row:
            yield from read_field(f"{where}.{name}", column, row[name])[1]
        elif name in needed:
            yield FieldError(f"{where}.{name}", "is missing")
    for name in row:
        if name not in needed and name not in optional:
            yield FieldError(f"{where}.{_short(name)}", why_extra(name))


def read_field(field: str, column: Column, value: Any) -> tuple[Any, list[FieldError]]:
    """What a value stands for, or what is wrong with it."""
    try:
        return column.read_one(value), []
    except ValueError as error:
        return None, [FieldError(field, str(error))]


def straighten(rows: list[Row], columns: Mapping[str, Column]) -> None:
    """Writes numbers as their column has them: 3.0 as 3 in a column of integers."""
    for name, column in columns.items():
        if column.kind in {"integer", "number"}:
            for row in rows:
                if name in row:
                    row[name] = column.read_one(row[name])


def turned(column: Column, value: Any) -> Any:
    """A JSON value as Polars wants it; the period was turned before."""
    return column.read_one(value) if type(value) in {str, int, float} else value


def repeated(keys: list[tuple[Any, ...]], unit: str) -> list[FieldError]:
    """Which rows have a key that another one has already."""
    if len(set(keys)) == len(keys):
        return []
    first: dict[tuple[Any, ...], int] = {}
    return [
        FieldError(f"rows[{place}].{unit}", f"is {key[-1]!r}, as in rows[{first[key]}]: each may stand once")
        for place, key in enumerate(keys)
        if first.setdefault(key, place) != place
    ]


def time_limit_errors(limit: Any) -> list[FieldError]:
    """What is wrong with a time limit."""
    if limit is None or (type(limit) in {int, float} and 0 < limit <= MAX_SECONDS):
        return []
    return [FieldError("time_limit", f"must be a number of seconds above 0 and up to {MAX_SECONDS:g}")]


def has(row: Any, name: str) -> bool:
    """Whether it is a row with that column."""
    return type(row) is dict and name in row


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:57]}..."


def broken_fields(guard: Guard, frame: pl.DataFrame, period: str) -> list[FieldError]:
    """Which rows of a frame break which rule, each named once; `period` is the period's column."""
    found: dict[FieldError, None] = {}
    for rule, broken in zip(guard.rules, guard.broken(frame), strict=True):
        for place in broken.fill_null(value=False).arg_true():
            where = f"rows[{place}]{f'.{rule.columns[0]}' if len(rule.columns) == 1 else ''}"
            found[FieldError("period" if rule.columns == (period,) else where, rule.says)] = None
    return list(found)
