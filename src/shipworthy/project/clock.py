"""The time, told from one place, so that a test or a drill can set it over several real processes at once."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shipworthy.errors import InvalidInputError

VARIABLE = "SHIPWORTHY_CLOCK"
"""Names a file that holds one instant, which is the time until the file says another one."""


def now() -> datetime:
    """The time in UTC: the machine's, or the instant in the file that SHIPWORTHY_CLOCK names.

    An instant without an offset is one of UTC. Replace the file whole (write another one and rename it), so that nobody reads
    half an instant.

    Raises:
        InvalidInputError: that file is not there, or holds no instant.

    >>> now().tzinfo is UTC
    True
    """
    path = os.environ.get(VARIABLE)
    return read_instant(_content(Path(path)), f"{VARIABLE}, {path}") if path else datetime.now(UTC)


def read_instant(text: str, where: str) -> datetime:
    """The instant in UTC that a text says; `where` stands in the message where it says none.

    Raises:
        InvalidInputError: it is not an instant of ISO 8601.

    >>> read_instant("2026-11-26T09:30+01:00", "--at")
    datetime.datetime(2026, 11, 26, 8, 30, tzinfo=datetime.timezone.utc)
    """
    try:
        said = datetime.fromisoformat(text.strip())
        return said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInputError(
            f"{where}: {text.strip()!r} is no instant. Write one as 2026-11-26T09:30:00Z."
        ) from None


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            f"{VARIABLE} names {path}, which cannot be read: {error}. Write an instant into it, or unset {VARIABLE}."
        ) from error


def stamp(latest: str = "") -> str:
    """Now, as the logs write it; where a clock went back, just after what was logged latest, so that the later word counts.

    >>> stamp("2999-01-01T00:00:00.000000+00:00")
    '2999-01-01T00:00:00.000001+00:00'
    """
    at = now()
    if latest:
        at = max(at, read_instant(latest, "the log") + timedelta(microseconds=1))
    return at.isoformat(timespec="microseconds")
