"""What the service remembers: the decisions that were made, by whoever answered and in the shadow, and how they turned out.

All of it is read from the logs, this worker's own part included, so that every worker knows the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import partial
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from shipworthy.live.decision_log import DECISIONS
from shipworthy.live.fields import Row
from shipworthy.live.tail import Place, Tail

OUTCOMES = "outcomes"
"""What the segments of outcomes are called."""

SHADOWS = "shadows"
"""What the segments of the shadow's answers are called."""

MOST_KEYS = 100_000
"""How many ids are remembered for requests that come again; the log itself keeps all of them."""

_PLANS = 3
"""Of how many periods the plan is kept, per release."""

_PARTS = 64
"""Of how many requests, at most, the plan of one period is put together."""

Key = tuple[Any, Any]
"""A period and a unit, as JSON values."""


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


class _Dated(msgspec.Struct):
    at: str


class _Posted(msgspec.Struct):
    at: str
    rows: list[Row]


class LivePast:
    """The live part of one problem's past, kept up to date from its logs.

    Of a decided row only its place in the log is kept in memory, until its outcome is there. It may be used from
    several threads.

    Attributes:
        key: The columns of period and unit.
        version: Grows whenever a row is settled, or settled otherwise.
    """

    def __init__(self, folder: Path, *, key: tuple[str, str]) -> None:
        """Names the folder of the logs, and the columns of period and unit."""
        self.version = 0
        self.key = key
        self._period, self._unit = key
        self._lock = Lock()
        self._decision_tail = Tail(folder, DECISIONS)
        self._outcome_tail = Tail(folder, OUTCOMES)
        self._shadow_tail = Tail(folder, SHADOWS)
        self._later: list[tuple[str, int, Callable[[], None]]] = []
        self._arrivals = count()
        self._waiting: dict[str, tuple[str, ...]] = {}
        self._places: dict[str, Place] = {}
        self._decided: dict[Key, tuple[str, Place]] = {}
        self._posted: dict[Key, tuple[str, Row]] = {}
        self._settled: dict[Key, Row] = {}
        self._unsettled: set[Key] = set()
        self._plans: dict[str, dict[Any, deque[bytes]]] = {}
        self._read_units = _units_decoder(self._unit)

    def refresh(self, until: str | None = None) -> None:
        """Reads what was logged since the last time.

        The outcomes are taken first and noted last: an outcome is never known without the decision before it. So are the
        shadow's answers.

        Args:
            until: What was logged after this instant is not known yet, and is noted by a later call: so the past is as it was
                then, whenever it is asked for. None means that everything is known.

        Raises:
            OSError: the disk does not answer.
        """
        with self._lock:
            outcomes = [line for _, line in self._outcome_tail.read()]
            shadows = [line for _, line in self._shadow_tail.read()]
            for place, line in self._decision_tail.read():
                if until is None:
                    self._note_decision(place, line)
                else:
                    self._hold(line, partial(self._note_decision_at, place))
            for line in outcomes:
                if until is None:
                    self._note_outcomes(line)
                else:
                    self._hold(line, partial(self._note_outcomes, line))
            for line in shadows:
                self._note_shadow(line)
            while self._later and (until is None or self._later[0][0] <= until):
                heappop(self._later)[2]()
            if self._unsettled:
                self._settle()

    def waiting(self, releases: Collection[str]) -> int:
        """How many decisions wait for what one of these releases would have decided in the shadow."""
        with self._lock:
            return sum(not set(releases).isdisjoint(waited) for waited in self._waiting.values())

    def entry(self, decision: str) -> dict[str, Any] | None:
        """The log's entry of that id; None where nothing was decided under it.

        Raises:
            OSError: the disk does not answer.
        """
        with self._lock:
            place = self._places.get(decision)
            return None if place is None else msgspec.json.decode(self._decision_tail.at(place), type=dict[str, Any])

    def settled(self) -> tuple[int, list[Row], list[Row]]:
        """The version, every decided row with its outcome, and every outcome as it was posted, as JSON values."""
        with self._lock:
            return self.version, list(self._settled.values()), [row for _, row in self._posted.values()]

    def last_plan(self, release: str, before: Any) -> tuple[Any, list[Row]] | None:
        """The newest period before a period that a release decided, with its decisions; None where there is none."""
        with self._lock:
            plans = self._plans.get(release, {})
            earlier = [period for period in plans if period < before]
            if not earlier:
                return None
            parts = list(plans[max(earlier)])
        decided: dict[Any, Row] = {}
        for part in parts:
            decided.update((row[self._unit], row) for row in msgspec.json.decode(part))
        return max(earlier), list(decided.values())

    def close(self) -> None:
        """Lets go of the logs."""
        with self._lock:
            self._decision_tail.close()
            self._outcome_tail.close()
            self._shadow_tail.close()

    def _hold(self, line: bytes, note: Callable[[], None]) -> None:
        try:
            heappush(self._later, (_DATED.decode(line).at, next(self._arrivals), note))
        except msgspec.MsgspecError:
            return

    def _note_decision_at(self, place: Place) -> None:
        self._note_decision(place, self._decision_tail.at(place))

    def _note_decision(self, place: Place, line: bytes) -> None:
        try:
            decision = _DECISIONS.decode(line)
            units = self._read_units.decode(decision.rows)
        except msgspec.MsgspecError:
            return  # left by a crash, or damaged: `read_log` says so to whoever counts money with it
        if decision.id in self._places:
            return
        self._places[decision.id] = place
        if len(self._places) > MOST_KEYS:
            del self._places[next(iter(self._places))]
        noted = (decision.at, place)
        for row in units:
            key = (decision.period, row.unit)
            if self._decided.get(key, noted)[0] <= decision.at:
                self._decided[key] = noted
                if key in self._posted:
                    self._unsettled.add(key)
        for answer in decision.answers.values():
            self._note_plan(answer, decision.period)
        waited = tuple(release for arm, release in decision.releases.items() if arm not in decision.answers)
        if waited:
            self._waiting[decision.id] = waited

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

    def _note_outcomes(self, line: bytes) -> None:
        try:
            posted = _OUTCOMES.decode(line)
        except msgspec.MsgspecError:
            return
        for row in posted.rows:
            key = (row.get(self._period), row.get(self._unit))
            if self._posted.get(key, ("",))[0] <= posted.at:
                self._posted[key] = (posted.at, row)
                self._unsettled.add(key)

    def _settle(self) -> None:
        """Joins decided rows with their outcomes; the log is read once per line, not once per row."""
        found: dict[Place, dict[Any, Row]] = {}
        for key in self._unsettled:
            if key not in self._decided:
                continue
            place = self._decided[key][1]
            if place not in found:
                found[place] = self._rows_at(place)
            self._settled[key] = {self._period: key[0], **found[place].get(key[1], {}), **self._posted[key][1]}
        self._unsettled.clear()
        self.version += 1

    def _rows_at(self, place: Place) -> dict[Any, Row]:
        rows: Sequence[Row] = msgspec.json.decode(self._decision_tail.at(place))["rows"]
        return {row[self._unit]: row for row in rows}


_DECISIONS = msgspec.json.Decoder(_Decision)
_OUTCOMES = msgspec.json.Decoder(_Posted)
_SHADOWS = msgspec.json.Decoder(_Shadow)
_DATED = msgspec.json.Decoder(_Dated)


def _units_decoder(unit: str) -> msgspec.json.Decoder[list[Any]]:
    """Reads nothing of a row but its unit: the rest is skipped, which is several times faster."""
    only_unit = msgspec.defstruct("_OnlyUnit", [("unit", Any)], rename={"unit": unit})
    return msgspec.json.Decoder(list[only_unit])  # type: ignore[valid-type]
