"""The engine that every machine has: local processes."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection, get_context
from types import TracebackType
from typing import Self, TypeVar

from shipworthy.engine.engine import Done, Engine, Keep, keep_nothing
from shipworthy.engine.memory import available_memory
from shipworthy.engine.work import Work, outcomes_of
from shipworthy.errors import UnavailableError
from shipworthy.project.environment import environment, exact

T = TypeVar("T")
R = TypeVar("R")

_LOG = logging.getLogger("shipworthy.engine")
_SPAWN = get_context("spawn")
_TELL_SECONDS = 0.02
_END_SECONDS = 2.0


class ProcessEngine:
    """Spawns processes on this machine; one worker, or one task, runs in this very process unless it is to run apart.

    Libraries inside a worker get one thread each, so that as many workers as cores do not fight over them.

    >>> ProcessEngine(workers=1).run(abs, [-1, 2], lambda done, of: None)
    [1, 2]
    """

    def __init__(self, *, workers: int, memory_each: int = 0, apart: bool = False) -> None:
        """Says how many processes to use; none is started yet.

        Args:
            workers: How many at most.
            memory_each: The bytes that one of them is expected to need; fewer are started where memory is short.
            apart: Whether one task alone gets a process of its own too.
        """
        self._wanted = workers
        self._memory_each = memory_each
        self._apart = apart
        self._allowed: int | None = None
        self._workers: list[_Worker] = []
        self._held = 0

    def run(self, function: Callable[[T], R], tasks: Sequence[T], done: Done, keep: Keep = keep_nothing) -> list[R]:
        """See `Engine.run`."""
        count = min(self._wanted, len(tasks))
        if count > 1:
            count = min(count, self._within_memory())
        if count == 0 or (count == 1 and not self._apart):
            return _run_here(function, tasks, done, keep)
        work = Work(function, tasks, done, keep, workers=count)
        with self:
            try:
                while not work.is_finished:
                    self._staff(count)
                    self._give(work)
                    self._gather(work)
            except BaseException:
                self._dismiss(at_once=True)
                raise
        return work.results

    def __enter__(self) -> Self:
        """See `Engine.__enter__`."""
        self._held += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See `Engine.__exit__`."""
        self._held -= 1
        if not self._held:
            self._dismiss(at_once=error is not None)

    def _within_memory(self) -> int:
        """How many workers memory has room for; where that is fewer than wanted, it is said once."""
        if self._allowed is None:
            available = available_memory() if self._memory_each else None
            room = self._wanted if available is None else max(1, available // self._memory_each)
            self._allowed = min(self._wanted, room)
            if self._allowed < self._wanted:
                _LOG.warning(
                    "%d of %d workers: %.1f GB of memory are available, and each may need %.1f GB.",
                    self._allowed,
                    self._wanted,
                    (available or 0) / 1e9,
                    self._memory_each / 1e9,
                )
        return self._allowed

    def _staff(self, count: int) -> None:
        """Starts as many workers as are missing."""
        while len(self._workers) < count:
            worker = _Worker()
            self._workers.append(worker)  # before it starts: an interrupt ends what is in this list
            worker.start()

    def _give(self, work: Work[T, R]) -> None:
        for worker in self._workers:
            if not worker.tasks and (numbers := work.take()):
                worker.give(numbers, work.pack(numbers))

    def _gather(self, work: Work[T, R]) -> None:
        """Waits until a worker tells something or dies, and takes that in."""
        ready = connection.wait([thing for worker in self._workers for thing in (worker.pipe, worker.process.sentinel)])
        for worker in [one for one in self._workers if one.pipe in ready or one.process.sentinel in ready]:
            told = worker.hear()
            if told is None:
                self._workers.remove(worker)
                work.lost(worker.tasks, worker.bury())
                continue
            outcomes, seconds = told
            numbers = [worker.tasks.pop(0) for _ in outcomes]
            work.arrived(numbers, outcomes, seconds)

    def _dismiss(self, *, at_once: bool) -> None:
        for worker in self._workers:
            worker.pipe.close()
        while self._workers:
            self._workers[-1].end(at_once=at_once)
            self._workers.pop()


class _Worker:
    """One process, and what it has been given and not answered yet."""

    def __init__(self) -> None:
        self.pipe, self._theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=_work, args=(self._theirs, os.getpid()))
        self.tasks: list[int] = []
        self._has_begun = False

    def start(self) -> None:
        """Starts the process."""
        with environment(exact()), _uninterrupted():
            self.process.start()
        self._theirs.close()

    def give(self, numbers: Sequence[int], packed: bytes) -> None:
        """Sends tasks; a worker that is dead says so when it is heard."""
        self.tasks = list(numbers)
        with suppress(OSError):
            self.pipe.send_bytes(packed)

    def hear(self) -> tuple[list[bytes], float] | None:
        """What it tells: outcomes, and the seconds they took; None if it is dead."""
        try:
            if not self.pipe.poll():
                return None
            told: tuple[list[bytes], float] = pickle.loads(self.pipe.recv_bytes())  # noqa: S301  (our own worker)
        except (EOFError, OSError):
            return None
        self._has_begun = True
        return told

    def bury(self) -> str:
        """Clears a dead worker away and says how it died.

        Raises:
            UnavailableError: it never began.
        """
        self.process.join(_END_SECONDS)
        code = self.process.exitcode
        self.end(at_once=True)
        if not self._has_begun and code is not None and code > 0:
            raise UnavailableError(
                f"A worker process could not start: it ended with code {code}. If a script of yours runs this, put what it does "
                "under `if __name__ == '__main__':`, for each worker imports the script."
            )
        return f"killed by signal {-code}" if code is not None and code < 0 else f"it ended with code {code}"

    def end(self, *, at_once: bool) -> None:
        """Ends the process: it is asked to, or killed."""
        self.pipe.close()
        if self.process.pid is None:
            return
        if not at_once:
            self.process.join(_END_SECONDS)
        self.process.kill()
        self.process.join()
        self.process.close()


def _run_here(function: Callable[[T], R], tasks: Sequence[T], done: Done, keep: Keep) -> list[R]:
    results = []
    for task in tasks:
        results.append(function(task))
        keep(task, results[-1])
        done(len(results), len(tasks))
    return results


def _work(pipe: connection.Connection[bytes, bytes], parent: int) -> None:
    """What a worker does until its pipe is closed. Outcomes of short tasks are told together."""
    signal.signal(signal.SIGINT, lambda number, frame: None)  # the process that started it hears it too, and ends it
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    _end_with(parent)
    with suppress(EOFError, OSError):
        _tell(pipe, [], 0.0)
        while True:
            outcomes, spent = [], 0.0
            for outcome, seconds in outcomes_of(pipe.recv_bytes()):
                outcomes.append(outcome)
                spent += seconds
                if spent > _TELL_SECONDS:
                    _tell(pipe, outcomes, spent)
                    outcomes, spent = [], 0.0
            if outcomes:
                _tell(pipe, outcomes, spent)


def _tell(pipe: connection.Connection[bytes, bytes], outcomes: list[bytes], seconds: float) -> None:
    pipe.send_bytes(pickle.dumps((outcomes, seconds), protocol=5))


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Lets no Ctrl-C through: a process that starts meanwhile inherits that, until it can deal with one."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with(parent: int) -> None:
    """Ends this worker when the process that started it is gone, however that went."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _fits(engine: ProcessEngine) -> Engine:
    return engine
