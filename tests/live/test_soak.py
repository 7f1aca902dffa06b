"""Half an hour of everything at once: memory stays flat and no descriptor is lost."""

from __future__ import annotations

import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from statistics import median
from threading import Event
from typing import NamedTuple

import pytest

from shipworthy.ship.rollout import Phase
from tests.live.stall import Server, open_copy, stall_rows, start_server

MINUTES = float(os.environ.get("SHIPWORTHY_SOAK_MINUTES", "0"))
CALLERS = 8
A_DAY = 500
"""So many requests are one day, so that what is remembered moves on."""


class Used(NamedTuple):
    """What all processes of a service hold: memory, shared parts counted once, and open descriptors."""

    kilobytes: int
    descriptors: int


def _used(server: Server) -> Used:
    kilobytes = descriptors = 0
    for process in _processes(server.process.pid):
        try:
            lines = (process / "smaps_rollup").read_text().splitlines()
            descriptors += len(list((process / "fd").iterdir()))
        except OSError:
            continue  # it has just ended
        kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return Used(kilobytes, descriptors)


def _processes(group: int) -> list[Path]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            found.append(process)
    return found


def _ask_until(stopped: Event, server: Server, numbers: count[int], seen: Counter[int]) -> None:
    """Decisions, repeated ones, outcomes, their corrections, and what is wrong, as day follows day."""
    while not stopped.is_set():
        number = next(numbers)
        day = str(date(2026, 2, 1) + timedelta(days=number // A_DAY))
        kind = number % 10
        if kind < 6:
            answer = server.decide(day, **({"Idempotency_Key": f"k{number // 100}-{kind}"} if kind == 0 else {}))
        elif kind < 8:
            rows = [{"day": day, "fruit": "apple", "sold": number % 50}, {"day": day, "fruit": "fig", "sold": 3}]
            answer = server.ask("POST", "/v1/outcomes", {"rows": rows})
        elif kind == 8:
            answer = server.decide(day, stall_rows(price="cheap"))
        else:
            answer = server.ask("GET", "/metrics" if number % 20 == 9 else "/v1/health")
        seen[answer.status] += 1


@pytest.mark.skipif(MINUTES <= 0, reason="half an hour long; make soak runs it")
@pytest.mark.timeout(int(60 * MINUTES) + 300)
def test_a_service_under_mixed_load_holds_no_more_and_more(built: Path, tmp_path: Path) -> None:
    """After a third of the time for warming up, memory grows by at most 5 %, descriptors by no more than connections."""
    stall = open_copy(built, tmp_path / "stall")
    stall.move("mean_of_three_days", "one_more", phase=Phase.SHADOW)
    server, stopped, seen, used = start_server(stall.project), Event(), Counter[int](), list[Used]()
    numbers = count()
    with ThreadPoolExecutor(CALLERS) as pool:
        callers = [pool.submit(_ask_until, stopped, server, numbers, seen) for _ in range(CALLERS)]
        until = time.monotonic() + 60 * MINUTES
        while time.monotonic() < until and not any(caller.done() for caller in callers):
            used.append(_used(server))
            time.sleep(2)
        stopped.set()
        for caller in callers:
            caller.result()
    server.end()
    stall.project.records.close()
    part = len(used) // 6
    warm, late = used[2 * part : 3 * part], used[-part:]
    memory = [median(one.kilobytes for one in span) for span in (warm, late)]
    descriptors = [median(one.descriptors for one in span) for span in (warm, late)]
    print(f"{sum(seen.values()):,} requests {dict(seen)}; memory {memory} kB; descriptors {descriptors}")  # noqa: T201  (what it is run to see)
    assert set(seen) <= {200, 422, 429}
    assert memory[1] <= 1.05 * memory[0]
    assert descriptors[1] <= descriptors[0] + 2 * CALLERS, "more than the connections that are open at the moment"
