"""Compaction: segments whose writer is gone become one Parquet file of the archive.

What happens, in this order: the file is put, a record names it with the segments that it replaces, the segments are removed.
Killed in between, either the segments still count, or the record says that they do not and the next run removes them.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Self

from shipworthy.log.archive import KIND, NOUNS, Entry, Part, Row, as_row, as_table, find_parts, identity, replaced
from shipworthy.project import Project
from shipworthy.store import Change
from shipworthy.store.frames import put_frame
from shipworthy.store.log import read_entry

PART_BYTES = 64 * 2**20
"""A part is made of segments up to about this size together; one that is larger makes a part of its own."""

_FOLDER = "logs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction:
    """What compacting did.

    Attributes:
        parts: What was put into the archive.
        live: How many segments were left because somebody writes or looks at them.
        damaged: Segments that were left because a line in their midst is no JSON, with the number of that line.
    """

    parts: tuple[Part, ...]
    live: int
    damaged: tuple[str, ...]


class _Line(NamedTuple):
    """What is kept of a line until its part is written."""

    at: str
    name: Any
    row: Row
    period: Any
    rollout: int | None

    @classmethod
    def of(cls, noun: str, line: bytes, entry: Entry) -> Self:
        """Takes what is needed of an entry."""
        name = identity(noun, entry)
        return cls(entry["at"], name, as_row(line, entry), entry.get("period"), entry.get("rollout"))


_Batch = list[tuple[Path, BinaryIO]]


class _DamagedError(Exception):
    """A line that is not the last one of a segment cannot be read."""


def compact(project: Project, problem: str) -> Compaction:
    """Puts into the archive whatever nobody writes any more of a problem's logs; it may be called at any time, by anybody.

    Raises:
        UnavailableError: a store does not answer; nothing is lost, and the next call goes on from there.
        OSError: the disk does not answer; likewise.
    """
    folder = project.log_folder / problem
    parts: list[Part] = []
    damaged: list[str] = []
    live = 0
    for noun in NOUNS:
        waiting = sorted(path.name for path in folder.glob(f"{noun}-*.jsonl"))
        while waiting:
            with ExitStack() as held:
                batch, busy = _held_batch(held, folder, waiting)
                live += busy
                part, torn = _archived(project, problem, noun, _not_yet_archived(project, problem, noun, batch))
                parts.extend([part] if part else [])
                damaged.extend(torn)
    return Compaction(parts=tuple(parts), live=live, damaged=tuple(damaged))


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


def _not_yet_archived(project: Project, problem: str, noun: str, batch: _Batch) -> _Batch:
    """The segments of a batch without those that the archive has already, which are removed."""
    gone = replaced(find_parts(project.records, problem, noun))
    for path, _ in batch:
        if path.name in gone:
            path.unlink()
    return [(path, file) for path, file in batch if path.name not in gone]


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


def _archived(project: Project, problem: str, noun: str, batch: _Batch) -> tuple[Part | None, list[str]]:
    lines: list[_Line] = []
    done: list[Path] = []
    damaged: list[str] = []
    for path, file in batch:
        try:
            lines += [_Line.of(noun, line, entry) for line, entry in _whole(file)]
            done.append(path)
        except _DamagedError as error:
            damaged.append(f"{path.name}: {error}")
    part = _recorded(project, problem, noun, lines, [path.name for path in done]) if lines else None
    for path in done:
        path.unlink()
    return part, damaged


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
    body = {name: value for name, value in asdict(part).items() if name != "key"}
    project.records.add(Change(kind=KIND, key=part.key, body=body, expect=0), by=project.who)
    return part
