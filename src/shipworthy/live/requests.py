"""What a caller may send: the contract of a release, and the requests that keep it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any

import msgspec
import polars as pl

from shipworthy.data.contract import Contract as RowContract
from shipworthy.data.contract import Expected
from shipworthy.data.guard import Guard
from shipworthy.errors import InvalidInputError
from shipworthy.live.columns import Column, holds_no_number
from shipworthy.live.fields import (
    MAX_ROWS,
    Row,
    all_errors,
    broken_fields,
    has,
    listed,
    members,
    read_field,
    repeated,
    straighten,
    time_limit_errors,
    turned,
)
from shipworthy.live.reader import ASKED, Read, RowReader, decodes
from shipworthy.live.refusals import MOST_ERRORS, FieldError, RefusedError, wrong_fields
from shipworthy.problem import Period, Problem

_FEW = 200
"""Up to how many rows a frame is made row by row."""

_PERIODS = 1000
"""How many periods are remembered as they stand in JSON."""


@dataclass(frozen=True, kw_only=True)
class DecideRequest:
    """A moment of deciding as it was asked for, every field checked.

    Attributes:
        contract: The contract that it was read by.
        period: The period, of the type that the release's own rows have.
        frame: The rows as a policy sees them, in the order of the units.
        units: The units, as JSON values.
        json: The rows in JSON, in the same order; the period is not in them.
        state: The state to decide from; empty where the problem carries none.
        time_limit: Seconds that the caller can wait.
    """

    contract: Contract
    period: Period
    frame: pl.DataFrame
    units: Sequence[Any]
    json: bytes
    state: Mapping[str, Any]
    time_limit: float | None

    @cached_property
    def rows(self) -> list[Row]:
        """The rows as JSON values."""
        rows: list[Row] = msgspec.json.decode(self.json)
        return rows


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
        _ = self.guard, self._rest, self._readers((), {})

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

    @cached_property
    def _decoded(self) -> Mapping[str, Expected]:
        """What the contract expects of columns where the quick reader itself sees to that."""
        expected = self.of_rows.columns if self.of_rows else {}
        return {
            name: expected[name]
            for name, column in self.asked.items()
            if name in expected and decodes(column, expected[name])
        }

    @cached_property
    def _rest(self) -> Guard | None:
        """What is left of `guard` for rows that the quick reader has read."""
        if self.of_rows is None or self.guard is None:
            return None
        columns = {name: one for name, one in self.of_rows.columns.items() if name not in self._decoded}
        rest = Guard(replace(self.of_rows, columns=columns), self.visible)
        return rest if rest.rules else None

    def read_decide(self, body: bytes, optional: Mapping[str, Column] | None = None) -> DecideRequest:
        """Reads the body of a request to decide; rows may also have the `optional` columns.

        Raises:
            RefusedError: a field is wrong; every one is named.
        """
        [read] = self.read_all([body], optional)
        if isinstance(read, RefusedError):
            raise read
        return read

    def read_all(
        self, bodies: Sequence[bytes], optional: Mapping[str, Column] | None = None
    ) -> list[DecideRequest | RefusedError]:
        """Reads several bodies at once, each as `read_decide` would; the good ones of one period share one frame."""
        extra = {name: column for name, column in (optional or {}).items() if name not in self.asked}
        found = [self._read_quickly(body, extra) for body in bodies]
        frames = self._frames([read for read in found if read is not None])
        return [
            self._read_carefully(body, extra)
            if read is None or (frame := next(frames)) is None
            else DecideRequest(
                contract=self,
                period=read.period,
                frame=frame,
                units=read.rows.units,
                json=read.rows.json,
                state=read.asked.state or {},
                time_limit=None if read.asked.time_limit is None else float(read.asked.time_limit),
            )
            for body, read in zip(bodies, found, strict=True)
        ]

    def _read_quickly(self, body: bytes, extra: Mapping[str, Column]) -> Read | None:
        """A body that is right beyond doubt, except for what the problem's contract asks of its rows."""
        try:
            asked = ASKED.decode(body)
            period = self._period_of(asked.period)
        except (msgspec.MsgspecError, ValueError, RecursionError, pl.exceptions.PolarsError):
            return None
        if self._state_errors(asked.state) or time_limit_errors(asked.time_limit):
            return None
        for reader in self._readers(tuple(extra), extra):
            rows = reader.read(asked.rows)
            if rows is not None:
                known = self.units is None or self.units.issuperset(rows.units)
                return Read(asked, period, rows) if known and len(rows.units) <= MAX_ROWS else None
        return None

    def _frames(self, found: Sequence[Read]) -> Iterator[pl.DataFrame | None]:
        """The frame of each; None where its rows break the problem's contract, or cannot be held against it."""
        for period, same in groupby(found, key=lambda read: read.period):
            together = [read.rows.values for read in same]
            frame = self._framed(period, [row for values in together for row in values])
            holds = self._keeps_rules(frame)
            place = 0
            for values in together:
                own = frame.slice(place, len(values))
                place += len(values)
                yield own if holds or (len(together) > 1 and self._keeps_rules(own)) else None

    def _framed(self, period: Period, values: list[Row]) -> pl.DataFrame:
        """As `frame`, of rows that the quick reader has read."""
        types = {name: dtype for name, dtype in self.visible.items() if name != self.problem.period}
        if len(values) > _FEW:  # column by column is faster then
            frame = pl.DataFrame([pl.Series(n, [row[n] for row in values], dtype=dtype) for n, dtype in types.items()])
        else:
            frame = pl.from_dicts(values, schema=types)
        place = list(self.visible).index(self.problem.period)
        dtype = self.types[self.problem.period]
        return frame.insert_column(place, pl.Series(self.problem.period, [period] * len(values), dtype=dtype))

    def _keeps_rules(self, frame: pl.DataFrame) -> bool:
        try:
            return self._rest is None or not self._rest.breaks(frame)
        except InvalidInputError:
            return False

    def _readers(self, names: tuple[str, ...], extra: Mapping[str, Column]) -> list[RowReader]:
        """Readers of rows that have the further columns, and of rows without them."""
        if names not in self._compiled:
            tables = [{**extra, **self.asked}, self.asked] if names else [self.asked]
            self._compiled[names] = [RowReader(table, self.problem.unit, self._decoded) for table in tables]
        return self._compiled[names]

    def _period_of(self, value: str | int) -> Period:
        """What a period in JSON stands for; it is remembered, because the same one is asked for again and again."""
        period = self._periods.get(value)
        if period is None:
            period = self._canonical(self.columns[self.problem.period].read_one(value))
            if len(self._periods) >= _PERIODS:
                self._periods.clear()
            self._periods[value] = period
        return period

    @cached_property
    def _periods(self) -> dict[str | int, Period]:
        return {}

    @cached_property
    def _compiled(self) -> dict[tuple[str, ...], list[RowReader]]:
        return {}

    def _read_carefully(self, body: bytes, optional: Mapping[str, Column]) -> DecideRequest | RefusedError:
        """Looks at every field, one by one, and names what is wrong."""
        try:
            content = members(body, {"period", "rows"}, {"state", "time_limit"})
            errors = [*self._state_errors(content.get("state")), *time_limit_errors(content.get("time_limit"))]
            period, wrong = read_field("period", self.columns[self.problem.period], content["period"])
            rows = listed(content["rows"])
            optional = {name: column for name, column in optional.items() if rows[:1] and has(rows[0], name)}
            errors = [*wrong, *errors, *self._row_errors(rows, {**optional, **self.asked})]
            errors = errors or self.broken_rules(self._canonical(period), rows)
            if errors:
                return wrong_fields(errors)
        except RefusedError as refusal:
            return refusal
        unit = self.columns[self.problem.unit]
        rows = sorted(rows, key=lambda row: unit.rank(row[unit.name]))
        return DecideRequest(
            contract=self,
            period=self._canonical(period),
            frame=self.frame(self._canonical(period), rows),
            units=[row[unit.name] for row in rows],
            json=msgspec.json.encode(rows),
            state=content.get("state") or {},
            time_limit=None if content.get("time_limit") is None else float(content["time_limit"]),
        )

    def asks_no_more_than(self, other: Contract) -> bool:
        """Whether every request that keeps the other contract keeps this one too."""
        if other is self:
            return True
        same_rules = self.guard is None or (self.of_rows == other.of_rows and self.visible == other.visible)
        return same_rules and self.asked.keys() <= other.asked.keys()

    def read_logged(self, entry: Mapping[str, Any]) -> DecideRequest:
        """The request that a decision log's entry was made for."""
        period = self._canonical(self.columns[self.problem.period].read_one(entry["period"]))
        return DecideRequest(
            contract=self,
            period=period,
            frame=self.frame(period, entry["rows"]),
            units=[row[self.problem.unit] for row in entry["rows"]],
            json=msgspec.json.encode(entry["rows"]),
            state=entry["state"],
            time_limit=entry.get("time_limit"),
        )

    def frame_of(self, request: DecideRequest) -> pl.DataFrame:
        """The rows of a request, whichever release has read it, as this release's policy sees them."""
        if request.contract is self or request.contract.visible == self.visible:
            return request.frame
        return self.frame(request.period, request.rows)

    def broken_rules(self, period: Period, rows: Sequence[Row]) -> list[FieldError]:
        """Which of the rows break which rule of the problem's contract; a column may be absent, and counts as empty."""
        if self.guard is None:
            return []
        frame = self.frame(period, rows)
        try:
            return broken_fields(self.guard, frame, self.problem.period) if self.guard.breaks(frame) else []
        except InvalidInputError as error:
            return [FieldError("rows", f"cannot be held against the contract: {error}")]

    def read_outcomes(self, body: bytes) -> list[Row]:
        """Reads the body of posted outcomes: its rows, as JSON values.

        Raises:
            RefusedError: a field is wrong; every one is named.
        """
        rows = listed(members(body, {"rows"}, set())["rows"])
        errors = all_errors(rows, self.settled, self.known_after, self._why_extra_outcome)
        if not errors:
            straighten(rows, {**self.settled, **self.known_after})
            for row in rows:
                row[self.problem.period] = self.written(row[self.problem.period])
            keys = [tuple(row[name] for name in self.problem.key) for row in rows]
            errors = [*repeated(keys, self.problem.unit), *self._unknown_units(rows)]
        if errors:
            raise wrong_fields(errors)
        return rows

    def written(self, period: Any) -> Any:
        """A period in JSON as all logs have it, so that it is found again however it was sent: a time has many forms."""
        return msgspec.to_builtins(self._period_of(period))

    def frame(self, period: Period, rows: Sequence[Row]) -> pl.DataFrame:
        """The rows as a policy sees them: the same columns, types and order as in the replay."""
        return self.to_frame(({self.problem.period: period, **row} for row in rows), self.visible)

    def to_frame(self, rows: Iterator[Row], types: Mapping[str, pl.DataType]) -> pl.DataFrame:
        """A frame of checked rows; what a row does not have is null."""
        written = [column for name, column in self.columns.items() if name in types and column.is_written_otherwise]
        made = (
            [{**row, **{c.name: turned(c, row.get(c.name)) for c in written}} for row in rows]
            if written
            else list(rows)
        )
        return pl.from_dicts(made, schema=dict(types))

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
            errors = all_errors(rows, columns, {}, self._why_extra)
            if errors:
                return errors
            straighten(rows, columns)
        return [*repeated([(row[self.problem.unit],) for row in rows], self.problem.unit), *self._unknown_units(rows)]

    def _unknown_units(self, rows: list[Row]) -> list[FieldError]:
        unit = self.problem.unit
        if self.units is None or self.units.issuperset(row[unit] for row in rows):
            return []
        known = ", ".join(map(str, sorted(self.units, key=str)[:MOST_ERRORS]))
        return [
            FieldError(f"rows[{place}].{unit}", f"is {row[unit]!r}, which the release does not know. It knows: {known}")
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
