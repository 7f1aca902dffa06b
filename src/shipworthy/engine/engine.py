"""The port for engines: one function on many tasks, wherever they run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")

Done = Callable[[int, int], None]
"""Told after each task: how many are done, and of how many."""

Keep = Callable[[Any, Any], None]
"""Given each task and its result as soon as it is there, in the process that called `run`."""


def keep_nothing(task: object, result: object) -> None:
    """What `run` does with a result by itself: nothing but to return it."""
    del task, result


class Engine(Protocol):
    """Runs the same function on many tasks.

    Duties of a back end, which `shipworthy.engine.conformance.EngineConformance` tests:

    - results come in the order of the tasks, and are the same on every engine;
    - `keep` gets each result when it arrives, not at the end: what was kept outlives a kill of this process;
    - function and tasks are picklable, and the function is importable by its name in another process;
    - a task that reads a project is a dataclass with the fields `root` and `snapshot`: where workers do not see that folder, the
      engine lays the project's code and that snapshot where they run, and puts the folder there into `root`;
    - a task whose worker dies is run again, twice at most, and then named in an UnavailableError;
    - the first task that raises ends the run with its exception, and tasks not begun are cancelled;
    - an interrupt leaves nothing running.

    Workers start when the first run needs them. Within `with engine:` they stay for the runs that follow.
    """

    def run(self, function: Callable[[T], R], tasks: Sequence[T], done: Done, keep: Keep = keep_nothing) -> list[R]:
        """Runs all tasks and gives their results."""

    def __enter__(self) -> Self:
        """Keeps the workers until the `with` is left."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the workers."""
