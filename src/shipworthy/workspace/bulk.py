"""Records read in bulk: whoever asks about thousands of ideas at once asks the store once for each kind of record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from shipworthy.project import Project
from shipworthy.store import Change, Head, Record, RecordStore


class BulkRecords:
    """A record store as it is now, of which each kind is read once, and each history of several versions once."""

    def __init__(self, store: RecordStore) -> None:
        """Reads nothing yet."""
        self._store = store
        self._newest: dict[str, dict[str, Record]] = {}
        self._histories: dict[tuple[str, str], Sequence[Record]] = {}

    def get(self, kind: str, key: str, *, at: datetime | None = None) -> Record | None:
        """See `RecordStore.get`."""
        return self._store.get(kind, key, at=at) if at is not None else self._of(kind).get(key)

    def find(self, kind: str, *, prefix: str = "") -> Sequence[Record]:
        """See `RecordStore.find`."""
        return [record for key, record in self._of(kind).items() if key.startswith(prefix)]

    def history(self, kind: str, key: str) -> Sequence[Record]:
        """See `RecordStore.history`."""
        newest = self._of(kind).get(key)
        if newest is None or newest.version == 1:
            return [newest] if newest else []
        if (kind, key) not in self._histories:
            self._histories[kind, key] = self._store.history(kind, key)
        return self._histories[kind, key]

    def since(self, seq: int, limit: int = 1000) -> Sequence[Record]:
        """See `RecordStore.since`."""
        return self._store.since(seq, limit)

    def head(self) -> Head:
        """See `RecordStore.head`."""
        return self._store.head()

    def add(self, *changes: Change, by: str) -> list[Record]:
        """See `RecordStore.add`."""
        return self._store.add(*changes, by=by)

    def restore(self, records: Iterable[Record]) -> Head:
        """See `RecordStore.restore`."""
        return self._store.restore(records)

    def close(self) -> None:
        """Leaves the store as it is."""

    def _of(self, kind: str) -> dict[str, Record]:
        if kind not in self._newest:
            self._newest[kind] = {record.key: record for record in self._store.find(kind)}
        return self._newest[kind]


def in_bulk(project: Project) -> Project:
    """The same project, to be asked about much at once; what is written meanwhile is not seen by it."""
    other = project.acting(project.who)
    other.__dict__["records"] = BulkRecords(project.records)
    return other


def _fits(store: BulkRecords) -> RecordStore:
    return store
