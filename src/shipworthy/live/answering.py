"""How a request is answered: the arm whose turn it is takes the step, the log has it, and only then the caller."""

from __future__ import annotations

import logging
from dataclasses import dataclass
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
from shipworthy.log.archive import Archive
from shipworthy.problem import Period
from shipworthy.project.clock import now
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

    def __init__(self, problem: str, folder: Path, archive: Archive | None = None) -> None:
        """Names the problem, the folder of its logs, and where they are compacted to."""
        self._problem, self._folder, self._archive = problem, folder, archive
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
        past = self._refreshed(serving, request.period)
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

    def waiting(self, serving: Serving) -> int:
        """How many decisions wait for the shadow.

        Raises:
            OSError: the log cannot be read.
        """
        past = self._past_of(serving)
        past.refresh()
        return past.waiting(serving.releases.values())

    def close(self) -> None:
        """Lets go of the logs."""
        self._decisions.close()
        self._outcomes.close()
        if self._past is not None:
            self._past.close()

    def _past_of(self, serving: Serving) -> LivePast:
        key = serving.champion.release.problem.key
        with self._lock:
            if self._past is None or self._past.key != key:
                self._past = LivePast(self._folder, key=key, archive=self._archive)
            return self._past

    def _refreshed(self, serving: Serving, period: Period) -> LivePast:
        past = self._past_of(serving)
        past.cover(as_json(period), as_json(serving.first_remembered(period)))
        past.refresh()
        return past

    def _decided(self, serving: Serving, past: LivePast, request: DecideRequest, key: str | None) -> Entry:
        """Asks the arms that answer: one, or both where each unit has its own; who does not answer decides in the shadow."""
        problem = serving.champion.release.problem
        drawn = serving.arms_of(request.period, [row[problem.unit] for row in request.rows])
        asked = serving.challenger if drawn != "champion" else None
        unfit = lacking(asked, request) if asked else ""
        until = perf_counter() + (request.time_limit or TIME_LIMIT)
        answers = {}
        for arm in who_is_needed(drawn, unfit):
            served = serving.challenger if arm == "challenger" else serving.champion
            assert served is not None, "an arm is drawn only where there is one"
            answers[arm] = answer_of(served, past, request, max(until - perf_counter(), _LEAST_S))
        rows = serving.champion.contract.frame(request.period, request.rows)
        who = who_answered(problem, rows, request.state, drawn, answers, unfit)
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
            "time_limit": request.time_limit,
            "releases": serving.releases,
            "answers": answers,
        }

    def _now(self) -> str:
        """The time in UTC, which never goes back within a worker."""
        with self._lock:
            self._latest = max(self._latest, now().isoformat(timespec="microseconds"))
            return self._latest


def answer_of(served: Served, past: LivePast, request: DecideRequest, seconds: float) -> Entry:
    """What one release decides, as plain values: never an exception, because it has to be logged whatever happens."""
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
        return undecided(served, request, f"{release.decider.name}: {type(error).__name__}: {error}")
    return {"release": release.id, **step.telemetry(), "falls": list(step.falls), "decisions": decisions}


def undecided(served: Served, request: DecideRequest, why: str) -> Entry:
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


def lacking(served: Served, request: DecideRequest) -> str:
    """Why a release cannot decide on a request that another one takes; empty where it can."""
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
