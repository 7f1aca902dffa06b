"""Reading a log wherever it stands: the archive and the segments beside the service, in one order, each entry once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import count
from pathlib import Path

from shipworthy.errors import NotFoundError, UnavailableError
from shipworthy.log.archive import (
    DECISIONS,
    OUTCOMES,
    OVERRIDES,
    SHADOWS,
    Entry,
    Part,
    find_parts,
    identity,
    read_part,
    replaced,
)
from shipworthy.project import Project
from shipworthy.store.log import whole_entries

_TRIES = 10


def read_decisions(project: Project, problem: str, *, since: datetime | None = None) -> Iterator[Entry]:
    """The decisions of a problem in order of their `at`, each `id` once, with the shadow's answers among `answers`.

    Parts of the archive are read one after the other; of a segment a list of its lines is held. An arm that answered itself
    stands as it was logged.

    Args:
        project: Whose stores and folders are read.
        problem: The problem's name.
        since: Only what was decided at this instant or later; None for all of it.

    Raises:
        UnavailableError: the record store, the object store or the disk does not answer.
        TamperedError: a part of the archive was changed.
    """
    shadows: dict[str, Entry] = {}
    for entry in read_shadows(project, problem, since=since):
        shadows.setdefault(entry["id"], {}).setdefault(entry["arm"], entry["answer"])
    for entry in _entries(project, problem, DECISIONS, since):
        shadow = shadows.pop(entry["id"], None)
        yield entry if shadow is None else {**entry, "answers": {**shadow, **entry["answers"]}}


def read_shadows(project: Project, problem: str, *, since: datetime | None = None) -> Iterator[Entry]:
    """What was decided in the shadow, each with the id of the decision that it is about."""
    return _entries(project, problem, SHADOWS, since)


def read_outcomes(project: Project, problem: str, *, since: datetime | None = None) -> Iterator[Entry]:
    """What was noted of outcomes, as `read_decisions`: each entry has `rows`, and of a (period, unit) the last one counts."""
    return _entries(project, problem, OUTCOMES, since)


def read_overrides(project: Project, problem: str, *, since: datetime | None = None) -> Iterator[Entry]:
    """What was really done instead of what was decided, as `read_outcomes`."""
    return _entries(project, problem, OVERRIDES, since)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Entries in order, to be read when their turn comes."""

    first: str
    read: Callable[[], Iterator[Entry]]


def _entries(project: Project, problem: str, noun: str, since: datetime | None) -> Iterator[Entry]:
    start = "" if since is None else since.astimezone(UTC).isoformat(timespec="microseconds")
    parts, segments = _read(project, problem, noun)
    stretches = [_archived(project, part) for part in parts if part.last >= start and part.dropped is None]
    seen = set()
    for entry in _in_order([*stretches, *segments]):
        name = identity(noun, entry)
        if entry["at"] >= start and name not in seen:
            seen.add(name)
            yield entry


def _read(project: Project, problem: str, noun: str) -> tuple[list[Part], list[_Stretch]]:
    """The parts of the archive, and the segments that are in none of them, read one by one.

    A segment goes only after a record says what replaces it. So the segments are listed first and the records asked then; where
    one is gone by the time it is opened, it is all looked at again.
    """
    folder = project.log_folder / problem
    for _ in range(_TRIES):
        names = _segments(folder, noun)
        parts = find_parts(project.records, problem, noun)
        with suppress(FileNotFoundError):
            found = [_segment(folder / name) for name in sorted(names - replaced(parts))]
            return parts, [stretch for stretch in found if stretch is not None]
    raise UnavailableError(f"The {noun} log in {folder} changes faster than it can be read. Read it again.")


def _segments(folder: Path, noun: str) -> set[str]:
    return {path.name for path in folder.glob(f"{noun}-*.jsonl")}


def _archived(project: Project, part: Part) -> _Stretch:
    def read() -> Iterator[Entry]:
        try:
            yield from read_part(project.objects, part)
        except NotFoundError:  # dropped since it was listed, or else the store has lost it
            record = project.records.get("log", part.key)
            if record is None or record.body["dropped"] is None:
                raise

    return _Stretch(part.first, read)


def _segment(path: Path) -> _Stretch | None:
    with path.open("rb") as file:
        lines = sorted(((entry["at"], line) for line, entry in whole_entries(file)), key=lambda known: known[0])
    return _Stretch(lines[0][0], lambda: (json.loads(line) for _, line in lines)) if lines else None


def _in_order(stretches: list[_Stretch]) -> Iterator[Entry]:
    """Merges stretches by `at`, at one instant those first that began earlier; one is read only when its turn comes."""
    waiting = sorted(stretches, key=lambda stretch: stretch.first)[::-1]
    places = count()
    heads: list[tuple[str, int, Entry, Iterator[Entry]]] = []

    def push(place: int, entries: Iterator[Entry]) -> None:
        entry = next(entries, None)
        if entry is not None:
            heappush(heads, (entry["at"], place, entry, entries))

    while waiting or heads:
        while waiting and (not heads or waiting[-1].first <= heads[0][0]):
            push(next(places), waiting.pop().read())
        if heads:
            _, place, entry, entries = heappop(heads)
            yield entry
            push(place, entries)
