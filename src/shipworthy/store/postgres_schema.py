"""The tables of a PostgreSQL record store, and how those of an earlier version become those of today."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from math import inf
from typing import Any

from shipworthy.errors import TamperedError, UnavailableError
from shipworthy.store.digest import canonical
from shipworthy.store.postgres_connections import Connection
from shipworthy.store.records import Record

COLUMNS = "seq, kind, key, version, at, by, body, chain"

_PAGE = 1000


def to_row(record: Record) -> tuple[Any, ...]:
    """The values of `COLUMNS`."""
    body = canonical(record.body).decode()
    return record.seq, record.kind, record.key, record.version, record.at, record.by, body, record.chain


def from_row(row: Sequence[Any]) -> Record:
    """The record of a row of `COLUMNS`.

    Raises:
        TamperedError: it holds what was never written.
    """
    seq, kind, key, version, at, by, body, chain = row
    try:
        read = json.loads(body)
    except ValueError as error:
        raise TamperedError(
            f"Record {seq} ({kind} {key!r}, version {version}) cannot be read any more: {error}. It was changed after it was "
            "written, or is damaged. Restore the store from a backup."
        ) from error
    at = at.astimezone(UTC)
    return Record(kind=kind, key=key, version=version, at=at, by=by, body=read, seq=seq, chain=chain)


def every(connection: Connection, space: str) -> Iterator[Record]:
    """All records of a space in the order of their places; these columns are those of every version of the tables."""
    seq, query = 0, f"SELECT {COLUMNS} FROM shipworthy.record WHERE space = %s AND seq > %s ORDER BY seq LIMIT {_PAGE}"  # noqa: S608
    while rows := connection.execute(query, (space, seq)).fetchall():
        yield from (from_row(row) for row in rows)
        seq = rows[-1][0]


def _m0001_records(connection: Connection) -> None:
    """Texts in the order of their letters' numbers, as SQLite has it; the body is a text, since it is hashed to the letter."""
    connection.execute(
        'CREATE TABLE shipworthy.record (space text COLLATE "C" NOT NULL, seq bigint NOT NULL, kind text COLLATE "C" NOT NULL,'
        ' key text COLLATE "C" NOT NULL, version bigint NOT NULL, at timestamptz NOT NULL, by text NOT NULL, body text NOT NULL,'
        " chain text NOT NULL, PRIMARY KEY (space, seq), UNIQUE (space, kind, key, version))"
    )
    connection.execute(
        'CREATE TABLE shipworthy.newest (space text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL,'
        ' key text COLLATE "C" NOT NULL, seq bigint NOT NULL, PRIMARY KEY (space, kind, key))'
    )


MIGRATIONS: Sequence[Callable[[Connection], None]] = (_m0001_records,)
"""Applied in order, each once; the table `migration` names those that were. New ones go to the end."""


def migrate(connection: Connection, *, place: str, backup: Callable[[str, str, Iterator[Record]], object]) -> None:
    """Makes the tables those of today; where there is nothing to do, it only reads.

    Each migration runs in one transaction with the line that says so, after what is there was backed up. A second process that
    starts meanwhile waits; a killed one leaves all as it was.

    Args:
        connection: In autocommit.
        place: Which server it is, for messages.
        backup: Keeps the records of a space: it gets the migration that comes, the space and the records.

    Raises:
        UnavailableError: the tables are those of a newer shipworthy.
    """
    patience = connection.patience_s
    while _waiting(connection, place):
        connection.patience_s = inf
        with connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '10min'")
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('shipworthy.migration'), 0)")
            for migration in _waiting(connection, place)[:1]:
                _prepare(connection, _name(migration), backup)
                migration(connection)
                connection.execute("INSERT INTO shipworthy.migration VALUES (%s, now())", (_name(migration),))
    connection.patience_s = patience


def _prepare(connection: Connection, name: str, backup: Callable[[str, str, Iterator[Record]], object]) -> None:
    """Makes what the first migration needs, or backs up what is there and keeps others from writing meanwhile."""
    if not _done(connection):
        if not _is_there(connection, "pg_namespace WHERE nspname = 'shipworthy'"):
            connection.execute("CREATE SCHEMA shipworthy")  # which may be denied where it has been made for the account
        connection.execute(
            "CREATE TABLE IF NOT EXISTS shipworthy.migration (name text PRIMARY KEY, at timestamptz NOT NULL)"
        )
        return
    connection.execute("LOCK TABLE shipworthy.record IN EXCLUSIVE MODE")
    for (space,) in connection.execute("SELECT DISTINCT space FROM shipworthy.newest ORDER BY space").fetchall():
        backup(name, space, every(connection, space))


def _waiting(connection: Connection, place: str) -> Sequence[Callable[[Connection], None]]:
    done = _done(connection)
    if unknown := done - {_name(migration) for migration in MIGRATIONS}:
        raise UnavailableError(
            f"The record store on {place} was written by a newer shipworthy ({', '.join(sorted(unknown))}). Upgrade."
        )
    return [migration for migration in MIGRATIONS if _name(migration) not in done]


def _done(connection: Connection) -> set[str]:
    if not _is_there(connection, "pg_tables WHERE schemaname = 'shipworthy' AND tablename = 'migration'"):
        return set()
    return {name for (name,) in connection.execute("SELECT name FROM shipworthy.migration").fetchall()}


def _is_there(connection: Connection, what: str) -> bool:
    """Asked of the tables themselves: `to_regclass` remembers that there was nothing, also after waiting for who made it."""
    return connection.execute(f"SELECT FROM pg_catalog.{what}").fetchone() is not None


def _name(migration: Callable[[Connection], None]) -> str:
    return migration.__name__.strip("_")
