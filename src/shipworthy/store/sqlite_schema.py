"""The tables of a SQLite record store, and how a file of an earlier version becomes one of today."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from shipworthy.errors import TamperedError
from shipworthy.store.chain import link, stamp
from shipworthy.store.digest import canonical
from shipworthy.store.records import START, Record

COLUMNS = "seq, kind, key, version, at, by, body, chain"

INSERT = f"INSERT INTO record ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608

FILL_NEWEST = "INSERT OR REPLACE INTO newest SELECT kind, key, max(seq) FROM record GROUP BY kind, key"
"""For the table of the newest, once records came from elsewhere."""


def to_row(record: Record) -> tuple[str | int, ...]:
    """What `INSERT` takes."""
    body = canonical(record.body).decode()
    return record.seq, record.kind, record.key, record.version, stamp(record.at), record.by, body, record.chain


def from_row(row: Sequence[Any]) -> Record:
    """The record of a row of `COLUMNS`.

    Raises:
        TamperedError: it holds what was never written.
    """
    seq, kind, key, version, at, by, body, chain = row
    try:
        read, instant = json.loads(body), datetime.fromisoformat(at)
    except ValueError as error:
        raise TamperedError(
            f"Record {seq} ({kind} {key!r}, version {version}) cannot be read any more: {error}. It was changed after it was "
            "written, or is damaged. Restore the store from a backup."
        ) from error
    return Record(kind=kind, key=key, version=version, at=instant, by=by, body=read, seq=seq, chain=chain)


def _m0001_records(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE record (kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, at TEXT NOT NULL,"
        " by TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key, version)) STRICT, WITHOUT ROWID"
    )


def _m0002_chain(connection: sqlite3.Connection) -> None:
    """Gives every record its place, by instant, and its chain."""
    connection.execute("ALTER TABLE record RENAME TO record_1")
    connection.execute(
        "CREATE TABLE record (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL,"
        " at TEXT NOT NULL, by TEXT NOT NULL, body TEXT NOT NULL, chain TEXT NOT NULL, UNIQUE (kind, key, version)) STRICT"
    )
    connection.execute(
        "CREATE TABLE newest (kind TEXT NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (kind, key))"
        " STRICT, WITHOUT ROWID"
    )
    old = connection.execute(
        "SELECT 0, kind, key, version, at, by, body, '' FROM record_1 ORDER BY at, kind, key, version"
    )
    connection.executemany(INSERT, _chained(old))
    connection.execute(FILL_NEWEST)
    connection.execute("DROP TABLE record_1")


def _chained(rows: Iterator[Sequence[Any]]) -> Iterator[tuple[str | int, ...]]:
    seq, chain = START
    for row in rows:
        seq += 1
        chain = link(from_row((seq, *row[1:])), chain)
        yield seq, *row[1:-1], chain


MIGRATIONS: Sequence[Callable[[sqlite3.Connection], None]] = (_m0001_records, _m0002_chain)
"""Applied in order, each once; the file's `user_version` counts them. New ones go to the end."""
