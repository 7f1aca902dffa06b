"""The shadow beside a service: a process of its own that is started with it, started again where it dies, and ended with it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock, Thread
from time import sleep

from shipworthy.live.settings import Settings
from shipworthy.live.shadows import DRAIN_S, run_shadow
from shipworthy.project import open_project

_AGAIN_S = 2.0
_LOOK_S = 0.5
_NICE = 10  # who answers requests goes first


@contextmanager
def shadow_beside(settings: Settings) -> Iterator[None]:
    """Keeps a shadow running; where one release is served without any rollout there is none to keep."""
    if settings.release is not None:
        yield
        return
    kept = _Kept(settings)
    kept.start()
    try:
        yield
    finally:
        kept.end()


class _Kept:
    """The process, and the thread that starts it again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ended = Event()
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = Thread(target=self._keep, daemon=True, name="shadow")

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        with self._lock:
            process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(DRAIN_S + 2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _keep(self) -> None:
        while not self._ended.is_set():
            with self._lock:
                if self._ended.is_set():
                    return
                self._process = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", "shipworthy.live.beside", self._settings.to_text()], cwd=self._settings.root
                )
            self._process.wait()
            self._ended.wait(_AGAIN_S)


def _follow_parent() -> None:
    """Ends this process when the service is gone without a word; what was not decided is decided after the next start."""
    parent = os.getppid()

    def follow() -> None:
        while os.getppid() == parent:
            sleep(_LOOK_S)
        os._exit(1)

    Thread(target=follow, daemon=True, name="parent").start()


def _main(settings: Settings) -> None:
    _follow_parent()
    os.nice(_NICE)
    run_shadow(open_project(Path(settings.root)), settings.problem, settings.folder)


if __name__ == "__main__":
    _main(Settings.from_text(sys.argv[1]))
