"""Records in one SQLite file, safe for many processes of one machine."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from time import monotonic, sleep

from shipworthy.errors import UnavailableError
from shipworthy.store.chain import append, following, recordable, stamp
from shipworthy.store.records import START, Change, Head, Record, RecordStore
from shipworthy.store.sqlite_schema import COLUMNS, FILL_NEWEST, INSERT, MIGRATIONS, from_row, to_row

_BUSY_MS = 10_000
_LOOK_S = 0.01

_MOST = 2**63 - 1

_LAST_LETTER = "\U0010ffff"
"""Greater than every letter that a key can hold."""


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
                self._refuse_older()
                return
            self._turn_to_wal()
            self._connection.execute("PRAGMA synchronous = FULL")
            if self._migrations_done() < len(MIGRATIONS):
                self._migrate()

    def add(self, *changes: Change, by: str) -> list[Record]:
        """See `RecordStore.add`."""
        plain = [recordable(change, by) for change in changes]
        with self._transaction():
            return [self._append(change, by) for change in plain]

    def get(self, kind: str, key: str, *, at: datetime | None = None) -> Record | None:
        """See `RecordStore.get`."""
        until = "9999" if at is None else stamp(at)
        found = self._select("kind = ? AND key = ? AND at <= ? ORDER BY version DESC LIMIT 1", kind, key, until)
        return found[0] if found else None

    def find(self, kind: str, *, prefix: str = "") -> Sequence[Record]:
        """See `RecordStore.find`."""
        heads = "SELECT seq FROM newest WHERE kind = ? AND key BETWEEN ? AND ?"
        return self._select(f"seq IN ({heads}) ORDER BY key", kind, prefix, prefix + _LAST_LETTER)

    def history(self, kind: str, key: str) -> Sequence[Record]:
        """See `RecordStore.history`."""
        return self._select("kind = ? AND key = ? ORDER BY version", kind, key)

    def since(self, seq: int, limit: int = 1000) -> Sequence[Record]:
        """See `RecordStore.since`."""
        return self._select("seq > ? ORDER BY seq LIMIT ?", min(seq, _MOST), limit)

    def head(self) -> Head:
        """See `RecordStore.head`."""
        with self._translated(), self._lock:
            return self._head()

    def restore(self, records: Iterable[Record]) -> Head:
        """See `RecordStore.restore`."""
        with self._transaction():
            self._connection.executemany(INSERT, (to_row(record) for record in following(records, self._head())))
            self._connection.execute(FILL_NEWEST)
            return self._head()

    def close(self) -> None:
        """Closes the file, once nobody is reading it: SQLite does not survive losing a connection that it is using."""
        with self._lock:
            self._connection.close()

    def _append(self, change: Change, by: str) -> Record:
        row = self._connection.execute(
            "SELECT version, at FROM record WHERE kind = ? AND key = ? ORDER BY version DESC LIMIT 1",
            (change.kind, change.key),
        ).fetchone()
        newest = (row[0], datetime.fromisoformat(row[1])) if row else None
        record = append(change, by=by, now=self._clock(), newest=newest, head=self._head())
        self._connection.execute(INSERT, to_row(record))
        self._connection.execute(
            "INSERT OR REPLACE INTO newest VALUES (?, ?, ?)", (record.kind, record.key, record.seq)
        )
        return record

    def _head(self) -> Head:
        found = self._connection.execute("SELECT seq, chain FROM record ORDER BY seq DESC LIMIT 1").fetchone()
        return Head(*found) if found else START

    def _select(self, where: str, *parameters: str | int) -> list[Record]:
        with self._translated(), self._lock:
            try:
                found = self._connection.execute(f"SELECT {COLUMNS} FROM record WHERE {where}", parameters)  # noqa: S608
                rows = found.fetchall()
            except UnicodeEncodeError:  # a name that no record can have
                return []
        return [from_row(row) for row in rows]  # others need not wait while their text is read

    def _turn_to_wal(self) -> None:
        """Where many processes open a new file at once, SQLite does not wait for its turn here: so we do."""
        until = monotonic() + _BUSY_MS / 1000
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > until:
                    raise
                sleep(_LOOK_S)
            else:
                return

    def _migrate(self) -> None:
        """All that is missing in one transaction; what was there is copied before, while nobody else can write."""
        with self._transaction():
            done = self._migrations_done()
            if 0 < done < len(MIGRATIONS):
                self._back_up(f"{self._path.name}.before-{done + 1:04}")
            for migration in MIGRATIONS[done:]:
                migration(self._connection)
            self._connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _back_up(self, name: str) -> None:
        """Copies the file, under its name only once the copy is whole."""
        partial = self._path.with_name(f"{name}.partial")
        for left in self._path.parent.glob(f"{partial.name}*"):  # by one who was killed
            left.unlink()
        with closing(sqlite3.connect(self._path)) as source, closing(sqlite3.connect(partial)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
        partial.rename(self._path.with_name(f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"))

    def _migrations_done(self) -> int:
        """How many migrations the file has had."""
        done = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if done > len(MIGRATIONS):
            raise UnavailableError(
                f"{self._path} was written by a newer shipworthy (schema {done}, this one knows {len(MIGRATIONS)}). Upgrade."
            )
        return done

    def _refuse_older(self) -> None:
        if (done := self._migrations_done()) < len(MIGRATIONS):
            raise UnavailableError(
                f"{self._path} was written by an older shipworthy (schema {done}, this one needs {len(MIGRATIONS)}) and may only "
                "be read, so it cannot be brought up to date. Let who may write to it run `shipworthy status` once."
            )

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


def _fits(store: SqliteRecordStore) -> RecordStore:
    return store
