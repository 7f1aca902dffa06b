"""How long records take with 10,000 ideas in ten versions each: in a SQLite file, and in a PostgreSQL beside it.

    python -m benchmarks.records

Target: to find 10,000 ideas in ten versions takes at most three times as long as in one; and a key that is known,
and what came since, at most twice.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.machine import describe
from shipworthy.store import Change, RecordStore, feed
from shipworthy.store.address import open_records
from shipworthy.store.chain import checked
from tests.postgres_server import postgres_server

IDEAS = 10_000
VERSIONS = 10
AT_ONCE = 1_000
TEXT = "If the forecast knew the weather, we would prepare fewer portions on warm days. " * 5
TARGETS = {"find all": 3.0, "find by prefix": 2.0, "get": 2.0, "since": 2.0}


def main() -> int:
    """Returns 0 if every target was met."""
    print(describe())
    missed = []
    with tempfile.TemporaryDirectory() as folder, postgres_server() as server:
        for name, address in (("SQLite", f"{folder}/records.db"), ("PostgreSQL", server)):
            store = open_records(address, root=Path(folder), space="bench", clock=lambda: datetime.now(UTC))
            print(f"\n{name}")
            missed += [f"{name}: {what}" for what in _measure(store)]
            store.close()
    print(f"\nmissed: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


def _measure(store: RecordStore) -> list[str]:
    one = median(_timed(partial(store.add, _change(n), by="me")) for n in range(200))
    print(f"  add, one at a time        {one * 1000:9.2f} ms each")
    batch = _timed(lambda: _fill(store))
    first = _reads(store)
    for _ in range(VERSIONS - 1):
        batch += _timed(lambda: _fill(store))
    print(f"  add, a thousand at once   {batch / IDEAS / VERSIONS * 1000:9.3f} ms each")
    last, missed = _reads(store), []
    for what, seconds in last.items():
        ratio = seconds / first[what]
        missed += [what] if ratio > TARGETS[what] else []
        print(f"  {what:25} {seconds * 1000:9.2f} ms, {ratio:.2f} times as long as with one version of each")
    checking = _timed(lambda: sum(1 for _ in checked(feed(store))))
    print(f"  check the whole chain     {checking:9.2f} s for {store.head().seq:,} records")
    return missed


def _reads(store: RecordStore) -> dict[str, float]:
    seq = store.head().seq
    reads: dict[str, Callable[[], object]] = {
        "find all": lambda: store.find("idea"),
        "find by prefix": lambda: store.find("idea", prefix="0123"),
        "get": lambda: store.get("idea", "05000"),
        "since": lambda: store.since(seq - 100),
    }
    return {what: median(_timed(read) for _ in range(9)) for what, read in reads.items()}


def _fill(store: RecordStore) -> None:
    for first in range(0, IDEAS, AT_ONCE):
        store.add(*(_change(n) for n in range(first, first + AT_ONCE)), by="me")


def _change(n: int) -> Change:
    return Change(kind="idea", key=f"{n:05}", body={"slug": f"idea-{n}", "text": TEXT})


def _timed(run: Callable[[], object]) -> float:
    began = perf_counter()
    run()
    return perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
