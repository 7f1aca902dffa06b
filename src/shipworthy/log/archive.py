"""The archive: what was compacted of a log, as records name it and as Parquet holds it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from shipworthy.store import ObjectStore, Record, RecordStore
from shipworthy.store.frames import get_frame

DECISIONS, OUTCOMES, OVERRIDES, SHADOWS = "decisions", "outcomes", "overrides", "shadows"

NOUNS = (DECISIONS, SHADOWS, OUTCOMES, OVERRIDES)
"""What segments are called, log by log."""

KIND = "log"
"""The kind of record that names a part of the archive; a part that was dropped has a version that says so."""

Entry = dict[str, Any]

_SCHEMA = {
    "id": pl.String(),
    "at": pl.Datetime("us", "UTC"),
    "period": pl.String(),
    "phase": pl.String(),
    "rollout": pl.Int64(),
    "arm": pl.String(),
    "release": pl.String(),
    "rung": pl.String(),
    "status": pl.String(),
    "seconds": pl.Float64(),
    "rows": pl.Int64(),
    "entry": pl.String(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the archive: one Parquet file, in place of the segments that it was made of.

    Attributes:
        key: The key of its record.
        problem: Whose log it is.
        noun: Which log.
        object: The object's name.
        first: The `at` of its first entry.
        last: The `at` of its last entry.
        count: How many entries it has.
        segments: The names of the segments it replaces.
        dropped: When it was dropped; None where it is kept.
    """

    key: str
    problem: str
    noun: str
    object: str
    first: str
    last: str
    count: int
    segments: Sequence[str]
    dropped: str | None = None


def find_parts(records: RecordStore, problem: str, noun: str | None = None) -> list[Part]:
    """Every part of a problem's archive, the dropped ones too, the oldest first."""
    parts = [_part(record) for record in records.find(KIND)]
    mine = [part for part in parts if part.problem == problem and noun in (None, part.noun)]
    return sorted(mine, key=lambda part: (part.first, part.key))


def replaced(parts: Iterable[Part]) -> set[str]:
    """The segments that the archive holds, or held: whatever still lies there of them counts no more."""
    return {name for part in parts for name in part.segments}


def read_part(objects: ObjectStore, part: Part) -> Iterator[Entry]:
    """The entries of a part, in order.

    Raises:
        TamperedError: its bytes were changed.
        NotFoundError: the object is gone.
    """
    for line in get_frame(objects, part.object)["entry"]:
        yield json.loads(line)


def identity(noun: str, entry: Mapping[str, Any]) -> Any:
    """What an entry is told apart by: its id; an answer of the shadow has the id of the decision that it is about."""
    if noun == SHADOWS:
        return entry["id"], entry.get("arm"), entry.get("answer", {}).get("release", entry.get("release"))
    return entry["id"]


def as_table(lines: Sequence[tuple[bytes, Entry]]) -> pl.DataFrame:
    """Entries as a table: what is often asked for as columns, and the line as it was logged in `entry`.

    >>> line = b'{"id": "d1", "at": "2026-01-31T00:00:00.000000+00:00"}'
    >>> as_table([(line, json.loads(line))]).select("id", "entry").row(0)
    ('d1', '{"id": "d1", "at": "2026-01-31T00:00:00.000000+00:00"}')
    """
    return pl.DataFrame([_row(line, entry) for line, entry in lines], schema=_SCHEMA, orient="row")


def _row(line: bytes, entry: Entry) -> tuple[Any, ...]:
    answer = entry.get("answer") or entry.get("answers", {}).get(entry.get("arm"), {})
    period = entry.get("period")
    return (
        entry["id"],
        datetime.fromisoformat(entry["at"]),
        None if period is None else str(period),
        entry.get("phase"),
        entry.get("rollout"),
        entry.get("arm"),
        answer.get("release"),
        answer.get("rung"),
        answer.get("status"),
        answer.get("seconds"),
        len(entry.get("rows", answer.get("decisions", ()))),
        line.decode(),
    )


def _part(record: Record) -> Part:
    return Part(key=record.key, **record.body)
