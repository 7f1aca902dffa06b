"""How requests are answered: the arms take the step, the log has it, and only then the caller."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from time import monotonic, perf_counter
from typing import Any
from uuid import uuid4

import msgspec

from shipworthy.errors import ShipworthyError, UnavailableError
from shipworthy.live import metrics
from shipworthy.live.arms import TIME_LIMIT, Entry, answer_of, answer_together, lacking
from shipworthy.live.decision_log import SegmentLog
from shipworthy.live.mixture import answer_in, who_answered, who_is_needed
from shipworthy.live.outcomes import OUTCOMES, LivePast
from shipworthy.live.refusals import FieldError, RefusedError, unavailable
from shipworthy.live.requests import DecideRequest
from shipworthy.live.serving import Serving, as_json
from shipworthy.live.trace import UNTRACED, Trace
from shipworthy.log.archive import Archive
from shipworthy.problem import Problem
from shipworthy.project.clock import now, stamp
from shipworthy.statistics.assignment import Arm
from shipworthy.step import Rung

_LOG = logging.getLogger("shipworthy.live")

MOST_ROWS = 5000
"""How many rows, at most, are decided in one call for several requests."""

PATIENCE_S = 0.25
"""How long such a call may take; after that each request is decided by itself, with what is left of its own time."""

APART_S = 0.1
"""How long requests are decided each by itself after a call for several went wrong."""

_LEAST_S = 0.001
_NO_WAIT_S = 0.25


@dataclass(frozen=True, slots=True)
class Answered:
    """A decision as the log has it.

    Attributes:
        entry: The log's entry.
        repeated: Whether it was made for an earlier request with the same key.
    """

    entry: Entry
    repeated: bool = False

    @property
    def document(self) -> dict[str, Any]:
        """What the caller gets; the same whenever it is asked for."""
        entry = self.entry
        answer = answer_in(entry)
        return {
            "id": entry["id"],
            "problem": entry["problem"],
            "period": entry["period"],
            "release": answer["release"],
            "arm": entry["arm"],
            "rung": answer["rung"],
            "status": answer["status"],
            "decisions": answer["decisions"],
        }


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to decide, as it came.

    Attributes:
        body: What was sent.
        key: Its Idempotency-Key.
        arrived: When it came, by `perf_counter`: what it waits for its turn counts.
        trace: What is told of its way.
    """

    body: bytes
    key: str | None = None
    arrived: float = field(default_factory=perf_counter)
    trace: Trace = UNTRACED


class ApartError(ShipworthyError):
    """A request that was to be decided together with others, and has to be asked again, by itself."""


class Answering:
    """Decides, logs and remembers, for one worker; it may be used from several threads.

    Attributes:
        apart_until: Until when, by the monotonic clock, requests should be asked for one by one.
    """

    def __init__(self, problem: str, folder: Path, archive: Archive | None = None) -> None:
        """Names the problem, the folder of its logs, and where they are compacted to."""
        self._problem, self._folder, self._archive = problem, folder, archive
        self._decisions = SegmentLog(folder)
        self._outcomes = SegmentLog(folder, OUTCOMES)
        self._lock = Lock()
        self._latest = self._noted = ""
        self._past: LivePast | None = None
        self.apart_until = 0.0

    def decide(self, serving: Serving, body: bytes, key: str | None) -> Answered:
        """Answers a request to decide; when it returns, the decision is on the disk.

        Raises:
            RefusedError: the request is wrong, or nothing could decide.
            UnavailableError: the decision could not be logged, and counts as not made.
            OSError: the log cannot be read.
        """
        [answered] = self.decide_all(serving, [Ask(body, key)])
        if isinstance(answered, Exception):
            raise answered
        return answered

    def decide_all(
        self, serving: Serving, asks: Sequence[Ask], decided: Callable[[], None] = lambda: None
    ) -> list[Answered | Exception]:
        """Answers several requests, each as if it were alone, with one visit to the disk; `decided` is called before that.

        Where the policy decides row by row, those that may be are decided in one call. If that goes wrong, each of them is
        given an `ApartError`: ask for it again by itself, and its time goes on counting from its arrival.

        Raises:
            OSError: the log cannot be read.
        """
        try:
            given = self._entries(serving, asks)
        finally:
            decided()
        made = [(ask.trace, entry) for ask, entry in zip(asks, given, strict=True) if isinstance(entry, dict)]
        if made:
            for trace, entry in made:
                trace.log(entry)
            try:
                with metrics.LOG_SECONDS.time():
                    self._decisions.append(b"\n".join(msgspec.json.encode(entry) for _, entry in made))
            except UnavailableError as error:
                return [error if isinstance(entry, dict) else entry for entry in given]
            for trace, _ in made:
                trace.rest()
        return [_answered(entry) if isinstance(entry, dict) else entry for entry in given]

    def note(self, serving: Serving, body: bytes) -> int:
        """Notes posted outcomes, durable when it returns, and says how many.

        Raises:
            RefusedError: the request is wrong.
            UnavailableError: they could not be logged.
        """
        rows = serving.champion.contract.read_outcomes(body)
        entry = {"id": uuid4().hex, "at": self._noted_now(), "problem": self._problem, "rows": rows}
        self._outcomes.append(msgspec.json.encode(entry))
        return len(rows)

    def catch_up(self, serving: Serving) -> None:
        """Reads what was logged meanwhile, so that whoever needs it has little to read.

        Raises:
            OSError: the log cannot be read.
        """
        self._past_of(serving.champion.release.problem).refresh()

    def waiting(self, serving: Serving) -> int:
        """How many decisions wait for the shadow.

        Raises:
            OSError: the log cannot be read.
        """
        past = self._past_of(serving.champion.release.problem)
        past.refresh()
        return past.waiting(serving.releases.values())

    def close(self) -> None:
        """Lets go of the logs."""
        self._decisions.close()
        self._outcomes.close()
        if self._past is not None:
            self._past.close()

    def _past_of(self, problem: Problem) -> LivePast:
        with self._lock:
            if self._past is None or self._past.key != problem.key:
                self._past = LivePast(self._folder, key=problem.key, archive=self._archive)
            return self._past

    def _entries(self, serving: Serving, asks: Sequence[Ask]) -> list[Entry | Answered | Exception]:
        """The log's entry of each request, or what is answered in its place."""
        for ask in asks:
            metrics.WAITED.observe(perf_counter() - ask.arrived)
            ask.trace.enter("decide")
        challenger = serving.challenger
        optional = challenger.contract.asked if challenger else None
        requests = serving.champion.contract.read_all([ask.body for ask in asks], optional)
        past = self._past_of(serving.champion.release.problem)
        for period in {request.period for request in requests if isinstance(request, DecideRequest)}:
            past.cover(as_json(period), as_json(serving.first_remembered(period)))
        if len(asks) > 1:
            return self._together(serving, past, asks, requests)
        [ask], [request] = asks, requests
        if isinstance(request, RefusedError):
            return [request]
        if ask.key is not None:
            past.refresh()
            if (made := past.entry(ask.key)) is not None:
                return [_repeated(made, request)]
        if _is_late(ask, request):
            return [unavailable(f"It waited for its turn longer than its time limit of {request.time_limit:g} s.")]
        return [self._decided(serving, past, request, ask)]

    def _together(
        self, serving: Serving, past: LivePast, asks: Sequence[Ask], requests: Sequence[DecideRequest | RefusedError]
    ) -> list[Entry | Answered | Exception]:
        """Decides requests without keys, which the champion alone answers row by row, in as few calls as their units allow."""
        given: list[Entry | Answered | Exception] = [
            request if isinstance(request, RefusedError) else ApartError("It has to be asked for by itself.")
            for request in requests
        ]
        valid = {
            place: request
            for place, request in enumerate(requests)
            if isinstance(request, DecideRequest) and serving.arms_of(request.period, request.units) == "champion"
        }
        for group in _groups(valid):
            seconds = min(PATIENCE_S, *(_left(asks[place], request) / 2 for place, request in group.items()))
            answers = answer_together(serving.champion, past, list(group.values()), seconds)
            if answers is None:
                self.apart_until = monotonic() + APART_S
                break
            for (place, request), answer in zip(group.items(), answers, strict=True):
                given[place] = self._entry(serving, request, None, {"arm": "champion"}, {"champion": answer})
        return given

    def _decided(self, serving: Serving, past: LivePast, request: DecideRequest, ask: Ask) -> Entry:
        """Asks the arms that answer: one, or both where each unit has its own; who does not answer decides in the shadow."""
        drawn = serving.arms_of(request.period, request.units)
        asked = serving.challenger if drawn != "champion" else None
        unfit = lacking(asked, request) if asked else ""
        answers: dict[Arm, Entry] = {}
        for arm in who_is_needed(drawn, unfit):
            served = serving.challenger if arm == "challenger" else serving.champion
            assert served is not None, "an arm is drawn only where there is one"
            answers[arm] = answer_of(served, past, request, max(_left(ask, request), _LEAST_S))
        who = who_answered(
            serving.champion.release.problem, lambda: request.frame, request.state, drawn, answers, unfit
        )
        return self._entry(serving, request, ask.key, who, answers)

    def _entry(
        self, serving: Serving, request: DecideRequest, key: str | None, who: Entry, answers: Mapping[Arm, Entry]
    ) -> Entry:
        nothing = answer_in({**who, "answers": answers})["rung"] == Rung.NONE
        return {
            "id": uuid4().hex if key is None or nothing else key,
            "at": self._now(),
            "problem": self._problem,
            "period": as_json(request.period),
            "phase": serving.rollout and str(serving.rollout.phase),
            "rollout": serving.rollout and serving.rollout.version,
            **who,
            "rows": msgspec.Raw(request.json),
            "state": dict(request.state),
            "time_limit": request.time_limit,
            "releases": serving.releases,
            "answers": answers,
        }

    def _now(self) -> str:
        """The time in UTC, which never goes back within a worker."""
        with self._lock:
            self._latest = max(self._latest, now().isoformat(timespec="microseconds"))
            return self._latest

    def _noted_now(self) -> str:
        """The same for outcomes, of which a later one corrects an earlier one: no two have the same."""
        at = self._now()
        with self._lock:
            self._noted = max(at, stamp(self._noted))
            return self._noted


def _groups(requests: Mapping[int, DecideRequest]) -> Iterator[dict[int, DecideRequest]]:
    """Those requests that may be decided in one call, again and again: of one period, and with no unit in common."""
    waiting = {place: request for place, request in requests.items() if not request.state}
    while waiting:
        group: dict[int, DecideRequest] = {}
        units: set[Any] = set()
        period = next(iter(waiting.values())).period
        for place, request in waiting.items():
            fits = not group or len(units) + len(request.units) <= MOST_ROWS
            if fits and request.period == period and units.isdisjoint(request.units):
                group[place] = request
                units.update(request.units)
        waiting = {place: request for place, request in waiting.items() if place not in group}
        yield group


def _left(ask: Ask, request: DecideRequest) -> float:
    """Seconds that the caller can still wait."""
    return (request.time_limit or TIME_LIMIT) - (perf_counter() - ask.arrived)


def _is_late(ask: Ask, request: DecideRequest) -> bool:
    """Whether it waited for its turn longer than it can; a quarter of a second is no wait, whatever its limit."""
    return _left(ask, request) <= 0 and perf_counter() - ask.arrived > _NO_WAIT_S


def _repeated(entry: Entry, request: DecideRequest) -> Answered | RefusedError:
    """What was decided under the same key, if it was for the same request."""
    asked = {"period": as_json(request.period), "rows": request.rows, "state": dict(request.state)}
    different = [name for name, value in asked.items() if entry[name] != value]
    if different:
        detail = (
            f"was used before for a request with other {' and '.join(different)}. A key belongs to one request: repeat that "
            "one exactly, or choose another key"
        )
        return RefusedError(422, f"Idempotency-Key {detail}", errors=[FieldError("Idempotency-Key", detail)])
    return Answered(entry, repeated=True)


def _answered(entry: Entry) -> Answered | RefusedError:
    return _nothing_decided(entry) if answer_in(entry)["rung"] == Rung.NONE else Answered(entry)


def _nothing_decided(entry: Entry) -> RefusedError:
    reasons = answer_in(entry)["falls"]
    return unavailable(
        f"Nothing could decide period {entry['period']}: {'; '.join(reasons)}. The attempt is in the decision log.",
        id=entry["id"],
        release=answer_in(entry)["release"],
        reasons=reasons,
    )
