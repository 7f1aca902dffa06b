"""What is kept in memory of one problem's logs, from a first period on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from shipworthy.errors import UnavailableError
from shipworthy.live.tail import Place, Tail
from shipworthy.log.archive import DECISIONS, OUTCOMES, SHADOWS, Archive, Part

MOST_KEYS = 100_000
"""How many ids are remembered for requests that come again; the log itself keeps all of them."""

_PLANS = 3
"""Of how many periods the plan is kept, per release."""

_PARTS = 64
"""Of how many requests, at most, the plan of one period is put together."""

_ARCHIVED = -1
"""The length of a place that is a row of a part of the archive, not bytes of a segment."""

Key = tuple[Any, Any]
"""A period and a unit, as JSON values."""

Row = dict[str, Any]


class _Answer(msgspec.Struct):
    release: str
    rung: str
    decisions: msgspec.Raw


class _Decision(msgspec.Struct):
    id: str
    at: str
    period: Any
    rows: msgspec.Raw
    answers: dict[str, _Answer]
    releases: dict[str, str] = {}


class _Shadow(msgspec.Struct):
    id: str
    period: Any
    answer: _Answer


class _Head(msgspec.Struct):
    id: str
    at: str


class _Posted(msgspec.Struct):
    at: str
    rows: list[Row]


class _Decided(msgspec.Struct, frozen=True):
    """Where the newest decision about a row is logged."""

    at: str
    place: Place
    id: str


class Remembered:
    """The decisions, shadow answers and outcomes of the periods from `first` on, kept up to date from segments and archive.

    Of a decided row only its place in the log is kept, until its outcome is there. Plans and ids are kept whatever their period.

    Attributes:
        version: Grows whenever a row is settled, or settled otherwise.
        first: The first period that is kept, as a JSON value; None where all are.
    """

    def __init__(self, folder: Path, key: tuple[str, str], archive: Archive | None, first: Any) -> None:
        """Names the folder of the segments, the columns of period and unit, and the archive where there may be one."""
        self.version = 0
        self.first = first
        self._period, self._unit = key
        self._archive = archive
        self._tails = {noun: Tail(folder, noun) for noun in (DECISIONS, OUTCOMES, SHADOWS)}
        self._seen: set[str] = set()
        self._later: list[tuple[str, int, Callable[[], object]]] = []
        self._arrivals = count()
        self._waiting: dict[str, tuple[str, ...]] = {}
        self._places: dict[str, Place] = {}
        self._decided: dict[Key, _Decided] = {}
        self._posted: dict[Key, tuple[str, Row]] = {}
        self._settled: dict[Key, Row] = {}
        self._unsettled: set[Key] = set()
        self._plans: dict[str, dict[Any, deque[bytes]]] = {}
        self._read_units = _units_decoder(self._unit)

    def read(self, until: str | None = None) -> None:
        """Reads what was logged since the last time; what was logged after `until` is noted by a later call.

        The outcomes are taken first and noted last: an outcome is never known without the decision before it. So are the
        shadow's answers.
        """
        outcomes = [line for _, line in self._unread(OUTCOMES)]
        shadows = [line for _, line in self._unread(SHADOWS)]
        for place, line in self._unread(DECISIONS):
            if until is None:
                self._note_decision(place, line)
            else:
                self._hold(line, partial(self._note_decision_at, place))
        for line in outcomes:
            if until is None:
                self._note_outcomes(line)
            else:
                self._hold(line, partial(self._note_held_outcomes, line))
        for line in shadows:
            self._note_shadow(line)
        while self._later and (until is None or self._later[0][0] <= until):
            heappop(self._later)[2]()
        if self._unsettled:
            self._settle()

    def waiting(self, releases: set[str]) -> int:
        """How many decisions wait for what one of these releases would have decided in the shadow."""
        return sum(not releases.isdisjoint(waited) for waited in self._waiting.values())

    def forget_before(self, first: Any) -> None:
        """Lets go of the periods before a later first one."""
        self.first = first
        for kept in (self._decided, self._posted, self._settled):
            for key in [key for key in kept if self._is_before(key[0])]:
                del kept[key]
        self._unsettled = {key for key in self._unsettled if not self._is_before(key[0])}

    def line(self, decision: str) -> bytes | None:
        """The line of a decision by its id; None where it is not remembered."""
        place = self._places.get(decision)
        return None if place is None else self._line_at(place, decision)

    def settled(self) -> tuple[list[Row], list[Row]]:
        """Every decided row with its outcome, and every outcome as it was posted."""
        return list(self._settled.values()), [row for _, row in self._posted.values()]

    def plans(self, release: str) -> dict[Any, deque[bytes]]:
        """What a release decided in the newest periods: lists of decisions, as JSON."""
        return self._plans.get(release, {})

    def close(self) -> None:
        """Lets go of the segments."""
        for tail in self._tails.values():
            tail.close()

    def _unread(self, noun: str) -> Iterator[tuple[Place, bytes]]:
        """What was not read yet: first of parts of the archive, then of segments.

        A segment goes only after the archive has it; so the segments are opened first, and the archive is asked then.
        """
        tail = self._tails[noun]
        if tail.look() and self._archive is not None:
            try:
                yield from self._unread_parts(noun, self._archive)
            except UnavailableError:
                tail.look_again()
                if noun not in self._seen:
                    raise
        yield from tail.read_seen()

    def _unread_parts(self, noun: str, archive: Archive) -> Iterator[tuple[Place, bytes]]:
        parts = archive.parts(noun)
        later = sum(part.count for part in parts)
        for part in parts:
            later -= part.count
            if part.key in self._seen:
                continue
            if self._tails[noun].skip(part.segments) and part.dropped is None:
                if self._is_needed(part, is_last=part is parts[-1]):
                    for row, line in enumerate(archive.lines(part)):
                        yield Place(part.key, row, _ARCHIVED), line.encode()
                elif noun == DECISIONS and later < MOST_KEYS:
                    for row, name in enumerate(archive.ids(part)):
                        self._note_place(name, Place(part.key, row, _ARCHIVED))
            self._seen.add(part.key)
        self._seen.add(noun)

    def _is_needed(self, part: Part, *, is_last: bool) -> bool:
        return is_last or part.periods is None or not self._is_before(part.periods[1])

    def _is_before(self, period: Any) -> bool:
        first = self.first
        return first is not None and isinstance(period, type(first)) and bool(period < first)

    def _hold(self, line: bytes, note: Callable[[str], None]) -> None:
        """Notes it later, by its id, once the time for it has come."""
        try:
            head = _HEADS.decode(line)
        except msgspec.MsgspecError:
            return  # torn: nobody was told of it
        later: Callable[[], object] = partial(note, head.id)
        heappush(self._later, (head.at, next(self._arrivals), later))

    def _note_decision_at(self, place: Place, name: str) -> None:
        self._note_decision(place, self._line_at(place, name))

    def _note_place(self, name: str, place: Place) -> None:
        self._places[name] = place
        if len(self._places) > MOST_KEYS:
            del self._places[next(iter(self._places))]

    def _note_decision(self, place: Place, line: bytes) -> None:
        try:
            decision = _DECISIONS.decode(line)
            units = self._read_units.decode(decision.rows)
        except msgspec.MsgspecError:
            return  # left by a crash, or damaged: `shipworthy.log` says so to whoever counts money with it
        if decision.id in self._places:
            return
        self._note_place(decision.id, place)
        for answer in decision.answers.values():
            self._note_plan(answer, decision.period)
        waited = tuple(release for arm, release in decision.releases.items() if arm not in decision.answers)
        if waited:
            self._waiting[decision.id] = waited
        if self._is_before(decision.period):
            return
        noted = _Decided(decision.at, place, decision.id)
        for row in units:
            key = (decision.period, row.unit)
            if self._decided.get(key, noted).at <= decision.at:
                self._decided[key] = noted
                if key in self._posted:
                    self._unsettled.add(key)

    def _note_shadow(self, line: bytes) -> None:
        try:
            shadow = _SHADOWS.decode(line)
        except msgspec.MsgspecError:
            return
        self._waiting.pop(shadow.id, None)
        self._note_plan(shadow.answer, shadow.period)

    def _note_plan(self, answer: _Answer, period: Any) -> None:
        if answer.rung == "none":
            return
        plans = self._plans.setdefault(answer.release, {})
        plans.setdefault(period, deque(maxlen=_PARTS)).append(bytes(answer.decisions))
        if len(plans) > _PLANS:
            del plans[next(iter(plans))]

    def _note_held_outcomes(self, line: bytes, name: str) -> None:
        del name
        self._note_outcomes(line)

    def _note_outcomes(self, line: bytes) -> None:
        try:
            posted = _OUTCOMES.decode(line)
        except msgspec.MsgspecError:
            return
        for row in posted.rows:
            key = (row.get(self._period), row.get(self._unit))
            if not self._is_before(key[0]) and self._posted.get(key, ("",))[0] <= posted.at:
                self._posted[key] = (posted.at, row)
                self._unsettled.add(key)

    def _settle(self) -> None:
        """Joins decided rows with their outcomes; the log is read once per line, not once per row."""
        found: dict[str, dict[Any, Row]] = {}
        for key in self._unsettled:
            if key not in self._decided:
                continue
            decided = self._decided[key]
            if decided.id not in found:
                found[decided.id] = self._rows_of(decided)
            self._settled[key] = {self._period: key[0], **found[decided.id].get(key[1], {}), **self._posted[key][1]}
        self._unsettled.clear()
        self.version += 1

    def _rows_of(self, decided: _Decided) -> dict[Any, Row]:
        rows: Sequence[Row] = msgspec.json.decode(self._line_at(decided.place, decided.id))["rows"]
        return {row[self._unit]: row for row in rows}

    def _line_at(self, place: Place, name: str) -> bytes:
        if self._archive is not None and place.length == _ARCHIVED:
            return self._archive.line(place.segment, place.offset)
        try:
            return self._tails[DECISIONS].at(place)
        except FileNotFoundError:
            if self._archive is None:
                raise
            return self._archive.moved(DECISIONS, place.segment, name)


_DECISIONS = msgspec.json.Decoder(_Decision)
_OUTCOMES = msgspec.json.Decoder(_Posted)
_SHADOWS = msgspec.json.Decoder(_Shadow)
_HEADS = msgspec.json.Decoder(_Head)


def _units_decoder(unit: str) -> msgspec.json.Decoder[list[Any]]:
    """Reads nothing of a row but its unit: the rest is skipped, which is several times faster."""
    only_unit = msgspec.defstruct("_OnlyUnit", [("unit", Any)], rename={"unit": unit})
    return msgspec.json.Decoder(list[only_unit])  # type: ignore[valid-type]
