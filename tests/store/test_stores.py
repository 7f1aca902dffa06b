"""The stores of a laptop pass the conformance suite, and say what is wrong when the disk does not play along."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from shipworthy.errors import UnavailableError
from shipworthy.store import Change, FolderObjectStore, SqliteRecordStore
from shipworthy.store.conformance import ObjectStoreConformance, RecordStoreConformance


class TestSqlite(RecordStoreConformance):
    """SQLite passes the suite."""

    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Callable[[], SqliteRecordStore]:
        """Opens the same file each time."""
        return lambda: SqliteRecordStore(tmp_path / "deep" / "records.db")


class TestFolder(ObjectStoreConformance):
    """A folder passes the suite."""

    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Callable[[], FolderObjectStore]:
        """Opens the same folder each time."""
        return lambda: FolderObjectStore(tmp_path / "objects")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """Garbage where the database should be is a clear error that names the file."""
    path = tmp_path / "records.db"
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(UnavailableError, match=r"records\.db does not answer: file is not a database"):
        SqliteRecordStore(path)


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """A file written by a newer shipworthy is not touched."""
    path = tmp_path / "records.db"
    SqliteRecordStore(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(UnavailableError, match="newer shipworthy"):
        SqliteRecordStore(path)


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """When the file may not grow, the change fails whole and what was there stays."""
    store = SqliteRecordStore(tmp_path / "records.db")
    store.add(Change(kind="idea", key="1", body={"title": "kept"}), by="me")
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(UnavailableError, match="full"):
        store.add(
            Change(kind="idea", key="2", body={}), Change(kind="idea", key="3", body={"x": "y" * 100_000}), by="me"
        )
    assert [record.key for record in store.find("idea")] == ["1"]


def test_a_folder_in_the_way_of_objects_is_named(tmp_path: Path) -> None:
    """A file where the folder should be is a clear error."""
    (tmp_path / "objects").write_text("in the way")
    with pytest.raises(UnavailableError, match="objects does not answer"):
        FolderObjectStore(tmp_path / "objects").put("a/b", b"")
