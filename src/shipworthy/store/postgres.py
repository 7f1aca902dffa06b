"""Records in a PostgreSQL, for a squad that has outgrown one machine. A module of its own, since it imports psycopg."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from shipworthy.errors import UnavailableError
from shipworthy.store.backup import write_backup
from shipworthy.store.chain import append, following, recordable
from shipworthy.store.postgres_connections import Connection, Connections
from shipworthy.store.postgres_schema import COLUMNS, from_row, migrate, to_row
from shipworthy.store.records import START, Change, Head, Record, RecordStore

_LAST_LETTER = "\U0010ffff"
_MOST = 2**63 - 1

_INSERT = f"""
    WITH added AS (
        INSERT INTO shipworthy.record (space, {COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        RETURNING space, kind, key, seq
    )
    INSERT INTO shipworthy.newest (space, kind, key, seq) SELECT space, kind, key, seq FROM added
    ON CONFLICT (space, kind, key) DO UPDATE SET seq = excluded.seq
"""  # noqa: S608

_FILL_NEWEST = """
    INSERT INTO shipworthy.newest (space, kind, key, seq)
    SELECT space, kind, key, max(seq) FROM shipworthy.record WHERE space = %s GROUP BY space, kind, key
    ON CONFLICT (space, kind, key) DO UPDATE SET seq = excluded.seq
"""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class PostgresRecordStore:
    """A record store in the schema `shipworthy` of a database, which many projects share: each has a space of its own.

    Who writes to a space waits for who wrote before, so places follow in the order of commits and the chain is exact.
    """

    def __init__(self, address: str, *, space: str, backups: Path, clock: Callable[[], datetime] = _utc_now) -> None:
        """Connects, making and migrating the tables as needed.

        Args:
            address: As libpq reads it: "postgresql://user:password@host:5432/database".
            space: Whose records these are: "squad/name".
            backups: The folder for what is there before a migration.
            clock: Gives the instant under which records are written.

        Raises:
            InvalidInputError: it is no address.
            UnavailableError: the server does not answer, or the tables are those of a newer shipworthy.
        """
        self._connections = Connections(address)
        self._space = space
        self._backups = backups
        self._clock = clock
        with self._connected() as connection:
            migrate(connection, place=self._connections.place, backup=self._back_up)

    def add(self, *changes: Change, by: str) -> list[Record]:
        """See `RecordStore.add`."""
        written: list[Record] = []
        plain = [recordable(change, by) for change in changes]
        with self._translated():
            try:
                with self._writing() as (connection, head):
                    last = head
                    for change in plain:
                        written.append(self._append(connection, change, by, last))
                        last = Head(written[-1].seq, written[-1].chain)
            except psycopg.OperationalError:
                if len(written) < len(changes) or not self._is_written(written):
                    raise
        return written

    def get(self, kind: str, key: str, *, at: datetime | None = None) -> Record | None:
        """See `RecordStore.get`."""
        until = "infinity" if at is None else at
        found = self._select("kind = %s AND key = %s AND at <= %s ORDER BY version DESC LIMIT 1", kind, key, until)
        return found[0] if found else None

    def find(self, kind: str, *, prefix: str = "") -> Sequence[Record]:
        """See `RecordStore.find`."""
        heads = "SELECT seq FROM shipworthy.newest WHERE space = %s AND kind = %s AND key BETWEEN %s AND %s"
        return self._select(
            f"seq IN ({heads}) ORDER BY key",
            self._space,
            kind,
            prefix,
            prefix + _LAST_LETTER,
        )

    def history(self, kind: str, key: str) -> Sequence[Record]:
        """See `RecordStore.history`."""
        return self._select("kind = %s AND key = %s ORDER BY version", kind, key)

    def since(self, seq: int, limit: int = 1000) -> Sequence[Record]:
        """See `RecordStore.since`."""
        return self._select("seq > %s ORDER BY seq LIMIT %s", min(seq, _MOST), limit)

    def head(self) -> Head:
        """See `RecordStore.head`."""
        with self._connected() as connection:
            return self._head(connection)

    def restore(self, records: Iterable[Record]) -> Head:
        """See `RecordStore.restore`."""
        with self._translated(), self._writing() as (connection, head):
            connection.execute("SET LOCAL statement_timeout = 0")
            with connection.cursor().copy(f"COPY shipworthy.record (space, {COLUMNS}) FROM STDIN") as copy:
                for record in following(records, head):
                    copy.write_row((self._space, *to_row(record)))
            connection.execute(_FILL_NEWEST, (self._space,))
            return self._head(connection)

    def close(self) -> None:
        """Closes the connections."""
        self._connections.close()

    def _append(self, connection: Connection, change: Change, by: str, head: Head) -> Record:
        row = connection.execute(
            "SELECT version, at FROM shipworthy.record WHERE space = %s AND kind = %s AND key = %s ORDER BY version DESC LIMIT 1",
            (self._space, change.kind, change.key),
        ).fetchone()
        newest = (row[0], row[1].astimezone(UTC)) if row else None
        record = append(change, by=by, now=self._clock(), newest=newest, head=head)
        connection.execute(_INSERT, (self._space, *to_row(record)))
        return record

    def _head(self, connection: Connection) -> Head:
        query = "SELECT seq, chain FROM shipworthy.record WHERE space = %s ORDER BY seq DESC LIMIT 1"
        found = connection.execute(query, (self._space,)).fetchone()
        return Head(*found) if found else START

    def _is_written(self, records: Sequence[Record]) -> bool:
        """Whether records were committed although the server went before it could say so: their chain tells."""
        if not records:
            return True
        with self._writing() as (connection, _):  # once who wrote them has ended, one way or the other
            query = "SELECT chain FROM shipworthy.record WHERE space = %s AND seq = %s"
            found = connection.execute(query, (self._space, records[-1].seq)).fetchone()
        return found is not None and found[0] == records[-1].chain

    def _select(self, where: str, *parameters: Any) -> list[Record]:
        query = f"SELECT {COLUMNS} FROM shipworthy.record WHERE space = %s AND {where}"  # noqa: S608
        with self._connected() as connection:
            try:
                rows = connection.execute(query, (self._space, *parameters)).fetchall()
            except (psycopg.DataError, UnicodeEncodeError):  # a name that no record can have
                return []
        return [from_row(row) for row in rows]

    def _back_up(self, migration: str, space: str, records: Iterator[Record]) -> None:
        self._backups.mkdir(parents=True, exist_ok=True)
        name = f"{space.replace('/', '-')}.before-{migration}.{_utc_now():%Y%m%dT%H%M%S.%f}Z.jsonl.gz"
        write_backup(records, self._backups / name, space=space)

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, Head]]:
        """A transaction in which nobody else writes to the space, and the head that it begins from."""
        with self._connections.connection() as connection, connection.transaction():
            lock = "SELECT pg_advisory_xact_lock(hashtext('shipworthy.record'), hashtext(%s))"
            connection.execute(lock, (self._space,))
            yield connection, self._head(connection)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with self._translated(), self._connections.connection() as connection:
            yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise UnavailableError(
                f"The record store on {self._connections.place} does not answer: {reason}. Check that the server runs and can "
                "be reached, and that the account may connect and write; nothing was changed."
            ) from error


def _fits(store: PostgresRecordStore) -> RecordStore:
    return store
