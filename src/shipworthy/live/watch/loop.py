"""Watching on and on: by hand, or beside a service, as a process of its own that ends with it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import sleep

from shipworthy.live.beside import Kept, follow_parent
from shipworthy.live.settings import Settings
from shipworthy.live.watch.watch import Watched, watch
from shipworthy.project import Project, open_project

EVERY_S = 60.0
"""How often the watch beside a service looks."""

_END_S = 2.0
_LOG = logging.getLogger("shipworthy.live")


def keep_watching(project: Project, problem: str, every_s: float, tell: Callable[[Watched], None]) -> None:
    """Looks, waits, and looks again, for ever: whatever a look ends with, the next one comes."""
    while True:
        try:
            tell(watch(project, problem))
        except Exception as error:  # noqa: BLE001  (a store that is gone for an hour, or the user's code, must not end the watch)
            _LOG.warning("The watch of %s could not look: %s: %s", problem, type(error).__name__, error)
        sleep(every_s)


@contextmanager
def watch_beside(settings: Settings, wanted: bool) -> Iterator[None]:
    """Keeps a watch running beside a service; where one release is served without any rollout there is nothing to watch."""
    if not wanted or settings.release is not None:
        yield
        return
    kept = Kept([sys.executable, "-m", "shipworthy.live.watch.loop", settings.to_text()], settings.root, _END_S)
    kept.start()
    try:
        yield
    finally:
        kept.end()


def _say(watched: Watched) -> None:
    for alert in watched.news.opened:
        _LOG.warning("Opened: %s. %s %s", alert.key, alert.what, alert.do)
    for alert in watched.news.closed:
        _LOG.warning("Closed: %s", alert.key)
    if watched.moved is not None:
        _LOG.warning("%s: %s", watched.moved.phase, watched.moved.why)


def _main(settings: Settings) -> None:
    follow_parent()
    project = open_project(Path(settings.root))
    live = {**project.settings["live"], "log": settings.log_folder}
    keep_watching(replace(project, settings={**project.settings, "live": live}), settings.problem, EVERY_S, _say)


if __name__ == "__main__":
    _main(Settings.from_text(sys.argv[1]))
