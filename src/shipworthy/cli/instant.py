"""An instant that somebody typed."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from shipworthy.errors import InvalidInputError


def instant(text: str) -> datetime:
    """The instant, in UTC unless it says otherwise.

    Raises:
        InvalidInputError: it is none.

    >>> instant("2026-03-01T12:00").isoformat()
    '2026-03-01T12:00:00+00:00'
    """
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidInputError(f"{text!r} is no instant. Write it like 2026-03-01T12:00.") from None


def as_instant(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    """The instant that an option says; None where it is not given."""
    return None if text is None else instant(text)
