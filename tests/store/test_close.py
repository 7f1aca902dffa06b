"""A store that is closed under its readers: they are told, and the process lives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

READ_WHILE_IT_IS_CLOSED = """
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread
from time import sleep

from shipworthy.errors import UnavailableError
from shipworthy.store import Change, SqliteRecordStore

told = 0

def read(store):
    global told
    try:
        while True:
            store.since(0)
    except UnavailableError:
        told += 1

for number in range(15):
    store = SqliteRecordStore(Path(sys.argv[1]) / f"{number}.db")
    store.add(*(Change(kind="idea", key=f"{key:04d}", body={"text": "x" * 2000}) for key in range(300)), by="ann")
    readers = [Thread(target=read, args=(store,)) for _ in range(4)]
    for reader in readers:
        reader.start()
    sleep(0.02)
    store.close()
    for reader in readers:
        reader.join()
print(told)
"""


def test_a_store_that_is_closed_tells_whoever_reads(tmp_path: Path):
    """Closed at any moment, each of four readers hears that it does not answer; SQLite alone would take the process along."""
    ended = subprocess.run(
        [sys.executable, "-c", READ_WHILE_IT_IS_CLOSED, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "60"), ended.stderr
