"""What the service remembers: the decisions that were made, by whoever answered and in the shadow, and how they turned out.

All of it is read from the logs, this worker's own part included, so that every worker knows the same.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from shipworthy.live.remembered import Remembered, Row
from shipworthy.log.archive import OUTCOMES, SHADOWS, Archive
from shipworthy.project import Project

__all__ = ["OUTCOMES", "SHADOWS", "LivePast", "archive_of"]

_ASKED = 16
"""By so many of the newest periods that were asked for it is settled from which one on the past is kept."""


def archive_of(project: Project, problem: str, folder: Path) -> Archive | None:
    """What was compacted of the logs in a folder; None where it is not the one whose logs the project compacts."""
    if folder.resolve() != (project.log_folder / problem).resolve():
        return None
    return Archive.of(project, problem)


class LivePast:
    """The live part of one problem's past, kept up to date from its logs.

    What is kept in memory is bounded by `cover`. It may be used from several threads.

    Attributes:
        key: The columns of period and unit.
    """

    def __init__(self, folder: Path, *, key: tuple[str, str], archive: Archive | None = None) -> None:
        """Names the folder of the logs, the columns of period and unit, and where compacted logs are found."""
        self.key = key
        self._folder, self._archive = folder, archive
        self._lock = Lock()
        self._asked: dict[Any, Any] = {}
        self._kept: Remembered | None = None
        self._earlier = 0

    @property
    def version(self) -> int:
        """Grows whenever a row is settled, or settled otherwise."""
        return self._earlier + (self._kept.version if self._kept else 0)

    def cover(self, period: Any, first: Any, until: str | None = None) -> None:
        """Sees to it that a decision about `period` finds what is known from `first` on, both as JSON values.

        Periods before the first one that any of the newest periods needs are forgotten; where somebody decides an old period
        again, the logs are read again from there, as `refresh` does. Without a call of this, everything is kept.

        Raises:
            OSError: the disk does not answer.
            UnavailableError: the archive does not answer, and has to be read.
        """
        with self._lock:
            asked = {**{known: at for known, at in self._asked.items() if known != period}, period: first}
            asked = dict(list(asked.items())[-_ASKED:])
            needed = min(asked.values())
            if self._kept is None or (self._kept.first is not None and needed < self._kept.first):
                self._begin(needed, until)
            elif self._kept.first is None or needed > self._kept.first:
                self._kept.forget_before(needed)
            self._asked = asked

    def refresh(self, until: str | None = None) -> None:
        """Reads what was logged since the last time.

        Args:
            until: What was logged after this instant is not known yet, and is noted by a later call: so the past is as it was
                then, whenever it is asked for. None means that everything is known.

        Raises:
            OSError: the disk does not answer.
            UnavailableError: the archive does not answer, and was never read.
        """
        with self._lock:
            self._known(until).read(until)

    def waiting(self, releases: Collection[str]) -> int:
        """How many decisions wait for what one of these releases would have decided in the shadow."""
        with self._lock:
            return self._known().waiting(set(releases))

    def entry(self, decision: str) -> dict[str, Any] | None:
        """The log's entry of that id; None where nothing was decided under it.

        Raises:
            OSError: the disk does not answer.
        """
        with self._lock:
            line = self._known().line(decision)
            return None if line is None else msgspec.json.decode(line, type=dict[str, Any])

    def settled(self) -> tuple[int, list[Row], list[Row]]:
        """The version, every decided row with its outcome, and every outcome as it was posted, as JSON values."""
        with self._lock:
            return self.version, *self._known().settled()

    def last_plan(self, release: str, before: Any) -> tuple[Any, list[Row]] | None:
        """The newest period before a period that a release decided, with its decisions; None where there is none."""
        with self._lock:
            plans = self._known().plans(release)
            earlier = [period for period in plans if period < before]
            if not earlier:
                return None
            parts = list(plans[max(earlier)])
        decided: dict[Any, Row] = {}
        for part in parts:
            decided.update((row[self.key[1]], row) for row in msgspec.json.decode(part))
        return max(earlier), list(decided.values())

    def close(self) -> None:
        """Lets go of the logs."""
        with self._lock:
            if self._kept is not None:
                self._kept.close()

    def _known(self, until: str | None = None) -> Remembered:
        if self._kept is None:
            self._begin(None, until)
        assert self._kept is not None
        return self._kept

    def _begin(self, first: Any, until: str | None = None) -> None:
        """Reads the logs from their beginning; where that fails, what was known goes on."""
        begun = Remembered(self._folder, self.key, self._archive, first)
        try:
            begun.read(until)
        except BaseException:
            begun.close()
            raise
        if self._kept is not None:
            self._earlier += self._kept.version + 1
            self._kept.close()
        self._kept = begun
