"""A file of every earlier version is migrated, and nothing of it is lost, whatever happens meanwhile."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shipworthy.store import Change, SqliteRecordStore, feed
from shipworthy.store.chain import checked

FIRST = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def lay_schema_1(path: Path, ideas: int = 3, versions: int = 4) -> Path:
    """A file as the first released version wrote it, by the SQL that it had."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("BEGIN")
        database.execute(
            "CREATE TABLE record (kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, at TEXT NOT NULL,"
            " by TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key, version)) STRICT, WITHOUT ROWID"
        )
        for version in range(1, versions + 1):
            for idea in range(ideas, 0, -1):
                at = (FIRST + timedelta(hours=version, seconds=-idea)).isoformat(timespec="microseconds")
                values = ("idea", f"{idea:04}", version, at, "tester", json.dumps({"n": [idea, version, 0.1, "ä"]}))
                database.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)", values)
        database.execute("PRAGMA user_version = 1")
        database.execute("COMMIT")
    return path


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file of schema 1."""
    return lay_schema_1(tmp_path / "records.db")


def test_a_file_of_the_first_version_is_read_on(old: Path):
    """Every version of every record is there, as it was, in the order of time, chained; and it can be added to."""
    store = SqliteRecordStore(old)
    told = list(checked(feed(store)))
    assert [(record.key, record.version) for record in told] == [
        (f"{idea:04}", version) for version in (1, 2, 3, 4) for idea in (3, 2, 1)
    ]
    assert told[0].at == FIRST + timedelta(hours=1, seconds=-3)
    assert told[-1].body == {"n": [1, 4, 0.1, "ä"]}
    assert [record.version for record in store.find("idea")] == [4, 4, 4]
    assert store.add(Change(kind="idea", key="0001", body={}, expect=4), by="me")[0].seq == 13
    store.close()
