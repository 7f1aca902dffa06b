"""A job: a verb that somebody asked for, running in a process of its own, with a record of how it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from shipworthy.errors import (
    DeniedError,
    GateClosedError,
    InvalidInputError,
    NotFoundError,
    PreconditionError,
    ShipworthyError,
    TamperedError,
    UnavailableError,
)
from shipworthy.store import Record

KIND = "job"
"""The kind of its record; every state it comes to is a version."""

_ERRORS: Mapping[int, type[ShipworthyError]] = {
    kind.exit_code: kind
    for kind in (
        InvalidInputError,
        NotFoundError,
        GateClosedError,
        PreconditionError,
        UnavailableError,
        TamperedError,
        DeniedError,
    )
}


class JobState(StrEnum):
    """How far a job has come."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    LOST = "lost"
    ENDED = "ended"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


class Lane(StrEnum):
    """Beside what a job has to wait for its turn.

    - work: whatever computes; so many at once as `[jobs] at_once` says;
    - look: what only reads, so that nobody who reads waits for those who compute;
    - prompt: what takes back harm, and waits for nobody.
    """

    WORK = "work"
    LOOK = "look"
    PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class File:
    """A file that a verb reads: it lies in a folder of the job's own as long as that runs.

    Attributes:
        name: Its name; the verb may tell by its ending how to read it.
        content: Its bytes.
    """

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a job is to do.

    Attributes:
        verb: The verb, such as "research".
        words: What the command line is given, word by word; a file stands where its path shall stand.
        given: What was asked for, as it is recorded; whole files are left out of it.
        lane: What it waits beside.
    """

    verb: str
    words: Sequence[str | File]
    given: Mapping[str, Any] = field(default_factory=dict)
    lane: Lane = Lane.WORK


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as its record has it.

    Attributes:
        id: Its name.
        verb: The verb.
        given: What it was asked with.
        who: Who asked.
        state: How far it has come.
        asked_at: When it was asked for.
        at: When it came to its state.
        exit_code: What the command ended with; None where it did not end.
        error: What the command said was wrong; None where nothing was.
        answer: The name of the object with what it answered; None where it answered nothing.
        host: The machine it runs on.
        keeper: Which server process keeps it.
        limit_s: After how many seconds it is ended.
        version: The version of its record.
    """

    id: str
    verb: str
    given: Mapping[str, Any]
    who: str
    state: JobState
    asked_at: datetime
    at: datetime
    exit_code: int | None = None
    error: str | None = None
    answer: str | None = None
    host: str
    keeper: str
    limit_s: float
    version: int

    @property
    def fault(self) -> ShipworthyError | None:
        """The error of the tree that the command ended with; None where it answered, or where it has not ended.

        >>> from datetime import UTC
        >>> ended = {"state": JobState.REFUSED, "exit_code": 4, "error": "The gate is closed."}
        >>> whose = {"id": "j-1", "verb": "ship", "given": {}, "who": "ann", "host": "here", "keeper": "k", "limit_s": 60}
        >>> Job(**ended, **whose, asked_at=datetime.now(UTC), at=datetime.now(UTC), version=3).fault
        GateClosedError('The gate is closed.')
        """
        if self.error is None:
            return None
        return _ERRORS.get(self.exit_code or 1, ShipworthyError)(self.error)


def read_job(record: Record) -> Job | None:
    """The job that a record tells of; None where this version of shipworthy cannot read it."""
    body = {"who": record.by, **record.body}
    try:
        fields = {**body, "state": JobState(body["state"]), "asked_at": datetime.fromisoformat(body["asked_at"])}
        return Job(**fields, id=record.key, at=record.at, version=record.version)
    except (KeyError, TypeError, ValueError):
        return None


def job_body(job: Job) -> dict[str, Any]:
    """What its record says."""
    names = ("verb", "given", "who", "exit_code", "error", "answer", "host", "keeper", "limit_s")
    fields = {name: getattr(job, name) for name in names}
    return {**fields, "state": str(job.state), "asked_at": job.asked_at.isoformat()}
