"""A reading: what a verb said of a project, kept with the place in the feed and in the logs that it was read at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from shipworthy.analysis.report.layout import write_file
from shipworthy.finite import finite
from shipworthy.store.digest import canonical, digest

_VERSION = version("shipworthy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is read.

    Attributes:
        words: The words of the command line, without --json.
        lasts_s: After how many seconds it is read again although nothing was recorded or logged; None where it need not be.
    """

    words: tuple[str, ...]
    lasts_s: float | None = None

    @property
    def name(self) -> str:
        """The name of its file; another version of shipworthy may answer in another form, and has one of its own."""
        return f"{self.words[0]}-{digest(canonical([_VERSION, *self.words]))[:16]}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a verb said.

    Attributes:
        answer: What its --json held; None where it never answered.
        error: What it said was wrong the last time; empty where nothing was.
        seq: The newest record when it was asked.
        log: The stamp of the logs then.
        at: When it was asked.
    """

    answer: Any
    error: str
    seq: int
    log: str
    at: datetime

    @classmethod
    def find(cls, folder: Path, question: Question) -> Self | None:
        """The last one; None where there is none that can be read."""
        try:
            found = json.loads((folder / question.name).read_bytes())
            return cls(**{**found, "at": datetime.fromisoformat(found["at"])})
        except (OSError, ValueError, TypeError, KeyError):  # what cannot be read is read anew
            return None

    def keep(self, folder: Path, question: Question) -> None:
        """Writes it, in place of the one before.

        Raises:
            UnavailableError: the folder cannot be written.
        """
        body: Mapping[str, Any] = finite({**asdict(self), "at": self.at.isoformat()})
        write_file(folder / question.name, json.dumps(body).encode())
