"""Objects that no record leads to: the cache of replays, and what runs that were never recorded left behind.

What a record names is kept for as long as there are records, and with it what that object names in turn: a release its files.
A run puts its objects first and records them last, so an object that is young is never garbage.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from shipworthy.errors import NotFoundError
from shipworthy.store.digest import canonical
from shipworthy.store.objects import About, ObjectStore
from shipworthy.store.records import RecordStore, feed

_NAME = re.compile(rb"[A-Za-z0-9._-]+/[0-9a-f]{64}")
_JSON = b"{"
_LARGEST_JSON = 10_000_000
_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """An object that can go.

    Attributes:
        name: Its name.
        about: Its size, and when it was put.
    """

    name: str
    about: About


def find_garbage(records: RecordStore, objects: ObjectStore, *, before: datetime) -> Iterator[Garbage]:
    """The objects that no record leads to and that were put before an instant, in the order of their names."""
    kept = _reached(records, objects)
    names = [name for name in objects.list() if name not in kept]
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # in a bucket each is a question over the network
        for name, about in zip(names, pool.map(objects.about, names), strict=True):
            if about.at < before:
                yield Garbage(name=name, about=about)


def _reached(records: RecordStore, objects: ObjectStore) -> set[str]:
    """The names that stand in any version of any record, and in any JSON object that is reached."""
    waiting = [name for record in feed(records) for name in _named_in(canonical(record.body))]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_named_by(objects, name))
    return found


def _named_by(objects: ObjectStore, name: str) -> list[str]:
    try:
        content = objects.get(name) if objects.about(name).size <= _LARGEST_JSON else b""
    except NotFoundError:  # a text that only looks like a name, or an object that is gone: it leads nowhere
        return []
    return _named_in(content) if content.startswith(_JSON) else []


def _named_in(content: bytes) -> list[str]:
    return [name.decode() for name in _NAME.findall(content)]
