"""What a caller may send: the contract of a release, and the requests that keep it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import polars as pl

from shipworthy.data.contract import Contract as RowContract
from shipworthy.data.guard import Guard
from shipworthy.errors import InvalidInputError
from shipworthy.live.columns import Column, holds_no_number
from shipworthy.live.refusals import MOST_ERRORS, FieldError, RefusedError, wrong_fields
from shipworthy.problem import Period, Problem

MAX_ROWS = 50_000
"""How many rows one request may hold."""

MAX_SECONDS = 3600.0
"""The longest time limit that a request may ask for."""

MAX_KEY = 255
"""How many characters an Idempotency-Key may have."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideRequest:
    """A moment of deciding as it was asked for, every field checked.

    Attributes:
        period: The period, of the type that the release's own rows have.
        rows: One row per unit in the order of the units, as JSON values; the period is not in them.
        state: The state to decide from; empty where the problem carries none.
        time_limit: Seconds that the caller can wait.
    """

    period: Period
    rows: list[Row]
    state: Mapping[str, Any]
    time_limit: float | None


@dataclass(frozen=True)
class Contract:
    """What requests to one release must look like.

    Attributes:
        problem: The problem as the release declares it.
        types: Every column of the release's rows and its type: period, unit, known and hidden ones.
        units: The units it may be asked for, as JSON values; None where new ones are normal.
        of_rows: What the problem's own contract asks of every row; None where it has none.
    """

    problem: Problem
    types: Mapping[str, pl.DataType]
    units: frozenset[Any] | None
    of_rows: RowContract | None = None

    def __post_init__(self) -> None:
        """Compiles what is asked of rows, before the first request comes."""
        _ = self.guard

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """Every column, in the order of the release's rows."""
        return {name: Column(name, dtype, name in self.problem.key) for name, dtype in self.types.items()}

    @cached_property
    def asked(self) -> Mapping[str, Column]:
        """The columns of a row to be decided: without the period, which stands once, and without what is hidden."""
        left_out = {self.problem.period, *self.problem.hidden}
        return {name: column for name, column in self.columns.items() if name not in left_out}

    @cached_property
    def settled(self) -> Mapping[str, Column]:
        """The columns that a posted outcome must have."""
        return {name: self.columns[name] for name in (*self.problem.key, self.problem.outcome)}

    @cached_property
    def known_after(self) -> Mapping[str, Column]:
        """The columns that a posted outcome may have."""
        return {name: self.columns[name] for name in self.problem.known_after if name in self.columns}

    @cached_property
    def visible(self) -> Mapping[str, pl.DataType]:
        """The frame that a policy sees, column by column: the same order as in the replay."""
        return {name: dtype for name, dtype in self.types.items() if name not in self.problem.hidden}

    @cached_property
    def guard(self) -> Guard | None:
        """What the problem's contract asks of the columns known before deciding; None where it asks nothing of them."""
        guard = Guard(self.of_rows, self.visible) if self.of_rows else None
        return guard if guard and guard.rules else None

    def read_decide(self, body: bytes, optional: Mapping[str, Column] | None = None) -> DecideRequest:
        """Reads the body of a request to decide; rows may also have the `optional` columns.

        Raises:
            RefusedError: a field is wrong; every one is named.
        """
        content = _members(body, {"period", "rows"}, {"state", "time_limit"})
        errors = [*self._state_errors(content.get("state")), *_time_limit_errors(content.get("time_limit"))]
        period, wrong = _read_field("period", self.columns[self.problem.period], content["period"])
        rows = _listed(content["rows"])
        optional = {name: column for name, column in (optional or {}).items() if rows[:1] and _has(rows[0], name)}
        errors = [*wrong, *errors, *self._row_errors(rows, {**optional, **self.asked})]
        errors = errors or self.broken_rules(self._canonical(period), rows)
        if errors:
            raise wrong_fields(errors)
        unit = self.columns[self.problem.unit]
        return DecideRequest(
            period=self._canonical(period),
            rows=sorted(rows, key=lambda row: unit.rank(row[unit.name])),
            state=content.get("state") or {},
            time_limit=None if content.get("time_limit") is None else float(content["time_limit"]),
        )

    def read_logged(self, entry: Mapping[str, Any]) -> DecideRequest:
        """The request that a decision log's entry was made for."""
        return DecideRequest(
            period=self._canonical(self.columns[self.problem.period].read_one(entry["period"])),
            rows=entry["rows"],
            state=entry["state"],
            time_limit=entry.get("time_limit"),
        )

    def broken_rules(self, period: Period, rows: Sequence[Row]) -> list[FieldError]:
        """Which of the rows break which rule of the problem's contract; a column may be absent, and counts as empty."""
        if self.guard is None:
            return []
        frame = self.frame(period, rows)
        try:
            return self._named(self.guard, frame) if self.guard.breaks(frame) else []
        except InvalidInputError as error:
            return [FieldError("rows", f"cannot be held against the contract: {error}")]

    def read_outcomes(self, body: bytes) -> list[Row]:
        """Reads the body of posted outcomes: its rows, as JSON values.

        Raises:
            RefusedError: a field is wrong; every one is named.
        """
        rows = _listed(_members(body, {"rows"}, set())["rows"])
        errors = _all_errors(rows, self.settled, self.known_after, self._why_extra_outcome)
        if not errors:
            _straighten(rows, {**self.settled, **self.known_after})
            keys = [tuple(row[name] for name in self.problem.key) for row in rows]
            errors = [*_repeated(keys, self.problem.unit), *self._unknown_units(rows)]
        if errors:
            raise wrong_fields(errors)
        return rows

    def frame(self, period: Period, rows: Sequence[Row]) -> pl.DataFrame:
        """The rows as a policy sees them: the same columns, types and order as in the replay."""
        return self.to_frame(({self.problem.period: period, **row} for row in rows), self.visible)

    def to_frame(self, rows: Iterator[Row], types: Mapping[str, pl.DataType]) -> pl.DataFrame:
        """A frame of checked rows; what a row does not have is null."""
        turned = [column for name, column in self.columns.items() if name in types and column.is_written_otherwise]
        made = (
            [{**row, **{c.name: _turned(c, row.get(c.name)) for c in turned}} for row in rows] if turned else list(rows)
        )
        return pl.from_dicts(made, schema=dict(types))

    def _named(self, guard: Guard, frame: pl.DataFrame) -> list[FieldError]:
        found: dict[FieldError, None] = {}
        for rule, broken in zip(guard.rules, guard.broken(frame), strict=True):
            for place in broken.fill_null(value=False).arg_true():
                where = f"rows[{place}]{f'.{rule.columns[0]}' if len(rule.columns) == 1 else ''}"
                about_period = rule.columns == (self.problem.period,)
                found[FieldError("period" if about_period else where, rule.says)] = None
        return list(found)

    def _canonical(self, period: Any) -> Period:
        """The very value that the rows would give for it: same precision, same time zone."""
        value: Period = pl.Series([period], dtype=self.types[self.problem.period]).to_list()[0]
        return value

    def _row_errors(self, rows: list[Any], columns: Mapping[str, Column]) -> list[FieldError]:
        """The quick look at everything; only where it finds something, the slow one that can name it."""
        names = columns.keys()
        clean = all(type(row) is dict and row.keys() == names for row in rows) and all(
            column.takes([row[name] for row in rows]) for name, column in columns.items()
        )
        if not clean:
            errors = _all_errors(rows, columns, {}, self._why_extra)
            if errors:
                return errors
            _straighten(rows, columns)
        return [*_repeated([(row[self.problem.unit],) for row in rows], self.problem.unit), *self._unknown_units(rows)]

    def _unknown_units(self, rows: list[Row]) -> list[FieldError]:
        unit = self.problem.unit
        if self.units is None or self.units.issuperset(row[unit] for row in rows):
            return []
        listed = ", ".join(map(str, sorted(self.units, key=str)[:MOST_ERRORS]))
        return [
            FieldError(
                f"rows[{place}].{unit}", f"is {row[unit]!r}, which the release does not know. It knows: {listed}"
            )
            for place, row in enumerate(rows)
            if row[unit] not in self.units
        ]

    def _why_extra(self, name: str) -> str:
        if name in self.problem.hidden:
            return "is known only after deciding, so no policy may see it: post it to /v1/outcomes once it is known"
        if name == self.problem.period:
            return "must not stand in a row: the period stands once, beside rows"
        if name in self.problem.decisions:
            return "is what is to be decided: leave it out"
        return f"is no column of this problem. It has: {', '.join(self.asked)}"

    def _why_extra_outcome(self, name: str) -> str:
        del name
        return f"is no outcome. A row has: {', '.join([*self.settled, *self.known_after])}"

    def _state_errors(self, state: Any) -> list[FieldError]:
        if state is not None and type(state) is not dict:
            return [FieldError("state", "must be an object")]
        if holds_no_number(state):
            return [FieldError("state", "must be finite throughout: NaN and infinity are no numbers")]
        if self.problem.next_state is None:
            return [FieldError("state", "is given, but this problem carries none: leave it out")] if state else []
        absent = [name for name in self.problem.initial_state if name not in (state or {})]
        return [
            FieldError(f"state.{name}", "is missing: it is part of what is carried between periods") for name in absent
        ]


def read_key(key: str | None) -> str | None:
    """Checks an Idempotency-Key.

    >>> read_key("order-17")
    'order-17'
    """
    if key is None or (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        return key
    error = FieldError("Idempotency-Key", f"must have 1 to {MAX_KEY} printable ASCII characters")
    raise RefusedError(400, f"{error.field} {error.detail}", errors=[error])


def _members(body: bytes, needed: set[str], optional: set[str]) -> dict[str, Any]:
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


def _listed(rows: Any) -> list[Any]:
    if type(rows) is not list:
        raise wrong_fields([FieldError("rows", "must be a list of objects, one per unit")])
    if not rows:
        raise wrong_fields([FieldError("rows", "is empty: there is nothing to decide or to note")])
    if len(rows) > MAX_ROWS:
        detail = f"has {len(rows)} rows, more than the {MAX_ROWS} that one request may hold: send several requests"
        raise RefusedError(413, f"rows {detail}", errors=[FieldError("rows", detail)])
    return rows


def _all_errors(
    rows: list[Any], needed: Mapping[str, Column], optional: Mapping[str, Column], why_extra: Callable[[str], str]
) -> list[FieldError]:
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
            yield from _read_field(f"{where}.{name}", column, row[name])[1]
        elif name in needed:
            yield FieldError(f"{where}.{name}", "is missing")
    for name in row:
        if name not in needed and name not in optional:
            yield FieldError(f"{where}.{_short(name)}", why_extra(name))


def _read_field(field: str, column: Column, value: Any) -> tuple[Any, list[FieldError]]:
    try:
        return column.read_one(value), []
    except ValueError as error:
        return None, [FieldError(field, str(error))]


def _straighten(rows: list[Row], columns: Mapping[str, Column]) -> None:
    """Writes numbers as their column has them: 3.0 as 3 in a column of integers."""
    for name, column in columns.items():
        if column.kind in {"integer", "number"}:
            for row in rows:
                if name in row:
                    row[name] = column.read_one(row[name])


def _turned(column: Column, value: Any) -> Any:
    """A JSON value as Polars wants it; the period was turned before."""
    return column.read_one(value) if type(value) in {str, int, float} else value


def _repeated(keys: list[tuple[Any, ...]], unit: str) -> list[FieldError]:
    if len(set(keys)) == len(keys):
        return []
    first: dict[tuple[Any, ...], int] = {}
    return [
        FieldError(f"rows[{place}].{unit}", f"is {key[-1]!r}, as in rows[{first[key]}]: each may stand once")
        for place, key in enumerate(keys)
        if first.setdefault(key, place) != place
    ]


def _time_limit_errors(limit: Any) -> list[FieldError]:
    if limit is None or (type(limit) in {int, float} and 0 < limit <= MAX_SECONDS):
        return []
    return [FieldError("time_limit", f"must be a number of seconds above 0 and up to {MAX_SECONDS:g}")]


def _has(row: Any, name: str) -> bool:
    return type(row) is dict and name in row


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:57]}..."
