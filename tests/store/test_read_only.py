"""A record store that may only be read: packed into an image, or somebody else's."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shipworthy.store import Change, SqliteRecordStore

READ = """
import os
import sys
from pathlib import Path
from shipworthy.errors import UnavailableError
from shipworthy.store import Change, SqliteRecordStore
if os.geteuid() == 0:  # who may do anything becomes nobody, once all is imported
    os.setgid(65534)
    os.setuid(65534)
store = SqliteRecordStore(Path(sys.argv[1]))
print(store.get("idea", "1").body["title"])
try:
    store.add(Change(kind="idea", key="2", body={}), by="me")
except UnavailableError as error:
    print(error)
"""


@pytest.fixture
def packed() -> Iterator[Path]:
    """A file with one record, out of WAL, that nobody may write, in a folder that nobody may write."""
    folder = Path(tempfile.mkdtemp(prefix="read-only-"))
    path = folder / "records.db"
    store = SqliteRecordStore(path)
    store.add(Change(kind="idea", key="1", body={"title": "Bake less"}), by="me")
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    path.chmod(0o444)
    folder.chmod(0o555)
    yield path
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_it_is_read_and_refuses_to_be_written(packed: Path):
    """Whoever may only read it reads it, writes nothing beside it, and is told so where something is to be added."""
    ran = subprocess.run([sys.executable, "-c", READ, str(packed)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    title, refusal = ran.stdout.splitlines()
    assert title == "Bake less"
    assert "nothing was changed" in refusal
    assert [path.name for path in packed.parent.iterdir()] == ["records.db"]
