"""The jobs of a project: started, waited for, listed; at most so many at once, and none of them running for ever."""

from __future__ import annotations

import json
import re
import socket
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic, sleep
from typing import Any, NamedTuple
from uuid import uuid4

from shipworthy.errors import (
    InvalidInputError,
    NotFoundError,
    PreconditionError,
    ShipworthyError,
    UnavailableError,
)
from shipworthy.problem import Span
from shipworthy.project import Project
from shipworthy.project.clock import now
from shipworthy.store import Change, Record, get_content, put_content
from shipworthy.store.digest import canonical, digest
from shipworthy.workspace.beats import EVERY_S, Beats
from shipworthy.workspace.job import KIND, File, Job, JobState, Lane, Task, job_body, read_job
from shipworthy.workspace.running import Ended, environment_of, run
from shipworthy.workspace.turn import Turn

_FOLDER = ".shipworthy/jobs"
_ANSWERS = "answers"
_MOST_WAITING = 100
"""In one lane; what takes back harm is not counted, and never refused for their sake."""
_MOST_OF_ONE = 25
"""Of one account in one lane."""
_MOST_LOOKING = 4
_LOOK_S = 0.1
_WATCH_S = 1.0
_TRIES = 5
_HOST = socket.gethostname()
_GONE = "The server that ran it ended before the job did. Ask again."
_UNSAID = "How it went could not be recorded when it ended. Ask again: what it had finished itself is kept."
_TITLES = (
    "Invalid input|User code|Not found|Gate closed|Precondition|Already exists|Unavailable|Tampered|Denied|Sign in"
)
_MESSAGE = re.compile(rf"^(?:{_TITLES}): (.*)", re.MULTILINE | re.DOTALL)


class _Kept(NamedTuple):
    """A job that this process keeps."""

    thread: Thread
    lane: Lane
    who: str
    stop: Event


class Jobs:
    """The jobs of one project, kept by this server process; those that others keep are seen in the records."""

    def __init__(self, project: Project, *, hidden: Collection[str] = ()) -> None:
        """Starts nothing yet.

        Args:
            project: Where the verbs run and the jobs are recorded.
            hidden: Variables of the environment that no job gets, beside all that begin with SHIPWORTHY_.
        """
        self._project = project
        self._hidden = frozenset(hidden)
        self._folder = project.root / _FOLDER
        self._keeper = uuid4().hex
        self._life: Turn | None = None
        self._stop = Event()
        self._lock = Lock()
        self._kept: dict[str, _Kept] = {}
        self._running: dict[str, Event] = {}
        self._beats = Beats(project)
        self._newest: dict[str, Record] | None = None
        self._seq = 0

    @property
    def at_once(self) -> int:
        """How many may run at once on this machine, beside those that must not wait."""
        return max(1, int(self._project.settings["jobs"]["at_once"]))

    @property
    def limit_s(self) -> float:
        """After how many seconds a job is ended."""
        return Span.of(str(self._project.settings["jobs"]["limit"])).seconds

    def start(self, task: Task, who: str, key: str | None = None) -> Job:
        """Starts a task, or leaves it to wait for its turn; one that was started with that key before is not started again.

        Raises:
            InvalidInputError: the key was used for something else.
            UnavailableError: too many wait already, or the server is about to end.
        """
        with self._lock:
            self._refuse_too_many(task.lane, who)
            self._live()
        name = f"j-{uuid4().hex[:20]}" if key is None else f"k-{digest(canonical([who, key]))[:20]}"
        at = now()
        job = Job(
            id=name,
            verb=task.verb,
            given=dict(task.given),
            who=who,
            state=JobState.QUEUED,
            asked_at=at,
            at=at,
            host=_HOST,
            keeper=self._keeper,
            limit_s=self.limit_s,
            version=0,
        )
        try:
            return self._begin(job, task)
        except PreconditionError:
            return self._asked_before(job)

    def get(self, name: str) -> Job:
        """A job as it is now.

        Raises:
            NotFoundError: there is none of that name.
        """
        record = self._project.records.get(KIND, name)
        job = None if record is None else read_job(record)
        if job is None:
            raise NotFoundError(f"No job {name!r}. List the jobs to see which there are.")
        return self._seen(job)

    def stop(self, name: str, who: str) -> Job:
        """Ends a job, whichever process keeps it: its record says by whom, and its keeper kills it as soon as it reads that.

        Raises:
            NotFoundError: there is none of that name.
            PreconditionError: it is over already.
        """
        job = self.get(name)
        if job.state.is_over:
            raise PreconditionError(f"The job {name} is over already, {job.state}: there is nothing to end.")
        says = f"{job.verb.capitalize()} was ended by {who}. What it had finished is kept; asking again goes on from there."
        try:
            ended = self._note(replace(job, state=JobState.ENDED, error=says), by=who)
        except PreconditionError:  # its turn came, or its end, in this instant
            return self.stop(name, who)
        with self._lock:
            mine = self._kept.get(name)
            if mine is not None:
                mine.stop.set()
        return ended

    def wait(self, name: str, seconds: float) -> Job:
        """The job once it is over, or as it is after so many seconds."""
        until = monotonic() + seconds
        while not (job := self.get(name)).state.is_over and monotonic() < until:
            with self._lock:
                mine = self._kept.get(name)
            if mine is not None:
                mine.thread.join(min(until - monotonic(), 1.0))
            else:
                sleep(_LOOK_S)
        return job

    def all(self) -> Sequence[Job]:
        """Every job, the newest first."""
        with self._lock:
            self._read_on()
            known = list((self._newest or {}).values())
        readable = [job for record in known if (job := read_job(record)) is not None]
        jobs = sorted(readable, key=lambda job: (job.asked_at, job.id), reverse=True)
        return [self._seen(job) if not job.state.is_over else job for job in jobs]

    def answer(self, job: Job) -> Any:
        """What the verb answered, as its `--json` has it; None where it answered nothing."""
        return None if job.answer is None else json.loads(get_content(self._project.objects, job.answer))

    def end(self) -> None:
        """Ends what runs; the records say so."""
        self._stop.set()
        with self._lock:
            kept = list(self._kept.values())
        for one in kept:
            one.stop.set()
        for one in kept:
            one.thread.join(10.0)
        if self._life is not None:
            self._life.give_back(remove=True)
            self._life = None

    def _begin(self, job: Job, task: Task) -> Job:
        stop = Event()
        with self._lock:  # whoever sees its record finds that it is kept
            job = self._note(job)
            thread = Thread(target=self._work, args=(job, task, stop), name=f"job {job.id}", daemon=True)
            self._kept[job.id] = _Kept(thread, task.lane, job.who, stop)
            if self._stop.is_set():
                stop.set()
        thread.start()
        return job

    def _refuse_too_many(self, lane: Lane, who: str) -> None:
        if self._stop.is_set():
            raise UnavailableError("The server is about to end. Ask again in a moment.")
        if lane is Lane.PROMPT:
            return
        beside = [one.who for one in self._kept.values() if one.lane is lane]
        if beside.count(who) >= _MOST_OF_ONE:
            raise UnavailableError(
                f"{_MOST_OF_ONE} jobs of {who}'s wait already. Ask again when some of them are over."
            )
        if len(beside) >= _MOST_WAITING:
            raise UnavailableError(f"{_MOST_WAITING} jobs wait already. Ask again when some of them are over.")

    def _live(self) -> None:
        """Shows others that this process lives: on this machine by a lock that only its end opens, elsewhere by beats."""
        if self._life is None:
            self._life = Turn.take(self._folder / self._keeper)
            Thread(target=self._watch, name="job watch", daemon=True).start()

    def _watch(self) -> None:
        """As long as this process keeps jobs: tells others that it lives, and looks which of them somebody ended elsewhere."""
        beaten = monotonic()
        while not self._stop.wait(min(EVERY_S, _WATCH_S)):
            if not self._kept:
                continue
            with suppress(ShipworthyError):  # a store that is away for a moment is asked again
                self._end_what_was_ended()
                if monotonic() - beaten >= EVERY_S:
                    self._beats.beat(self._keeper, _HOST)
                    beaten = monotonic()

    def _end_what_was_ended(self) -> None:
        """Stops what runs here and was ended by another process; what waits hears of it when its turn comes."""
        for name, stop in list(self._running.items()):
            record = self._project.records.get(KIND, name)
            if record is not None and record.body.get("state") == JobState.ENDED:
                stop.set()

    def _asked_before(self, job: Job) -> Job:
        before = self.get(job.id)
        if (before.verb, canonical(dict(before.given))) != (job.verb, canonical(dict(job.given))):
            raise InvalidInputError(
                f"This Idempotency-Key was used for `{before.verb}` with other parameters. Take a new key for a new question."
            )
        return before

    def _read_on(self) -> None:
        records = self._project.records
        if self._newest is None:
            self._seq = records.head().seq
            self._newest = {record.key: record for record in records.find(KIND)}
        while fresh := records.since(self._seq):
            self._seq = fresh[-1].seq
            self._newest.update((record.key, record) for record in fresh if record.kind == KIND)

    def _seen(self, job: Job) -> Job:
        """The job; it is lost where nobody keeps it any more, and the record says so from now on."""
        if job.state.is_over or not self._is_forsaken(job):
            return job
        why = _UNSAID if job.keeper == self._keeper else _GONE
        gone = replace(job, state=JobState.LOST, error=why)
        try:
            return self._note(gone)
        except PreconditionError:  # it came to its end in this instant
            return self.get(job.id)

    def _is_forsaken(self, job: Job) -> bool:
        if job.keeper == self._keeper:
            with self._lock:
                return job.id not in self._kept
        if job.host == _HOST:
            return not Turn.is_held(self._folder / job.keeper)
        return self._beats.is_silent(job.keeper)

    def _work(self, job: Job, task: Task, stop: Event) -> None:
        try:
            with self._turn(task, stop):
                job = self._note(replace(job, state=JobState.RUNNING))
                self._running[job.id] = stop
                ended = self._run(job, task, stop)
            self._note_end(job, ended)
        except (ShipworthyError, OSError) as error:
            full = f"This machine could make no file or process for it: {error}. Ask again when it can."
            with suppress(ShipworthyError):
                self._note(replace(job, state=JobState.LOST, error=full if isinstance(error, OSError) else str(error)))
        finally:
            self._running.pop(job.id, None)
            with self._lock:
                self._kept.pop(job.id, None)

    @contextmanager
    def _turn(self, task: Task, stop: Event) -> Iterator[None]:
        """Waits until one of the places to run at is free."""
        taken: Turn | None = None
        most = {Lane.WORK: self.at_once, Lane.LOOK: _MOST_LOOKING, Lane.PROMPT: 0}[task.lane]
        while most and taken is None:
            places = (self._folder / f"{task.lane}-{place}" for place in range(most))
            taken = next((turn for place in places if (turn := Turn.take(place)) is not None), None)
            if taken is None and stop.wait(_LOOK_S):
                raise UnavailableError("The server ended before its turn came. Ask again.")
        try:
            yield
        finally:
            if taken is not None:
                taken.give_back()

    def _run(self, job: Job, task: Task, stop: Event) -> Ended:
        with tempfile.TemporaryDirectory(prefix="shipworthy-job-") as folder:
            words = [_laid(Path(folder), word) if isinstance(word, File) else word for word in task.words]
            environment = environment_of(job.who, self._hidden)
            return run(words, self._project.root, environment, job.limit_s, stop)

    def _note_end(self, job: Job, ended: Ended) -> None:
        if ended.why is not None:
            state = JobState.LOST if self._stop.is_set() else JobState.FAILED
            self._note(replace(job, state=state, error=f"{job.verb.capitalize()} was ended: {ended.why}."))
            return
        answer = _answer(ended.out)
        error = None if ended.code == 0 or answer is not None else _said(ended)
        state = JobState.DONE if ended.code == 0 else JobState.FAILED if ended.code in (1, None) else JobState.REFUSED
        if ended.code is not None and ended.code < 0:
            state, error = JobState.FAILED, f"{job.verb.capitalize()} was ended by signal {-ended.code}."
        name = None if answer is None else put_content(self._project.objects, _ANSWERS, answer)
        self._note(replace(job, state=state, exit_code=ended.code, error=error, answer=name))

    def _note(self, job: Job, by: str = "") -> Job:
        """Records the state that a job came to, in the name of who asked; a job that somebody ended comes to no other."""
        change = Change(kind=KIND, key=job.id, body=job_body(job), expect=job.version)
        for left in reversed(range(_TRIES)):
            try:
                [record] = self._project.records.add(change, by=by or job.who)
                return replace(job, at=record.at, version=record.version)
            except UnavailableError:
                if not left or job.version == 0:
                    raise
                self._stop.wait(1.0)
        raise AssertionError("the last try raises")


def _laid(folder: Path, file: File) -> str:
    place = folder / file.name
    place.write_bytes(file.content)
    return str(place)


def _answer(out: bytes) -> bytes | None:
    """What a command printed, where that is JSON."""
    try:
        return canonical(json.loads(out))
    except ValueError:
        return None


def _said(ended: Ended) -> str:
    """What a command said was wrong, without the name of the error before it."""
    said = ended.said.strip()
    if said.startswith("Usage:"):
        return said.rpartition("Error: ")[2]
    found = _MESSAGE.search(said)
    return (found[1] if found else said) or f"The command ended with {ended.code} and said nothing."
