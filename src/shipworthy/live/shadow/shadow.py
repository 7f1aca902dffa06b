"""The shadow: it follows the decision log, and lets who did not answer decide the same, off the path of requests and guarded.

What it has decided is in a log of its own, each decision once; after a `kill -9` it goes on from there.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import msgspec

from shipworthy.errors import ShipworthyError, UnavailableError
from shipworthy.live import metrics
from shipworthy.live.arms import TIME_LIMIT
from shipworthy.live.decision_log import SegmentLog
from shipworthy.live.outcomes import archive_of
from shipworthy.live.serving import LOOK_S
from shipworthy.live.shadow.frames import BrokenTalkError
from shipworthy.live.shadow.guarded import SCRATCH, GuardedChild, carry
from shipworthy.live.shadow.walls import WHOLE
from shipworthy.live.tail import Place, Tail
from shipworthy.log.archive import DECISIONS, SHADOWS, Archive
from shipworthy.project import Project
from shipworthy.project.clock import now
from shipworthy.ship.rollout import read_rollout, rollout_history
from shipworthy.step import Rung

POLL_S = 0.02
"""How long the shadow rests before it looks at the decision log again."""

DRAIN_S = 5
"""How many seconds what waits is worked off when the shadow is told to end."""

_ARCHIVED = -1
"""The length of a place that is a row of a part of the archive, not bytes of a segment."""

_LOCK = ".shadow.lock"
_LOG = logging.getLogger("shipworthy.live")


def run_shadow(project: Project, problem: str, folder: Path, *, once: bool = False) -> int:
    """Decides in the shadow until SIGTERM or SIGINT, or once, and gives how many decisions still wait.

    Call it in the main thread.
    What waits when it is told to end is worked off for a few seconds; the rest is for the next start.

    Args:
        project: Where rollouts and releases are.
        problem: The problem whose decisions are followed.
        folder: Where its logs are.
        once: Works off what is there, and ends.

    Raises:
        UnavailableError: it is to be done once, and another shadow is at work, or a store or a disk does not answer.
    """
    shadow = Shadow(project, problem, folder)
    try:
        if once:
            shadow.work_off()
        else:
            _until_told(shadow)
    except _DrainedError:
        pass
    finally:
        shadow.close()
    return shadow.waiting


def _until_told(shadow: Shadow) -> None:
    stopped = Event()

    def stop(number: int, frame: object) -> None:
        del number, frame
        stopped.set()
        signal.alarm(DRAIN_S)

    def give_up(number: int, frame: object) -> None:
        del number, frame
        raise _DrainedError

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    signal.signal(signal.SIGALRM, give_up)
    shadow.follow(stopped)
    signal.alarm(0)


class _DrainedError(BaseException):
    """The time for what still waits is over."""


class _Head(msgspec.Struct):
    id: str
    at: str
    releases: dict[str, str] = {}
    answers: dict[str, msgspec.Raw] = {}


class _Done(msgspec.Struct):
    id: str


class _Telemetry(msgspec.Struct):
    """What an answer must have, whoever says it."""

    rung: str
    status: str
    falls: list[str]
    decisions: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, order=True)
class _Waiting:
    at: str
    id: str
    arm: str
    release: str
    place: Place


class Shadow:
    """Decides in the shadow of one problem's service; one at a time does, whoever else is there waits for its turn.

    Attributes:
        waiting: How many decisions are to be worked off.
    """

    def __init__(self, project: Project, problem: str, folder: Path) -> None:
        """Names the problem and the folder of its logs."""
        self._project, self._problem, self._folder = project, problem, folder
        self._tail = Tail(folder, DECISIONS)
        self._log = SegmentLog(folder, SHADOWS)
        self._archive = archive_of(project, problem, folder)
        self._archived: set[str] = set()
        self._lock: int | None = None
        self._known: set[str] = set()
        self._queue: list[_Waiting] = []
        self._wanted: frozenset[str] | None = None
        self._looked_at = float("-inf")
        self._children: dict[str, GuardedChild] = {}
        self._walls: dict[str, list[str]] = {}
        self._broken: dict[str, str] = {}
        self._trouble = ""

    @property
    def waiting(self) -> int:
        """How many decisions are to be worked off."""
        return len(self._queue)

    def take_turn(self) -> bool:
        """Makes this shadow the one that decides, where no other one does.

        Raises:
            OSError: the folder cannot be written.
        """
        if self._lock is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(lock)
                return False
            self._lock = lock
            for left in self._folder.glob(f"{SCRATCH}*"):  # by a shadow that was killed
                shutil.rmtree(left, ignore_errors=True)
            done = Tail(self._folder, SHADOWS)
            self._known.update(_DONE.decode(line).id for _, line in done.read() if _is_whole(line))
            done.close()
        return True

    def work_off(self) -> None:
        """Works off what is there.

        Raises:
            UnavailableError: another shadow is at work, or a store or a disk does not answer.
        """
        if not self.take_turn():
            raise UnavailableError(
                f"Another shadow is at work in {self._folder}: it decides what waits. Let it, or end it first."
            )
        self._look()
        while self._queue:
            self._decide_next()

    def follow(self, stopped: Event) -> None:
        """Works off what waits and what comes, until it is stopped and nothing waits."""
        while not (stopped.is_set() and not self._queue):
            if not (self.take_turn() and self.step()):
                if stopped.is_set():
                    return
                stopped.wait(POLL_S)

    def step(self) -> bool:
        """Looks what waits, and decides the oldest of it; whether it did."""
        try:
            self._look()
            metrics.SHADOW_WAITING.set(len(self._queue))
            if self._queue:
                self._decide_next()
                return True
        except (
            ShipworthyError,
            OSError,
        ) as error:  # a store or a disk does not answer: nothing is lost, it is tried again
            self._say(str(error))
        return False

    def close(self) -> None:
        """Ends the children, and leaves the turn to another one."""
        for release in list(self._children):
            self._end(release)
        self._tail.close()
        self._log.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _look(self) -> None:
        if monotonic() - self._looked_at >= LOOK_S:
            self._look_at_rollout()
        if self._wanted is None:
            return
        if self._tail.look() and self._archive is not None:
            try:
                self._look_into(self._archive, self._wanted)
            except UnavailableError:
                self._tail.look_again()
                raise
        for place, line in self._tail.read_seen():
            self._note(place, line)

    def _look_into(self, archive: Archive, wanted: frozenset[str]) -> None:
        """Notes what was compacted before it was looked at; a segment goes only after the archive has it."""
        for part in archive.parts(SHADOWS):
            if part.key not in self._archived and part.dropped is None:
                self._known.update(archive.ids(part))
                self._archived.add(part.key)
        moves = rollout_history(self._project, self._problem)
        tried = {move.version for move in moves if move.challenger and {move.champion, move.challenger} <= wanted}
        for part in archive.parts(DECISIONS):
            if part.key in self._archived:
                continue
            if self._tail.skip(part.segments) and part.dropped is None and not tried.isdisjoint(part.rollouts):
                for row, line in enumerate(archive.lines(part)):
                    self._note(Place(part.key, row, _ARCHIVED), line.encode())
            self._archived.add(part.key)

    def _note(self, place: Place, line: bytes) -> None:
        try:
            head = _HEADS.decode(line)
        except msgspec.MsgspecError:
            return  # torn by a crash, and never acknowledged
        if head.id in self._known:
            return
        for arm, release in head.releases.items():
            if arm not in head.answers:
                self._known.add(head.id)
                heappush(self._queue, _Waiting(head.at, head.id, arm, release, place))

    def _line(self, waiting: _Waiting) -> bytes:
        place = waiting.place
        if self._archive is not None and place.length == _ARCHIVED:
            return self._archive.line(place.segment, place.offset)
        try:
            return self._tail.at(place)
        except FileNotFoundError:
            if self._archive is None:
                raise
            return self._archive.moved(DECISIONS, place.segment, waiting.id)

    def _look_at_rollout(self) -> None:
        rollout = read_rollout(self._project, self._problem)
        self._looked_at = monotonic()
        wanted = frozenset({rollout.champion, rollout.challenger or rollout.champion}) if rollout else frozenset[str]()
        if wanted != self._wanted:
            self._wanted, self._broken = wanted, {}
            for release in self._children.keys() - wanted:
                self._end(release)

    def _decide_next(self) -> None:
        """Decides the oldest; it leaves the queue only when its answer is in the log."""
        assert self._wanted is not None, "nothing waits before the rollout is known"
        waiting = self._queue[0]
        if waiting.release in self._wanted:
            self._append(waiting)
        heappop(self._queue)

    def _append(self, waiting: _Waiting) -> None:
        line = self._line(waiting)
        entry = msgspec.json.decode(line, type=dict[str, Any])
        answer, denied = self._answer(waiting, line, entry)
        shadow = {
            "id": waiting.id,
            "at": now().isoformat(timespec="microseconds"),
            "problem": self._problem,
            "period": entry["period"],
            "arm": waiting.arm,
            "answer": answer,
            "denied": denied,
            "walls": self._walls.get(waiting.release, []),
        }
        self._log.append(msgspec.json.encode(shadow))
        metrics.count_answers({waiting.arm: answer})
        metrics.DENIED.inc(len(denied))
        if denied:
            self._say(f"Release {waiting.release} attempted what the shadow denies: {'; '.join(denied)}")

    def _answer(self, waiting: _Waiting, line: bytes, entry: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        release = waiting.release
        try:
            said = self._child(release).ask(line, entry.get("time_limit") or TIME_LIMIT)
            if said.trouble:
                raise UnavailableError(f"What release {release} looks back on cannot be read: {said.trouble}")
            msgspec.convert(said.answer, _Telemetry)
        except (BrokenTalkError, msgspec.MsgspecError) as error:
            self._end(release)
            why = f"in the shadow: {error}"
            self._say(f"Release {release} could not decide {waiting.id} {why}")
            return _undecided(release, entry, why), []
        if said.last:
            self._end(release)
        return {**said.answer, "release": release}, said.denied

    def _child(self, release: str) -> GuardedChild:
        if release in self._broken:
            raise BrokenTalkError(self._broken[release])
        if release not in self._children:
            try:
                child = GuardedChild(self._project, carry(self._project, release, self._folder))
            except UnavailableError:
                raise
            except (
                ShipworthyError
            ) as error:  # it will not open the next time either: only another move brings another one
                self._broken[release] = str(error)
                raise BrokenTalkError(str(error)) from error
            self._children[release], self._walls[release] = child, child.walls
            if not set(child.walls) >= WHOLE:
                self._say(
                    f"Around the shadow there is, on this kernel, only: {', '.join(child.walls)}. See docs/shadow.md."
                )
        return self._children[release]

    def _end(self, release: str) -> None:
        child = self._children.pop(release, None)
        if child is not None:
            child.end()

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            _LOG.warning("%s", trouble)
        self._trouble = trouble


def _undecided(release: str, entry: Mapping[str, Any], why: str) -> dict[str, Any]:
    """The answer of a release that could not even be asked, in the shape of the one that answered."""
    answered = next(iter(entry["answers"].values()))
    asked = entry["rows"][0].keys()
    blank = [{name: row[name] if name in asked else None for name in row} for row in answered["decisions"]]
    nothing = dict.fromkeys(answered) | {"seconds": 0.0}
    told = {"rung": str(Rung.NONE), "status": "nothing decided", "falls": [why], "decisions": blank}
    return {**nothing, **told, "release": release}


def _is_whole(line: bytes) -> bool:
    try:
        _DONE.decode(line)
    except msgspec.MsgspecError:
        return False
    return True


_HEADS = msgspec.json.Decoder(_Head)
_DONE = msgspec.json.Decoder(_Done)
