"""How a request is answered: both arms take the step, the log has it, and only then the caller."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Any
from uuid import uuid4

import msgspec
import polars as pl

from shipworthy.live.decision_log import SegmentLog
from shipworthy.live.mixture import answer_in, who_answered, who_is_needed
from shipworthy.live.outcomes import OUTCOMES, LivePast
from shipworthy.live.refusals import FieldError, RefusedError, unavailable
from shipworthy.live.requests import DecideRequest
from shipworthy.live.serving import Served, Serving, as_json
from shipworthy.problem import Problem
from shipworthy.step import Decided, Moment, Rung, seed_of, take_step

TIME_LIMIT = 30.0
"""Seconds for one decision where neither the caller nor the policy says: nothing may hang for ever."""

_LOG = logging.getLogger("shipworthy.live")

_LEAST_S = 0.001

Entry = dict[str, Any]


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


class Answering:
    """Decides, logs and remembers, for one worker; it may be used from several threads."""

    def __init__(self, problem: str, folder: Path) -> None:
        """Names the problem and the folder of its logs."""
        self._problem, self._folder = problem, folder
        self._decisions = SegmentLog(folder)
        self._outcomes = SegmentLog(folder, OUTCOMES)
        self._lock = Lock()
        self._latest = ""
        self._past: LivePast | None = None

    def decide(self, serving: Serving, body: bytes, key: str | None) -> Answered:
        """Answers a request to decide; when it returns, the decision is on the disk.

        Raises:
            RefusedError: the request is wrong, or nothing could decide.
            UnavailableError: the decision could not be logged, and counts as not made.
            OSError: the log cannot be read.
        """
        optional = serving.challenger.contract.asked if serving.challenger else None
        request = serving.champion.contract.read_decide(body, optional)
        past = self._refreshed(serving.champion.release.problem)
        if key is not None and (made := past.entry(key)) is not None:
            return Answered(_same(made, request), repeated=True)
        entry = self._decided(serving, past, request, key)
        self._decisions.append(msgspec.json.encode(entry))
        if answer_in(entry)["rung"] == Rung.NONE:
            raise _nothing_decided(entry)
        return Answered(entry)

    def note(self, serving: Serving, body: bytes) -> int:
        """Notes posted outcomes, durable when it returns, and says how many.

        Raises:
            RefusedError: the request is wrong.
            UnavailableError: they could not be logged.
        """
        rows = serving.champion.contract.read_outcomes(body)
        entry = {"id": uuid4().hex, "at": self._now(), "problem": self._problem, "rows": rows}
        self._outcomes.append(msgspec.json.encode(entry))
        return len(rows)

    def close(self) -> None:
        """Lets go of the logs."""
        self._decisions.close()
        self._outcomes.close()
        if self._past is not None:
            self._past.close()

    def _refreshed(self, problem: Problem) -> LivePast:
        with self._lock:
            if self._past is None or self._past.key != problem.key:
                self._past = LivePast(self._folder, key=problem.key)
            past = self._past
        past.refresh()
        return past

    def _decided(self, serving: Serving, past: LivePast, request: DecideRequest, key: str | None) -> Entry:
        """Asks the arms. Those that answer go first and undisturbed; a shadow follows in the time that is left."""
        problem = serving.champion.release.problem
        lacking = _lacking(serving.challenger, request)
        drawn = serving.arms_of(request.period, [row[problem.unit] for row in request.rows])
        needed = who_is_needed(drawn, lacking)
        until = perf_counter() + (request.time_limit or TIME_LIMIT)
        answers: dict[str, Entry] = {}
        for name in (*needed, *({"champion", "challenger"} - {*needed})):
            served = serving.champion if name == "champion" else serving.challenger
            if served is None:
                continue
            if lacking and name == "challenger":
                answers[name] = _undecided(served, request, f"the request {lacking}")
            else:
                answers[name] = _answer(served, past, request, max(until - perf_counter(), _LEAST_S))
        rows = partial(serving.champion.contract.frame, request.period, request.rows)
        who = who_answered(problem, rows, request.state, drawn, answers, lacking)
        nothing = answer_in({**who, "answers": answers})["rung"] == Rung.NONE
        return {
            "id": uuid4().hex if key is None or nothing else key,
            "at": self._now(),
            "problem": self._problem,
            "period": as_json(request.period),
            "phase": serving.rollout and str(serving.rollout.phase),
            "rollout": serving.rollout and serving.rollout.version,
            **who,
            "rows": request.rows,
            "state": dict(request.state),
            "answers": answers,
        }

    def _now(self) -> str:
        """The time in UTC, which never goes back within a worker."""
        with self._lock:
            self._latest = max(self._latest, datetime.now(UTC).isoformat(timespec="microseconds"))
            return self._latest


def _answer(served: Served, past: LivePast, request: DecideRequest, seconds: float) -> Entry:
    """What one arm decides, as plain values: never an exception, because a shadow must not break the answer."""
    release = served.release
    problem = release.problem
    try:
        moment = Moment(
            period=request.period,
            rows=served.contract.frame(request.period, request.rows),
            history=served.history(past),
            state=request.state,
            last=served.last_plan(past, request.period, [row[problem.unit] for row in request.rows]),
            seed=seed_of(release.seed, request.period),
            time_limit=seconds,
        )
        step = take_step(problem, moment, release.decider, release.fallback)
        decisions = msgspec.to_builtins(step.decisions.to_dicts())
    except Exception as error:  # noqa: BLE001  (user code: a fallback that cannot be made is a rung less, not the end)
        _LOG.exception("Release %s failed", release.id)
        return _undecided(served, request, f"{release.decider.name}: {type(error).__name__}: {error}")
    return {"release": release.id, **step.telemetry(), "falls": list(step.falls), "decisions": decisions}


def _undecided(served: Served, request: DecideRequest, why: str) -> Entry:
    """The account of an arm that could not even take the step."""
    release = served.release
    blank = dict.fromkeys(release.problem.decisions)
    decisions = [{release.problem.unit: row[release.problem.unit], **blank} for row in request.rows]
    nothing = Decided(
        decisions=pl.DataFrame(),
        rung=Rung.NONE,
        status="nothing decided",
        seconds=0.0,
        seed=seed_of(release.seed, request.period),
    )
    return {"release": release.id, **nothing.telemetry(), "falls": [why], "decisions": decisions}


def _lacking(served: Served | None, request: DecideRequest) -> str:
    """Why a release cannot decide on a request that another one takes; empty where it can."""
    if served is None:
        return ""
    absent = [name for name in served.contract.asked if name not in request.rows[0]]
    if absent:
        return f"has no {', '.join(absent)}"
    broken = served.contract.broken_rules(request.period, request.rows)
    return f"breaks its contract: {broken[0].field} {broken[0].detail}" if broken else ""


def _same(entry: Entry, request: DecideRequest) -> Entry:
    """The entry that was made under the same key, if it was made for the same request."""
    asked = {"period": as_json(request.period), "rows": request.rows, "state": dict(request.state)}
    different = [name for name, value in asked.items() if entry[name] != value]
    if different:
        detail = (
            f"was used before for a request with other {' and '.join(different)}. A key belongs to one request: repeat that "
            "one exactly, or choose another key"
        )
        raise RefusedError(422, f"Idempotency-Key {detail}", errors=[FieldError("Idempotency-Key", detail)])
    return entry


def _nothing_decided(entry: Entry) -> RefusedError:
    reasons = answer_in(entry)["falls"]
    return unavailable(
        f"Nothing could decide period {entry['period']}: {'; '.join(reasons)}. The attempt is in the decision log.",
        id=entry["id"],
        release=answer_in(entry)["release"],
        reasons=reasons,
    )
