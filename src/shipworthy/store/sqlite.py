"""Records in one SQLite file, safe for many processes of one machine."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock

from shipworthy.errors import PreconditionError, UnavailableError
from shipworthy.store.digest import canonical
from shipworthy.store.records import Change, Record, RecordStore

_BUSY_MS = 10_000

_COLUMNS = "kind, key, version, at, by, body"


def _m0001_records(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE record (kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, at TEXT NOT NULL,"
        " by TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key, version)) STRICT, WITHOUT ROWID"
    )


MIGRATIONS: Sequence[Callable[[sqlite3.Connection], None]] = (_m0001_records,)
"""Applied in order, each once; the file's `user_version` counts them. New ones go to the end."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SqliteRecordStore:
    """A record store in one file (WAL), created where it is missing.

    >>> store = SqliteRecordStore(Path(":memory:"))
    >>> [store.add(Change(kind="idea", key="1", body={"title": t}), by="me")[0].version for t in ("a", "b")]
    [1, 2]
    >>> store.get("idea", "1").body["title"]
    'b'
    """

    def __init__(self, path: Path, *, clock: Callable[[], datetime] = _utc_now) -> None:
        """Opens the file, making it and migrating it as needed.

        Raises:
            UnavailableError: the file cannot be opened, is no database, or is of a newer shipworthy.
        """
        self._path = path
        self._clock = clock
        self._lock = RLock()
        with self._translated():
            if str(path) != ":memory:":
                path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False
            )
            if path.exists() and not os.access(path, os.W_OK):  # packed into an image, or somebody else's: to be read
                self._refuse_newer()
                return
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._migrate()

    def add(self, *changes: Change, by: str) -> list[Record]:
        """See `RecordStore.add`."""
        with self._transaction():
            return [self._append(change, by) for change in changes]

    def get(self, kind: str, key: str, *, at: datetime | None = None) -> Record | None:
        """See `RecordStore.get`."""
        until = "9999" if at is None else _stamp(at)
        found = self._select("kind = ? AND key = ? AND at <= ? ORDER BY version DESC LIMIT 1", kind, key, until)
        return found[0] if found else None

    def find(self, kind: str) -> Sequence[Record]:
        """See `RecordStore.find`."""
        newest = "version = (SELECT max(version) FROM record r WHERE r.kind = record.kind AND r.key = record.key)"
        return self._select(f"kind = ? AND {newest} ORDER BY key", kind)

    def history(self, kind: str, key: str) -> Sequence[Record]:
        """See `RecordStore.history`."""
        return self._select("kind = ? AND key = ? ORDER BY version", kind, key)

    def everything(self) -> Iterator[Record]:
        """See `RecordStore.everything`."""
        return iter(self._select("true ORDER BY kind, key, version"))

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def _append(self, change: Change, by: str) -> Record:
        row = self._connection.execute(
            "SELECT coalesce(max(version), 0), max(at) FROM record WHERE kind = ? AND key = ?",
            (change.kind, change.key),
        ).fetchone()
        version, latest = int(row[0]), row[1]
        if change.expect is not None and change.expect != version:
            raise PreconditionError(
                f"{change.kind} {change.key!r} is at version {version}, not {change.expect}: somebody else moved it "
                "meanwhile. Look at it again, then repeat what you meant to do."
            )
        stamp = max(_stamp(self._clock()), latest or "")
        values = (change.kind, change.key, version + 1, stamp, by, canonical(dict(change.body)).decode())
        self._connection.execute(f"INSERT INTO record ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", values)  # noqa: S608
        return _record(values)

    def _select(self, where: str, *parameters: str) -> list[Record]:
        with self._translated(), self._lock:
            rows = self._connection.execute(f"SELECT {_COLUMNS} FROM record WHERE {where}", parameters)  # noqa: S608
            return [_record(row) for row in rows.fetchall()]

    def _migrate(self) -> None:
        with self._transaction():
            for migration in MIGRATIONS[self._refuse_newer() :]:
                migration(self._connection)
            self._connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _refuse_newer(self) -> int:
        """How many migrations the file has had."""
        done = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if done > len(MIGRATIONS):
            raise UnavailableError(
                f"{self._path} was written by a newer shipworthy (schema {done}, this one knows {len(MIGRATIONS)}). Upgrade."
            )
        return done

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._translated(), self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise UnavailableError(
                f"The record store {self._path} does not answer: {error}. Check that the file may be written, that the "
                "disk has room, and that no other program holds it; nothing was changed."
            ) from error


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _record(row: Sequence[object]) -> Record:
    kind, key, version, at, by, body = row
    return Record(
        kind=str(kind),
        key=str(key),
        version=int(str(version)),
        at=datetime.fromisoformat(str(at)),
        by=str(by),
        body=json.loads(str(body)),
    )


def _fits(store: SqliteRecordStore) -> RecordStore:
    return store
