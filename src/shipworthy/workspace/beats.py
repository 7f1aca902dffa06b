"""The beats of those who keep jobs: a small record that says that a server process still lives, for those on other machines."""

from __future__ import annotations

from time import monotonic

from shipworthy.project import Project
from shipworthy.store import Change

KIND = "keeper"
"""The kind of its record; every beat is a version."""
EVERY_S = 30.0
_SILENT_S = 120.0


class Beats:
    """Who of the keepers of a project's jobs beats, as this process sees it.

    It counts from when this process looked first, by its own clock, so that no clock of another machine can make a job lost.
    """

    def __init__(self, project: Project) -> None:
        """Has seen nobody yet."""
        self._project = project
        self._seen: dict[str, tuple[int, float]] = {}

    def beat(self, keeper: str, host: str) -> None:
        """Says that a keeper lives.

        Raises:
            UnavailableError: the store does not answer.
        """
        self._project.records.add(Change(kind=KIND, key=keeper, body={"host": host}), by="server")

    def is_silent(self, keeper: str) -> bool:
        """Whether a keeper has not beaten for two minutes in which this process looked."""
        record = self._project.records.get(KIND, keeper)
        version, now = record.version if record else 0, monotonic()
        before, since = self._seen.get(keeper, (-1, now))
        if version != before:
            self._seen[keeper] = (version, now)
            return False
        return now - since > _SILENT_S
