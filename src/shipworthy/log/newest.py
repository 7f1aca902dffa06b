"""The newest decisions of a problem, page by page: of a long log only as much is read as is shown."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from itertools import islice
from pathlib import Path

import polars as pl

from shipworthy.log.archive import DECISIONS, Part, as_row, find_parts, replaced
from shipworthy.project import Project
from shipworthy.store import ObjectStore, get_content
from shipworthy.store.log import read_entry

_BLOCK = 2**20
_COLUMNS = ("id", "at", "period", "phase", "arm", "release", "rung", "status", "seconds", "rows")
_PLACES = (0, 1, 2, 3, 5, 6, 7, 8, 9, 10)
_HELD = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision in a line.

    Attributes:
        id: Its id.
        at: When it was made, in UTC.
        period: The period it is about.
        phase: How far the rollout had come.
        arm: Who answered.
        release: The release that answered.
        rung: What decided: the policy, or which fallback.
        status: How the solver ended.
        seconds: How long it took.
        rows: How many units were decided.
    """

    id: str
    at: datetime
    period: str | None
    phase: str | None
    arm: str | None
    release: str | None
    rung: str | None
    status: str | None
    seconds: float | None
    rows: int | None


def newest_decisions(
    project: Project, problem: str, limit: int, before: tuple[datetime, str] | None = None
) -> Sequence[Decided]:
    """The newest decisions, the newest first; those before an instant and id where that is given.

    Raises:
        UnavailableError: a store or the disk does not answer.
    """
    parts = find_parts(project.records, problem, DECISIONS)
    gone = replaced(parts)
    found: dict[str, Decided] = {}
    for path in (project.log_folder / problem).glob(f"{DECISIONS}-*.jsonl"):
        if path.name not in gone:
            with suppress(FileNotFoundError):  # compacted in this very moment: it is in the next answer
                found |= {one.id: one for one in _in_segment(path, limit, before)}
    for part in sorted(parts, key=lambda part: part.last, reverse=True):
        if part.dropped is not None or (before is not None and datetime.fromisoformat(part.first) > before[0]):
            continue
        shown = _ordered(found)[:limit]
        if len(shown) == limit and datetime.fromisoformat(part.last) < shown[-1].at:
            break
        found |= {one.id: one for one in _in_part(project.objects, part, limit, before)}
    return _ordered(found)[:limit]


def _ordered(found: dict[str, Decided]) -> list[Decided]:
    return sorted(found.values(), key=lambda one: (one.at, one.id), reverse=True)


def _in_part(objects: ObjectStore, part: Part, limit: int, before: tuple[datetime, str] | None) -> Iterator[Decided]:
    table = _held_table(objects, part.object)
    if before is not None:
        at, name = before
        table = table.filter((pl.col("at") < at) | ((pl.col("at") == at) & (pl.col("id") < name)))
    for row in table.tail(limit).iter_rows(named=True):
        yield Decided(**row)


_TABLES: dict[str, pl.DataFrame] = {}
"""What was read last: a part never changes, its name is the digest of its bytes, and the newest ones are asked for most."""


def _held_table(objects: ObjectStore, name: str) -> pl.DataFrame:
    table = _TABLES.pop(name, None)
    if table is None:
        table = _table(objects, name)
    _TABLES[name] = table
    for oldest in list(_TABLES)[:-_HELD]:
        _TABLES.pop(oldest, None)
    return table


def _table(objects: ObjectStore, name: str) -> pl.DataFrame:
    """What is told of each decision of a part, in order."""
    content = get_content(objects, name)
    return pl.read_parquet(BytesIO(content), columns=list(_COLUMNS)).sort("at", "id")


def _in_segment(path: Path, limit: int, before: tuple[datetime, str] | None) -> Iterator[Decided]:
    """The last decisions of a segment, each of which was appended as it was made."""
    earlier = (one for one in _backwards(path) if before is None or (one.at, one.id) < before)
    return islice(earlier, limit)


def _backwards(path: Path) -> Iterator[Decided]:
    with path.open("rb") as file:
        end, rest = file.seek(0, os.SEEK_END), b""
        is_last = True
        while end > 0:
            start = max(0, end - _BLOCK)
            file.seek(start)
            first, *lines = (file.read(end - start) + rest).split(b"\n")
            rest, end = first, start
            for line in reversed(lines if start else [first, *lines]):
                entry = None if is_last or not line else read_entry(line)  # what follows the last line end is torn
                is_last = False
                if entry is not None:
                    row = as_row(line, entry)
                    yield Decided(**dict(zip(_COLUMNS, (row[place] for place in _PLACES), strict=True)))
