"""The port for engines, and the engine that every machine has: local processes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Protocol, TypeVar

from shipworthy.errors import UnavailableError
from shipworthy.project.environment import environment, one_thread_each

T = TypeVar("T")
R = TypeVar("R")

Done = Callable[[int, int], None]
"""Told after each task: how many are done, and of how many."""


class Engine(Protocol):
    """Runs the same function on many tasks.

    Duties of a back end:

    - results come in the order of the tasks, and are the same on every engine;
    - function and tasks are picklable, and the function is importable by its name in another process;
    - the first task that raises ends the run with its exception, and tasks not begun are cancelled;
    - an interrupt leaves nothing running.
    """

    def run(self, function: Callable[[T], R], tasks: Sequence[T], done: Done) -> list[R]:
        """Runs all tasks and gives their results."""


class ProcessEngine:
    """Spawns processes on this machine; one worker, or one task, runs in this very process.

    Libraries inside a worker get one thread each, so that as many workers as cores do not fight over them.

    >>> ProcessEngine(workers=1).run(abs, [-1, 2], lambda done, of: None)
    [1, 2]
    """

    def __init__(self, *, workers: int) -> None:
        """Says how many processes to use; none is started yet."""
        self._workers = workers

    def run(self, function: Callable[[T], R], tasks: Sequence[T], done: Done) -> list[R]:
        """See `Engine.run`.

        Raises:
            UnavailableError: a worker was killed, for example for want of memory.
        """
        if min(self._workers, len(tasks)) <= 1:
            return _run_here(function, tasks, done)
        with (
            environment(one_thread_each()),
            ProcessPoolExecutor(
                min(self._workers, len(tasks)),
                mp_context=get_context("spawn"),
                initializer=_end_with,
                initargs=(os.getpid(),),
            ) as pool,
        ):
            futures = [pool.submit(function, task) for task in tasks]
            try:
                return _gathered(futures, done)
            except BrokenProcessPool as error:
                raise UnavailableError(
                    "A worker process was killed, perhaps for want of memory. What was finished is kept: run the same "
                    "command again, with fewer workers in [research] if memory is short."
                ) from error
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def _run_here(function: Callable[[T], R], tasks: Sequence[T], done: Done) -> list[R]:
    results = []
    for task in tasks:
        results.append(function(task))
        done(len(results), len(tasks))
    return results


def _gathered(futures: Sequence[Future[R]], done: Done) -> list[R]:
    waiting = set(futures)
    while waiting:
        finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for future in finished:
            future.result()
        done(len(futures) - len(waiting), len(futures))
    return [future.result() for future in futures]


def _end_with(parent: int) -> None:
    """Ends this worker when the process that started it is gone, however that went."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _fits(engine: ProcessEngine) -> Engine:
    return engine
