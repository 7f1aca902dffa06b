"""The shadow beside a service: a process of its own that is started with it, started again where it dies, and ended with it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Lock, Thread
from time import sleep

from shipworthy.live.settings import Settings
from shipworthy.live.shadow.shadow import DRAIN_S, run_shadow
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
    kept = Kept([sys.executable, "-m", "shipworthy.live.beside", settings.to_text()], settings.root, DRAIN_S + 2)
    kept.start()
    try:
        yield
    finally:
        kept.end()


class Kept:
    """A process beside a service, and the thread that starts it again where it dies."""

    def __init__(self, command: Sequence[str], folder: str, patience_s: float) -> None:
        """Takes the command, the folder it runs in, and the seconds that it has to end once it is told to."""
        self._command, self._folder, self._patience_s = command, folder, patience_s
        self._ended = Event()
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = Thread(target=self._keep, daemon=True, name="beside")

    def start(self) -> None:
        """Starts the process."""
        self._thread.start()

    def end(self) -> None:
        """Ends it, and waits until it is gone."""
        self._ended.set()
        with self._lock:
            process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(self._patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _keep(self) -> None:
        while not self._ended.is_set():
            with self._lock:
                if self._ended.is_set():
                    return
                self._process = subprocess.Popen(self._command, cwd=self._folder)  # noqa: S603
            with suppress(OSError):  # it may have ended by now
                os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICE)
            self._process.wait()
            self._ended.wait(_AGAIN_S)


def follow_parent() -> None:
    """Ends this process when the service is gone without a word; what was not decided is decided after the next start."""
    parent = os.getppid()

    def follow() -> None:
        while os.getppid() == parent:
            sleep(_LOOK_S)
        os._exit(1)

    Thread(target=follow, daemon=True, name="parent").start()


def _main(settings: Settings) -> None:
    follow_parent()
    run_shadow(open_project(Path(settings.root)), settings.problem, settings.folder)


if __name__ == "__main__":
    _main(Settings.from_text(sys.argv[1]))
