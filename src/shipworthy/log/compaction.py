"""Compaction: segments whose writer is gone become one Parquet file of the archive.

What happens, in this order: the file is put, a record names it with the segments that it replaces, and a minute later or more,
when whoever runs has had the time to know it, the segments are removed by a later call. Killed in between, either the segments
still count, or the record says that they do not.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Self

from shipworthy.log.archive import DECISIONS, KIND, NOUNS, Entry, Part, Row, as_row, as_table, find_parts, identity
from shipworthy.log.reading import read_shadows
from shipworthy.project import Project
from shipworthy.project.clock import now
from shipworthy.store import Change
from shipworthy.store.frames import put_frame
from shipworthy.store.log import read_entry

PART_BYTES = 64 * 2**20
"""A part is made of segments up to about this size together; one that is larger makes a part of its own."""

GRACE_S = 60.0
"""For how many seconds a segment stays, at least, after the archive has it."""

_FOLDER = "logs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction:
    """What compacting did.

    Attributes:
        parts: What was put into the archive.
        live: How many segments were left because somebody writes or looks at them.
        waiting: How many were left because the shadow has not decided all of it yet.
        damaged: Segments that were left because a line in their midst is no JSON, with the number of that line.
    """

    parts: tuple[Part, ...]
    live: int
    waiting: int
    damaged: tuple[str, ...]


class _Line(NamedTuple):
    """What is kept of a line until its part is written."""

    at: str
    name: Any
    row: Row
    period: Any
    rollout: int | None
    shadows: frozenset[str]

    @classmethod
    def of(cls, noun: str, line: bytes, entry: Entry) -> Self:
        """Takes what is needed of an entry."""
        name = identity(noun, entry)
        releases = entry.get("releases", {}).items()
        shadows = frozenset(release for arm, release in releases if arm not in entry.get("answers", {}))
        return cls(entry["at"], name, as_row(line, entry), entry.get("period"), entry.get("rollout"), shadows)


_Batch = list[tuple[Path, BinaryIO]]


class _DamagedError(Exception):
    """A line that is not the last one of a segment cannot be read."""


def compact(project: Project, problem: str, *, grace: float = GRACE_S) -> Compaction:
    """Puts into the archive whatever nobody writes any more of a problem's logs; it may be called at any time, by anybody.

    Decisions that the shadow is still to decide stay where it finds them.

    Args:
        project: Whose logs and stores these are.
        problem: The problem's name.
        grace: For how many seconds a segment stays that the archive has.

    Raises:
        UnavailableError: a store does not answer; nothing is lost, and the next call goes on from there.
        OSError: the disk does not answer; likewise.
    """
    folder = project.log_folder / problem
    parts: list[Part] = []
    damaged: list[str] = []
    live = waiting = 0
    for noun in NOUNS:
        names = sorted(path.name for path in folder.glob(f"{noun}-*.jsonl"))
        while names:
            with ExitStack() as held:
                batch, busy = _held_batch(held, folder, names)
                live += busy
                batch = _not_yet_archived(project, problem, noun, batch, grace)
                segments, torn = _read(noun, batch)
                if noun == DECISIONS:
                    ready = _without_waiting(project, problem, segments)
                    waiting += len(segments) - len(ready)
                    segments = ready
                parts.extend(_archived(project, problem, noun, segments))
                _not_yet_archived(project, problem, noun, batch, grace)
                damaged.extend(torn)
    return Compaction(parts=tuple(parts), live=live, waiting=waiting, damaged=tuple(damaged))


def _held_batch(held: ExitStack, folder: Path, waiting: list[str]) -> tuple[_Batch, int]:
    """The next segments that nobody writes, taken off the list and locked, and how many somebody does."""
    batch: _Batch = []
    size = busy = 0
    while waiting and size < PART_BYTES:
        path = folder / waiting.pop(0)
        file = held.enter_context(_locked(path))
        if file is None:
            busy += 1
        else:
            batch.append((path, file))
            size += os.fstat(file.fileno()).st_size
    return batch, busy


def _not_yet_archived(project: Project, problem: str, noun: str, batch: _Batch, grace: float) -> _Batch:
    """The segments of a batch without those that the archive has, which are removed once it has had them for long enough."""
    made = {name: part.made for part in find_parts(project.records, problem, noun) for name in part.segments}
    enough = (now() - timedelta(seconds=grace)).isoformat(timespec="microseconds")
    for path, _ in batch:
        if path.name in made and made[path.name] <= enough:
            path.unlink()
    return [(path, file) for path, file in batch if path.name not in made]


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO | None]:
    """A segment whose writer is gone, which nobody else compacts meanwhile; None where there is none such."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_there = path.stat().st_ino == os.fstat(file.fileno()).st_ino
        except OSError:
            is_there = False
        yield file if is_there else None


def _read(noun: str, batch: _Batch) -> tuple[dict[Path, list[_Line]], list[str]]:
    """The lines of each segment, and which segments cannot be read."""
    segments: dict[Path, list[_Line]] = {}
    damaged: list[str] = []
    for path, file in batch:
        try:
            segments[path] = [_Line.of(noun, line, entry) for line, entry in _whole(file)]
        except _DamagedError as error:
            damaged.append(f"{path.name}: {error}")
    return segments, damaged


def _without_waiting(project: Project, problem: str, segments: dict[Path, list[_Line]]) -> dict[Path, list[_Line]]:
    """The segments without a decision that a release which is on trial, or was replaced, is still to decide in the shadow."""
    rollout = project.records.get("rollout", problem)
    serving = {rollout.body["champion"], rollout.body["challenger"]} if rollout else set()
    open_ = {path: {line.name for line in lines if line.shadows & serving} for path, lines in segments.items()}
    if any(open_.values()):
        since = min(line.at for path, lines in segments.items() for line in lines if line.name in open_[path])
        done = {entry["id"] for entry in read_shadows(project, problem, since=datetime.fromisoformat(since))}
        open_ = {path: names - done for path, names in open_.items()}
    return {path: lines for path, lines in segments.items() if not open_[path]}


def _archived(project: Project, problem: str, noun: str, segments: dict[Path, list[_Line]]) -> list[Part]:
    """What the archive has now of these segments; one in which nothing was ever acknowledged just goes."""
    for path in [path for path, lines in segments.items() if not lines]:
        path.unlink()
    lines = [line for some in segments.values() for line in some]
    names = [path.name for path, some in segments.items() if some]
    return [_recorded(project, problem, noun, lines, names)] if lines else []


def _whole(file: BinaryIO) -> Iterator[tuple[bytes, Entry]]:
    """The lines of a segment; the last one may be torn, and was then never acknowledged."""
    for number, line in enumerate(file, start=1):
        entry = read_entry(line) if line.endswith(b"\n") else None
        if entry is not None:
            yield line[:-1], entry
        elif file.read(1):
            raise _DamagedError(f"line {number} cannot be read, and others follow it")


def _recorded(project: Project, problem: str, noun: str, lines: list[_Line], segments: list[str]) -> Part:
    """Puts the lines, each once, and records them with the segments they come from."""
    first = {line.name: line for line in sorted(lines, key=lambda line: line.at, reverse=True)}
    table = as_table([line.row for line in reversed(first.values())])
    address = put_frame(project.objects, _FOLDER, table)
    periods = [line.period for line in lines if line.period is not None]
    part = Part(
        key=f"{problem}-{noun}-{address.rpartition('/')[2][:16]}",
        problem=problem,
        noun=noun,
        object=address,
        first=min(line.at for line in lines),
        last=max(line.at for line in lines),
        count=table.height,
        periods=(min(periods), max(periods)) if periods else None,
        rollouts=sorted({line.rollout for line in lines if line.rollout is not None}),
        segments=segments,
    )
    project.records.add(Change(kind=KIND, key=part.key, body=part.body, expect=0), by=project.who)
    return part
