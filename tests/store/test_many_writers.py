"""Many write at once, each in a process of its own: nothing is lost, nobody waits in vain, and one of two who promote is told."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from shipworthy.errors import PreconditionError
from shipworthy.project import Project, open_project
from shipworthy.ship.rollout import Move, Phase, make_move, read_rollout, rollout_history
from shipworthy.store import RecordStore, feed
from shipworthy.store.address import open_records
from shipworthy.store.chain import checked
from tests.store.test_postgres import now

WRITE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from shipworthy.errors import PreconditionError
from shipworthy.store import Change
from shipworthy.store.address import open_records

address, root, threads, times = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
input()
store = open_records(address, root=root, space="shop", clock=lambda: datetime.now(UTC))

def write(_):
    for n in range(times):
        store.add(Change(kind="note", key="1", body={"n": n}), by="me")
        while True:
            found = store.get("count", "1")
            change = Change(kind="count", key="1", body={"n": found.body["n"] + 1 if found else 1},
                            expect=found.version if found else 0)
            try:
                store.add(change, by="me")
                break
            except PreconditionError:
                pass

with ThreadPoolExecutor(threads) as pool:
    list(pool.map(write, range(threads)))
store.close()
"""


def _write(address: str, root: Path, *, processes: int, threads: int, times: int) -> RecordStore:
    """Many processes that begin at once in a store that is not there yet: each adds notes, and counts further with the others."""
    command = [sys.executable, "-c", WRITE, address, str(root), str(threads), str(times)]
    begun = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    for process in begun:
        process.stdin.write("now\n")
        process.stdin.flush()
    assert [process.communicate(timeout=240)[1] for process in begun] == [""] * processes
    return open_records(address, root=root, space="shop", clock=now)


def _is_whole(store: RecordStore, times: int) -> None:
    told = [record.seq for record in checked(feed(store))]
    assert len(told) == 2 * times
    assert [record.version for record in store.history("note", "1")] == list(range(1, times + 1))
    assert [record.body["n"] for record in store.history("count", "1")] == list(range(1, times + 1))
    store.close()


def test_sixteen_processes_write_to_one_file(tmp_path: Path):
    """Into a new SQLite file: no update is lost, and no "database is locked" comes back."""
    _is_whole(_write("records.db", tmp_path, processes=16, threads=1, times=5), 80)


def test_sixty_four_writers_write_to_one_postgresql(empty_database: str, tmp_path: Path):
    """Into an empty database, from several processes with many threads each: no update is lost."""
    processes = int(os.environ.get("SHIPWORTHY_WRITERS", "4"))
    _is_whole(_write(empty_database, tmp_path, processes=processes, threads=64 // processes, times=1), 64)


@pytest.mark.parametrize("kind", ["file", "postgresql"])
def test_of_two_who_promote_at_once_one_is_told(kind: str, bakery: Project, request: pytest.FixtureRequest):
    """Both looked at the same rollout: one moves it, the other hears who was first and what to do, and moved nothing."""
    address = request.getfixturevalue("empty_database") if kind == "postgresql" else "elsewhere.db"
    (bakery.root / "shipworthy.toml").write_text(
        f"[project]\nproblems = ['problem:bakery']\n[store]\nrecords = '{address}'\n", encoding="utf-8"
    )
    people = [open_project(bakery.root).acting(name) for name in ("ann", "ben")]
    first = make_move(people[0], "bakery", None, _move("a"))
    ready = Barrier(2)

    def promote(project: Project) -> str:
        before = read_rollout(project, "bakery")
        ready.wait()
        try:
            return make_move(project, "bakery", before, _move("b")).by
        except PreconditionError as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        [refused, won] = sorted(pool.map(promote, people), key=lambda said: said in {"ann", "ben"})
    assert refused == (
        "rollout 'bakery' is at version 2, not 1: somebody else moved it meanwhile. Look at it again, then repeat what you "
        "meant to do."
    )
    assert [move.by for move in rollout_history(people[0], "bakery")] == [first.by, won]
    for project in people:
        project.records.close()


def _move(release: str) -> Move:
    return Move(phase=Phase.LIVE, champion=release, challenger=None, idea=None, share=0.0, why="it is better")
