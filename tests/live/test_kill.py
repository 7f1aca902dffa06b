"""Killed again and again under load, the service loses no decision that it acknowledged, and logs none twice."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from threading import Event

from shipworthy.log import read_decisions
from shipworthy.log.archive import find_parts
from shipworthy.log.compaction import compact
from shipworthy.project import Project
from shipworthy.store import read_log
from tests.live.stall import Server, Stall, open_copy, start_server

KILLS = int(os.environ.get("SHIPWORTHY_KILLS", "10"))
SERVICES = 2
CLIENTS = 4


def _ask_until(stopped: Event, server: Server, client: str, acknowledged: list[str]) -> None:
    """Asks again and again, every second time under a key that is repeated after a failure, as a careful client does."""
    number = 0
    while not stopped.is_set():
        number += 1
        key = {"Idempotency_Key": f"{client}-{number}"} if number % 2 else {}
        try:
            answer = server.decide(**key)
        except (OSError, HTTPException, ValueError):
            number -= 1
            continue
        assert answer.status == 200
        acknowledged.append(answer.body["id"])


def _compact_until(stopped: Event, project: Project) -> None:
    while not stopped.wait(0.02):
        compact(project, "stock", grace=0)


def _load_and_kill(stall: Stall, kills: int, *, compacted: bool = False) -> list[str]:
    acknowledged: list[str] = []
    for kill in range(kills):
        server = start_server(stall.project)
        stopped = Event()
        with ThreadPoolExecutor(CLIENTS + 1) as pool:
            clients = [
                pool.submit(_ask_until, stopped, server, f"{kill}-{client}", acknowledged) for client in range(CLIENTS)
            ]
            if compacted:
                clients.append(pool.submit(_compact_until, stopped, stall.project))
            time.sleep(0.1 + 0.37 * kill % 0.3)
            server.end(signal.SIGKILL)
            stopped.set()
            for client in clients:
                client.result()
    return acknowledged


def test_no_acknowledged_decision_is_lost_or_doubled(built: Path, tmp_path: Path) -> None:
    """After every kill -9 of the whole process group, each acknowledged id is in the log exactly once."""
    stalls = [open_copy(built, tmp_path / f"stall {n}") for n in range(SERVICES)]
    for stall in stalls:
        stall.move("mean_of_three_days", "one_more")
    with ThreadPoolExecutor(SERVICES) as pool:
        acknowledged = list(pool.map(lambda stall: _load_and_kill(stall, KILLS // SERVICES), stalls))
    for stall, ids in zip(stalls, acknowledged, strict=True):
        folder = stall.project.log_folder / "stock"
        whole = [line for path in folder.glob("decisions-*") for line in path.read_bytes().split(b"\n")[:-1]]
        logged = Counter(json.loads(line)["id"] for line in whole)
        assert len(ids) > KILLS
        assert len(ids) == len(set(ids))
        assert {name: logged[name] for name in ids} == dict.fromkeys(ids, 1)
        assert set(ids) <= {entry["id"] for entry in read_log(folder, "decisions")}
        stall.project.records.close()


def test_nothing_is_lost_or_doubled_while_it_is_compacted(built: Path, tmp_path: Path) -> None:
    """Compacted all the while, each acknowledged id is read once, and a later service still knows its key."""
    stall = open_copy(built, tmp_path / "stall")
    stall.move("mean_of_three_days")  # what waits for a shadow would stay in its segment
    acknowledged = _load_and_kill(stall, KILLS // 4, compacted=True)
    compact(stall.project, "stock", grace=0)
    logged = Counter(entry["id"] for entry in read_decisions(stall.project, "stock"))
    assert len(acknowledged) > KILLS // 4
    assert {name: logged[name] for name in acknowledged} == dict.fromkeys(acknowledged, 1)
    assert sum(part.count for part in find_parts(stall.project.records, "stock")) == logged.total()
    server = start_server(stall.project)
    try:
        answer = server.decide(Idempotency_Key=next(name for name in acknowledged if "-" in name))
        assert answer.headers["idempotency-replayed"] == "true"
    finally:
        server.end(signal.SIGKILL)
    stall.project.records.close()
