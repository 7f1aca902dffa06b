"""Waiting for what may hang, and no longer than one can."""

from __future__ import annotations

import os
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread
from time import perf_counter
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def call_within(call: Callable[[], T], seconds: float) -> T:
    """What a call returns, unless it takes longer than these seconds.

    What hangs cannot be stopped from outside. Its thread is abandoned: it is a daemon, what it may still return is thrown
    away, and it takes calls again once it is back.

    Raises:
        TimeoutError: it does not return in time, or did so too late while native code kept all of Python waiting.
        Exception: what the call raises.

    >>> call_within(lambda: 6 * 7, 1.0)
    42
    """
    try:
        thread = _IDLE.pop()
    except IndexError:
        thread = _Thread()
    called = _Call(call)
    thread.calls.put(called)
    called.returned.acquire(timeout=seconds)
    if called.seconds is None or called.seconds > seconds:
        raise TimeoutError
    if called.error is not None:
        raise called.error
    return called.result


class _Call(Generic[T]):
    """A call on its way through a thread."""

    __slots__ = ("_call", "_started", "error", "result", "returned", "seconds")

    result: T

    def __init__(self, call: Callable[[], T]) -> None:
        self._call, self._started = call, perf_counter()
        self.error: BaseException | None = None
        self.seconds: float | None = None
        self.returned = Lock()
        self.returned.acquire()

    def go(self) -> None:
        try:
            self.result = self._call()
        except BaseException as error:  # noqa: BLE001  (raised again where it was called)
            self.error = error
        self.seconds = perf_counter() - self._started


class _Thread(Thread):
    """A thread that takes one call after another: to start one costs ten times as much as to wake it."""

    def __init__(self) -> None:
        super().__init__(name="idle", daemon=True)
        self.calls: SimpleQueue[_Call[Any]] = SimpleQueue()
        self.start()

    def run(self) -> None:
        while True:
            call = self.calls.get()
            self.name = "decide-call"
            call.go()
            self.name = "idle"
            _IDLE.append(self)
            call.returned.release()
            del call  # what it holds is not kept until the next one


_IDLE: list[_Thread] = []
os.register_at_fork(after_in_child=_IDLE.clear)  # a child has none of its parent's threads
