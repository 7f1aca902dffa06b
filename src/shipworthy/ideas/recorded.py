"""The records of all ideas, kept current from the feed: who asks again pays for what changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import RLock
from weakref import WeakKeyDictionary

from shipworthy.project import Project
from shipworthy.store import Record, RecordStore

KIND = "idea"


@dataclass
class _Known:
    """What was read of one store, up to its record `seq`."""

    seq: int = -1
    records: dict[str, Record] = field(default_factory=dict)


_KNOWN: WeakKeyDictionary[RecordStore, _Known] = WeakKeyDictionary()
_LOCK = RLock()


def recorded_ideas(project: Project) -> Mapping[str, Record]:
    """The newest record of every idea, by its key."""
    store = project.records
    with _LOCK:
        known = _KNOWN.setdefault(store, _Known())
        if known.seq < 0:
            known.seq = store.head().seq
            known.records = {record.key: record for record in store.find(KIND)}
        while new := store.since(known.seq):
            known.records |= {record.key: record for record in new if record.kind == KIND}
            known.seq = new[-1].seq
        return dict(known.records)
