"""The work of one run: what waits, what was lost with a worker, and what has come back."""

from __future__ import annotations

import pickle
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from traceback import format_exc
from typing import Any, Generic, TypeVar

from shipworthy.engine.engine import Done, Keep
from shipworthy.errors import InvalidInputError, UnavailableError, UserCodeError

T = TypeVar("T")
R = TypeVar("R")

_RETRIES = 2
_CHUNK_SECONDS = 0.1
_LONGEST_NAME = 200


class Work(Generic[T, R]):
    """Tasks handed out in chunks, and their outcomes taken in.

    Long tasks go out one by one. Short ones go together, as many as take a tenth of a second, so that a run of
    tasks that do next to nothing is not all messages. A task that was lost with its worker goes out alone from then on: if
    it is the one that kills, the next death says so.
    """

    def __init__(self, function: Callable[[T], R], tasks: Sequence[T], done: Done, keep: Keep, *, workers: int) -> None:
        """Says what is to be done, and how many share it."""
        self._function, self._tasks, self._done, self._keep = function, tasks, done, keep
        self._workers = workers
        self._waiting = deque(range(len(tasks)))
        self._results: dict[int, R] = {}
        self._lost: Counter[int] = Counter()
        self._at_once = 1

    @property
    def is_finished(self) -> bool:
        """Whether every task has its result."""
        return len(self._results) == len(self._tasks)

    @property
    def results(self) -> list[R]:
        """The results in the order of the tasks."""
        return [self._results[number] for number in range(len(self._tasks))]

    def take(self) -> list[int]:
        """The numbers of the tasks to give out next; none where none waits."""
        fair = len(self._waiting) // (2 * self._workers)
        chunk: list[int] = []
        while self._waiting and len(chunk) < max(1, min(self._at_once, fair)):
            if self._lost[self._waiting[0]]:
                return chunk or [self._waiting.popleft()]
            chunk.append(self._waiting.popleft())
        return chunk

    def pack(self, numbers: Sequence[int]) -> bytes:
        """The function with these tasks, as bytes for a worker.

        Raises:
            InvalidInputError: they cannot be pickled.
        """
        try:
            return pickle.dumps((self._function, [self._tasks[number] for number in numbers]), protocol=5)
        except Exception as error:  # pickle raises whatever an object raises
            name = getattr(self._function, "__qualname__", repr(self._function))
            raise InvalidInputError(
                f"{name} with its tasks cannot be sent to a worker: {error}. Define it at the top of a module, and give it "
                "plain data."
            ) from error

    def arrived(self, numbers: Sequence[int], outcomes: Sequence[bytes], seconds: float) -> None:
        """Takes in what came of some tasks, and how long they took together.

        Raises:
            Exception: what the first of them raised that failed.
        """
        for number, outcome in zip(numbers, outcomes, strict=True):
            succeeded, result = pickle.loads(outcome)  # noqa: S301  (from a worker of our own)
            if not succeeded:
                raise result
            self._results[number] = result
            self._keep(self._tasks[number], result)
        if outcomes:
            self._at_once = max(1, int(_CHUNK_SECONDS * len(outcomes) / max(seconds, 1e-9)))
            self._done(len(self._results), len(self._tasks))

    def lost(self, numbers: Sequence[int], why: str) -> None:
        """Puts back tasks whose worker died before they were done.

        Raises:
            UnavailableError: it was the third time for one of them.
        """
        for number in reversed(numbers):
            self._lost[number] += 1
            if self._lost[number] > _RETRIES:
                raise UnavailableError(
                    f"A worker died three times over {_named(self._tasks[number])}: {why}. What was finished is kept. If memory "
                    "is short, set fewer workers in [research], or learn from less; then run the same command again."
                )
            self._waiting.appendleft(number)


def outcomes_of(packed: bytes, place: Callable[[Any], Any] = lambda task: task) -> Iterator[tuple[bytes, float]]:
    """In a worker: runs packed tasks one after the other, and gives what came of each with the seconds it took.

    Args:
        packed: What `Work.pack` made.
        place: Puts a task in its place on this machine.
    """
    began = time.perf_counter()
    try:
        function, tasks = pickle.loads(packed)  # noqa: S301  (from the process that we work for)
    except Exception as error:  # noqa: BLE001  (whatever the import of the function's module raises)
        refused = InvalidInputError(f"A worker cannot take the task: {type(error).__name__}: {error}")
        yield _failure(refused), time.perf_counter() - began
        return
    for task in tasks:
        outcome = _outcome(function, task, place)
        yield outcome, time.perf_counter() - began
        began = time.perf_counter()


def _outcome(function: Callable[[Any], Any], task: Any, place: Callable[[Any], Any]) -> bytes:
    try:
        result = function(place(task))
    except BaseException as error:  # noqa: BLE001  (it is raised where `run` was called)
        return _failure(error)
    try:
        return pickle.dumps((True, result), protocol=5)
    except Exception as error:  # noqa: BLE001  (pickle raises whatever an object raises)
        return _failure(InvalidInputError(f"The result, a {type(result).__name__}, cannot be sent back: {error}"))


def _failure(error: BaseException) -> bytes:
    """An exception as bytes: itself, with its traceback as a note, where it survives being pickled."""
    error.add_note(f"In a worker:\n{format_exc()}")
    with suppress(Exception):
        packed = pickle.dumps((False, error), protocol=5)
        if type(pickle.loads(packed)[1]) is type(error):  # noqa: S301  (our own bytes)
            return packed
    return pickle.dumps((False, UserCodeError(f"{type(error).__name__}: {error}")), protocol=5)


def _named(task: object) -> str:
    name = str(task)
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."
