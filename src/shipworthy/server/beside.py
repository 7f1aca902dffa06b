"""What runs beside the doors: whoever is to be told hears, from one process of a machine; no worker outlives who started it."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event, Thread

from shipworthy.programme.notices import channels, follow
from shipworthy.project import Project
from shipworthy.workspace.workspace import Workspace

_LOCK = Path(".shipworthy") / "notices.lock"
_AGAIN_S = 5.0


def follow_starter() -> None:
    """Ends a worker that another process started when that is gone, however it went, so that none is left behind on the port."""
    starter = parent_process()
    if starter is not None:
        Thread(target=_follow, args=(starter,), name="starter", daemon=True).start()


def _follow(starter: BaseProcess) -> None:
    starter.join()
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def notices_beside(workspace: Workspace) -> Iterator[None]:
    """Tells the notices of every project that names a channel, as long as the server runs."""
    stop = Event()
    tellers = [
        Thread(target=_tell, args=(project, stop), name=f"notices of {project.name}", daemon=True)
        for project in workspace.projects.values()
        if channels(project)
    ]
    for teller in tellers:
        teller.start()
    try:
        yield
    finally:
        stop.set()
        for teller in tellers:
            teller.join(timeout=_AGAIN_S)


def _tell(project: Project, stop: Event) -> None:
    """Waits until no other process of this machine tells, and tells from then on: workers must not say all of it twice."""
    place = project.root / _LOCK
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w") as lock:
        while not stop.is_set():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # another process has it, and gives it up when it ends
                stop.wait(_AGAIN_S)
            else:
                follow(project, stop)
