"""The readings of a project: figures that need the project's own code, read by processes of their own, one at a time.

A page shows the last reading at once, however old; where it is stale it is read again behind the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from threading import Event, Lock, Thread

from shipworthy.errors import ShipworthyError
from shipworthy.project import Project
from shipworthy.project.clock import now
from shipworthy.workspace.reading import Question, Reading
from shipworthy.workspace.running import environment_of, run
from shipworthy.workspace.turn import Turn

_FOLDER = ".shipworthy/readings"
_LIMIT_S = 600.0
_LOOK_S = 0.2
_RETRY = timedelta(seconds=60)
_KINDS = frozenset(
    {"idea", "signoff", "data", "research", "verdict", "override", "holdout", "release", "rollout", "log"}
)
"""Records after which figures may be others; a comment or a job changes none."""
_TITLE = re.compile(r"^[A-Z][a-z ]+: ")


class Readings:
    """The readings of one project, kept in files beside its stores, so that every server process has them."""

    def __init__(self, project: Project, *, hidden: Collection[str] = ()) -> None:
        """Reads nothing yet; `hidden` are variables of the environment that the project's code does not get."""
        self._project = project
        self._hidden = frozenset(hidden)
        self._folder = project.root / _FOLDER
        self._stop = Event()
        self._one_at_a_time = Lock()
        self._asked: set[Question] = set()
        self._lock = Lock()
        self._since: int | None = None
        self._seq = 0
        self._moved = 0

    def last(self, question: Question) -> tuple[Reading | None, bool]:
        """The last reading, and whether a newer one is on its way; asking never waits for it."""
        found = Reading.find(self._folder, question)
        if not self._is_stale(found, question):
            return found, False
        with self._lock:
            if question not in self._asked and not self._stop.is_set():
                self._asked.add(question)
                Thread(target=self._work, args=(question,), name=f"reading {question.words[0]}", daemon=True).start()
        return found, True

    def end(self) -> None:
        """Ends what is being read."""
        self._stop.set()

    def _is_stale(self, found: Reading | None, question: Question) -> bool:
        if found is None:
            return True
        age = abs(now() - found.at)  # one from a future that a clock came back from is no newer for that
        if found.error and age < _RETRY:
            return False
        if question.lasts_s is not None and age > timedelta(seconds=question.lasts_s):
            return True
        return found.seq < self._newest_move(found.seq) or found.log != self._stamp()

    def _newest_move(self, since: int) -> int:
        """The newest record after which figures may be others."""
        with self._lock:
            if self._since is None or since < self._since:  # of an older reading more records count
                self._since = self._seq = since
            while records := self._project.records.since(self._seq):
                self._seq = records[-1].seq
                self._moved = max([self._moved, *(record.seq for record in records if record.kind in _KINDS)])
            return self._moved

    def _stamp(self) -> str:
        """What the logs looked like: names and sizes of their files."""
        folder, seen = self._project.log_folder, sha256()
        with suppress(OSError):
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    seen.update(f"{path.relative_to(folder)} {path.stat().st_size}\n".encode())
        return seen.hexdigest()[:16]

    def _work(self, question: Question) -> None:
        try:
            with self._one_at_a_time, suppress(ShipworthyError):
                turn = Turn.take(self._folder / "turn")
                while turn is None and not self._stop.wait(_LOOK_S):
                    turn = Turn.take(self._folder / "turn")
                if turn is None:
                    return
                try:
                    self._read(question)
                finally:
                    turn.give_back()
        finally:
            with self._lock:
                self._asked.discard(question)

    def _read(self, question: Question) -> None:
        before = Reading.find(self._folder, question)
        if before is not None and not self._is_stale(before, question):
            return  # another process read it meanwhile
        at, seq, log = now(), self._project.records.head().seq, self._stamp()
        words = [question.words[0], "--json", *question.words[1:]]
        ended = run(words, self._project.root, environment_of(self._project.who, self._hidden), _LIMIT_S, self._stop)
        if self._stop.is_set():
            return
        answer, error = before.answer if before else None, ""
        try:
            answer = json.loads(ended.out)
        except ValueError:
            error = _TITLE.sub("", ended.said.strip()) or ended.why or f"It ended with {ended.code} and said nothing."
        Reading(answer=answer, error=error, seq=seq, log=log, at=at).keep(self._folder, question)
