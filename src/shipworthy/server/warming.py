"""Before a server says that it is ready it reads every project once, so that nobody waits for that.

It goes on meanwhile, and answers whoever does not wait for it to be ready.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from shipworthy.errors import ShipworthyError
from shipworthy.programme.backlog import backlog
from shipworthy.programme.statistics import programme
from shipworthy.programme.waiting import waits
from shipworthy.workspace.desk import Desk
from shipworthy.workspace.told import warm

_ALLOCATIONS, _YOUNG, _OLD = 50_000, 20, 50
"""When garbage is looked for: a server holds much for ever, and looking through all of that often takes most of its time."""


@contextmanager
def warming(desk: Desk) -> Iterator[None]:
    """Reads the projects behind whatever is asked, and says so once all are read."""
    gc.set_threshold(_ALLOCATIONS, _YOUNG, _OLD)
    stop = Event()
    Thread(target=_warm, args=(desk, stop), name="warming", daemon=True).start()
    try:
        yield
    finally:
        stop.set()


def _warm(desk: Desk, stop: Event) -> None:
    for project in desk.workspace.projects.values():
        if stop.is_set():
            return
        with suppress(ShipworthyError):  # whoever asks is told
            warm(desk, project, (waits, backlog, programme))
    gc.freeze()
    desk.is_warm.set()
