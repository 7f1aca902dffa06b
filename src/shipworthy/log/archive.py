"""The archive: what was compacted of a log, as records name it and as Parquet holds it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

import polars as pl

from shipworthy.errors import NotFoundError
from shipworthy.project import Project
from shipworthy.store import ObjectStore, Record, RecordStore, get_content
from shipworthy.store.frames import from_parquet, get_frame

DECISIONS, OUTCOMES, OVERRIDES, SHADOWS = "decisions", "outcomes", "overrides", "shadows"

NOUNS = (DECISIONS, SHADOWS, OUTCOMES, OVERRIDES)
"""What segments are called, log by log."""

KIND = "log"
"""The kind of record that names a part of the archive; a part that was dropped has a version that says so."""

Entry = dict[str, Any]

Row = tuple[Any, ...]
"""An entry as a row of the archive's tables."""

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
        periods: The first and the last period that its entries are about; None where they do not say so.
        rollouts: The numbers of the moves under which its entries were decided.
        segments: The names of the segments it replaces.
        dropped: When it was dropped; None where it is kept.
        made: When it was recorded as it is now.
    """

    key: str
    problem: str
    noun: str
    object: str
    first: str
    last: str
    count: int
    periods: tuple[Any, Any] | None
    rollouts: Sequence[int]
    segments: Sequence[str]
    dropped: str | None = None
    made: str = ""

    @property
    def body(self) -> dict[str, Any]:
        """What its record says."""
        return {name: value for name, value in asdict(self).items() if name not in ("key", "made")}


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


class Archive:
    """One problem's archive, as something that runs looks into it again and again; it may be used from one thread at a time."""

    @classmethod
    def of(cls, project: Project, problem: str) -> Self:
        """The archive in a project's stores, which are opened when they are needed."""
        return cls(
            lambda noun: find_parts(project.records, problem, noun), lambda name: get_content(project.objects, name)
        )

    def __init__(self, find: Callable[[str], list[Part]], get: Callable[[str], bytes]) -> None:
        """Takes how the parts of a log are found, and how the bytes of an object are got."""
        self._find, self._get = find, get
        self._parts: dict[str, Part] = {}
        self._held: tuple[str, list[str]] = ("", [])

    def parts(self, noun: str) -> list[Part]:
        """Every part of one log as the record store knows them now, the dropped ones too, the oldest first.

        Raises:
            UnavailableError: the record store does not answer.
        """
        found = self._find(noun)
        self._parts.update((part.key, part) for part in found)
        return found

    def ids(self, part: Part) -> list[str]:
        """The ids of a part's entries, in order."""
        return from_parquet(self._get(part.object))["id"].to_list()

    def lines(self, part: Part) -> list[str]:
        """The lines of a part, in order; those of the part that was asked for last are held."""
        if self._held[0] != part.key:
            self._held = (part.key, from_parquet(self._get(part.object))["entry"].to_list())
        return self._held[1]

    def line(self, key: str, place: int) -> bytes:
        """The line at a place of a part that `parts` gave."""
        return self.lines(self._parts[key])[place].encode()

    def moved(self, noun: str, segment: str, name: str) -> bytes:
        """The line of an id that stood in a segment, which was compacted since.

        Raises:
            NotFoundError: no part replaces the segment, or the part was dropped.
        """
        for part in self.parts(noun):
            if segment in part.segments and part.dropped is None:
                return self.line(part.key, self.ids(part).index(name))
        raise NotFoundError(f"The segment {segment} is gone, and no part of the archive replaces it.")


def identity(noun: str, entry: Mapping[str, Any]) -> Any:
    """What an entry is told apart by: its id; an answer of the shadow has the id of the decision that it is about."""
    if noun == SHADOWS:
        return entry["id"], entry.get("arm"), entry.get("answer", {}).get("release", entry.get("release"))
    return entry["id"]


def as_row(line: bytes, entry: Entry) -> Row:
    """An entry as a row: what is often asked for, and the line as it was logged."""
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


def as_table(rows: Sequence[Row]) -> pl.DataFrame:
    """Entries as a table, a row each.

    >>> line = b'{"id": "d1", "at": "2026-01-31T00:00:00.000000+00:00"}'
    >>> as_table([as_row(line, json.loads(line))]).select("id", "entry").row(0)
    ('d1', '{"id": "d1", "at": "2026-01-31T00:00:00.000000+00:00"}')
    """
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _part(record: Record) -> Part:
    return Part(**{**record.body, "key": record.key, "made": record.at.isoformat(timespec="microseconds")})
