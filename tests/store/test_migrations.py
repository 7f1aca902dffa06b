"""A file of every earlier version is migrated, and nothing of it is lost, whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copyfile
from time import monotonic

import pytest

from shipworthy.errors import TamperedError, UnavailableError
from shipworthy.store import Change, SqliteRecordStore, feed
from shipworthy.store.chain import checked

KILLS = int(os.environ.get("SHIPWORTHY_KILLS", "3"))
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


def test_what_was_there_is_backed_up_before(old: Path):
    """Beside the file lies, in one piece, what it was before: an older shipworthy can go on with it."""
    SqliteRecordStore(old).close()
    SqliteRecordStore(old).close()
    [copy] = [path for path in old.parent.iterdir() if path != old]
    assert copy.name.startswith("records.db.before-0002-")
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)
        assert database.execute("SELECT count(*), max(version) FROM record").fetchone() == (12, 4)
        assert database.execute("SELECT count(*) FROM pragma_table_info('record')").fetchone() == (6,)


def test_a_new_file_needs_no_backup(tmp_path: Path):
    """Where nothing was there, nothing is copied."""
    SqliteRecordStore(tmp_path / "records.db").close()
    assert [path.name for path in tmp_path.iterdir()] == ["records.db"]


def test_a_migration_that_fails_changes_nothing(old: Path):
    """What cannot be read is named, the file stays as it was, and the copy is there."""
    with closing(sqlite3.connect(old)) as database, database:
        database.execute("UPDATE record SET body = 'no JSON' WHERE key = '0002' AND version = 3")
    for _ in range(2):
        with pytest.raises(TamperedError, match=r"idea '0002', version 3.*cannot be read"):
            SqliteRecordStore(old)
    with closing(sqlite3.connect(old)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)
        assert database.execute("SELECT count(*) FROM record").fetchone() == (12,)


def test_many_processes_migrate_one_file_once(old: Path):
    """Sixteen that open it at the same time all find it done; one copy was made."""
    with ThreadPoolExecutor(16) as pool:
        stores = list(pool.map(lambda _: SqliteRecordStore(old), range(16)))
    assert {store.head() for store in stores} == {stores[0].head()}
    assert stores[0].head().seq == 12
    for store in stores:
        store.close()
    assert len(list(old.parent.glob("*.before-*"))) == 1


def test_a_file_that_may_only_be_read_and_is_old_is_said(old: Path, monkeypatch: pytest.MonkeyPatch):
    """It cannot be brought up to date, and nothing is written beside it."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(UnavailableError, match=r"older shipworthy.*may only be read"):
        SqliteRecordStore(old)
    assert not list(old.parent.glob("*.before-*"))


OPEN = """
import sys
from pathlib import Path
from shipworthy.store import SqliteRecordStore
print("now", flush=True)
SqliteRecordStore(Path(sys.argv[1])).close()
"""


def _open(path: Path, seconds: float | None) -> float:
    """Opens the file in a process of its own, kills that after so many seconds, and says how many it took."""
    process = subprocess.Popen([sys.executable, "-c", OPEN, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "now\n"
    began = monotonic()
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    process.communicate()
    return monotonic() - began


def test_a_migration_that_is_killed_is_as_before_or_done(tmp_path: Path):
    """Killed at random moments, the file opens and lacks nothing; what is half copied has not the name of a copy."""
    whole = lay_schema_1(tmp_path / "whole.db", ideas=500, versions=20)
    first = tmp_path / "first.db"
    copyfile(whole, first)
    most, moments = _open(first, None), random.Random(5)
    seen = set()
    for kill in range(KILLS):
        folder = tmp_path / f"killed-{kill}"
        folder.mkdir()
        copyfile(whole, folder / "records.db")
        _open(folder / "records.db", (kill + moments.random()) / KILLS * most)
        _open(folder / "records.db", moments.random() / KILLS * most)
        with closing(sqlite3.connect(folder / "records.db")) as database:
            seen.add(database.execute("PRAGMA user_version").fetchone()[0])
            assert database.execute("SELECT count(*) FROM record").fetchone() == (10_000,)
        store = SqliteRecordStore(folder / "records.db")
        assert sum(1 for _ in checked(feed(store))) == 10_000
        store.close()
        for copy in folder.glob("*.before-0002-*"):
            with closing(sqlite3.connect(copy)) as database:
                assert database.execute("SELECT count(*) FROM record").fetchone() == (10_000,)
    assert 1 in seen, "no kill came in time to prove anything"
