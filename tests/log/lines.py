"""Lines of logs, as the service writes them."""

from __future__ import annotations

import json
from typing import Any


def line(name: str, minute: int, **more: Any) -> bytes:
    """A line of a log."""
    return json.dumps({"id": name, "at": f"2026-01-31T00:{minute:02}:00.000000+00:00", **more}).encode()


def decision(name: str, minute: int) -> bytes:
    """A decision that the champion answered."""
    answer = {"release": "old", "rung": "policy", "status": "decided", "seconds": 0.5, "decisions": [{"fruit": "fig"}]}
    return line(
        name, minute, period="2026-01-31", arm="champion", rows=[{"fruit": "fig"}], answers={"champion": answer}
    )


def shadow(name: str, minute: int, release: str = "new") -> bytes:
    """What the challenger decided beside it."""
    return line(name, minute, problem="stock", arm="challenger", answer={"release": release, "rung": "policy"})
