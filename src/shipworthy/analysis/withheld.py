"""What a record may show: all of it but what a sealed holdout withholds."""

from __future__ import annotations

from typing import Any

from shipworthy.store import Record

_OF_AN_OPENING = ("fingerprints", "critical")


def open_body(record: Record) -> dict[str, Any]:
    """The body of a record without the figures of a sealed holdout.

    A verdict keeps them to compute with; a holdout's openings keep fingerprints, which hold the gain, scaled.
    """
    body = dict(record.body)
    if record.kind == "verdict":
        body.pop("sealed", None)
    if record.kind == "holdout" and body.get("is_sealed"):
        body["openings"] = [
            {name: value for name, value in one.items() if name not in _OF_AN_OPENING} for one in body["openings"]
        ]
    return body
