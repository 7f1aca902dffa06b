"""Moving stores: every object copied and compared, then every record as it is; the source is only read.

Objects go first and records last, all of them in one transaction: whoever is killed in between leaves a target that nobody is
told of yet, and the same command goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

from shipworthy.errors import AlreadyExistsError, PreconditionError, TamperedError
from shipworthy.store.digest import digest
from shipworthy.store.objects import ObjectStore, get_content, is_named_by_digest
from shipworthy.store.records import START, Head, Record, RecordStore, feed

_AT_ONCE = 8
_PASSES = 5

Done = Callable[[int, int], None]
"""Told how many objects are done, and of how many."""


class Stores(NamedTuple):
    """Where something lies, or is to lie: None of what is not moved."""

    records: RecordStore | None
    objects: ObjectStore | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What lies at the target now, and was compared with the source.

    Attributes:
        head: The head of the records on both sides; None where they were not moved.
        objects: How many objects there are; None where they were not moved.
        copied: How many of them were copied this time.
        bytes: How many bytes that was.
    """

    head: Head | None
    objects: int | None
    copied: int
    bytes: int


def move_stores(source: Stores, target: Stores, done: Done = lambda n, of: None) -> Moved:
    """Copies whatever both sides have, compares it, and gives what is there; it may be killed and repeated.

    Raises:
        AlreadyExistsError: the target holds what the source does not.
        TamperedError: an object or a record of the source was changed or damaged.
        PreconditionError: the source is written to all the while.
        UnavailableError: a store does not answer.
    """
    copied = size = 0
    for _ in range(_PASSES):
        # The head first: an object is put before the record that names it, so every object of these records is listed.
        head = source.records.head() if source.records else START
        if source.records and target.records:
            _refuse_other_records(source.records, target.records.head(), head)
        names = list(source.objects.list()) if source.objects else []
        if source.objects and target.objects:
            sizes = list(_copied(source.objects, target.objects, names, done))
            copied, size = copied + sum(each is not None for each in sizes), size + sum(each or 0 for each in sizes)
        if source.records and target.records:
            _take_in(source.records, target.records, head)
        if source.records is None or source.records.head() == head:
            return Moved(
                head=head if target.records else None,
                objects=len(names) if target.objects else None,
                copied=copied,
                bytes=size,
            )
    raise PreconditionError(
        f"The records grow all the while: they are at {head.seq} there, and further here. Stop what writes (service, watch, "
        "server), then repeat the command; it goes on from there."
    )


def _refuse_other_records(source: RecordStore, there: Head, here: Head) -> None:
    """Refuses a target whose records are not the first ones of the source."""
    if there == START:
        return
    found = source.since(there.seq - 1, limit=1) if there.seq <= here.seq else []
    if not found or found[0].chain != there.chain:
        raise AlreadyExistsError(
            f"The target holds {there.seq} records that are not the source's. Nothing was copied. Name an empty place."
        )


def _copied(source: ObjectStore, target: ObjectStore, names: list[str], done: Done) -> Iterator[int | None]:
    """The sizes of the objects that were copied, None for those that were there already."""
    there = set(target.list())
    if others := sorted(there.difference(names)):
        raise AlreadyExistsError(
            f"The target holds {len(others):,} objects that the source does not have, such as {others[0]!r}. Nothing was "
            "copied. Name an empty place."
        )
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for n, size in enumerate(pool.map(lambda name: _copy(source, target, name, name in there), names), start=1):
            done(n, len(names))
            yield size


def _copy(source: ObjectStore, target: ObjectStore, name: str, is_there: bool) -> int | None:
    content = get_content(source, name) if is_named_by_digest(name) else source.get(name)
    if not is_there:
        target.put(name, content)
    if digest(target.get(name)) != digest(content):
        raise TamperedError(
            f"Object {name!r} is another one at the target than at the source. Delete it there, then repeat the command."
        )
    return None if is_there else len(content)


def _take_in(source: RecordStore, target: RecordStore, head: Head) -> None:
    def is_wanted(record: Record) -> bool:
        return record.seq <= head.seq

    found = target.restore(takewhile(is_wanted, feed(source, target.head().seq)))
    if found != head:
        raise TamperedError(
            f"The records at the target end with {found}, and not with {head}. It is not used: name an empty place."
        )
