"""The fields of a form that was posted."""

from __future__ import annotations

from shipworthy.web.asked import Asked


def field(asked: Asked, name: str) -> str:
    """What somebody wrote into a field, without the blanks around it; empty where it was not sent, or was a file."""
    value = asked.form.get(name) if asked.form is not None else None
    return value.strip() if isinstance(value, str) else ""
