"""Without its record store the service goes on with what it knows, and the log misses nothing of that time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from shipworthy.live.serving import LOOK_S
from shipworthy.log import read_decisions
from shipworthy.log.archive import find_parts
from shipworthy.log.compaction import compact
from shipworthy.project import open_project
from shipworthy.store import feed
from tests.live.stall import Server, Stall, stall_rows

GONE_S = 2.0
DAYS = ("2026-01-31", "2026-02-01", "2026-02-02", "2026-02-03")


def _health(server: Server) -> Any:
    return server.ask("GET", "/v1/health").body["record_store_answers"]


def test_decisions_go_on_while_the_record_store_is_gone(stall: Stall, serve: Callable[..., Server]) -> None:
    """With a part of its past compacted, the service decides, takes outcomes and overrides, and knows its keys; all is logged."""
    stall.move("mean_of_three_days")
    first = serve()
    made = [first.decide(DAYS[0], Idempotency_Key="before").body]
    assert first.ask("POST", "/v1/outcomes", _sold(DAYS[0])).status == 200
    first.end()
    compact(stall.project, "stock", grace=0)
    server = serve()
    server.wait_for_all_workers()
    stall.project.records.close()
    files = {path: path.read_bytes() for path in (stall.project.root / ".shipworthy").glob("records.db*")}
    for path in files:
        path.write_bytes(b"no database any more" * 200)
    server.wait_for(lambda: _health(server) is False)
    until = time.monotonic() + GONE_S
    while time.monotonic() < until:
        for day in DAYS[1:]:
            answer = server.decide(day)
            assert (answer.status, answer.body["rung"]) == (200, "policy")
            made.append(answer.body)
            assert server.ask("POST", "/v1/outcomes", _sold(day)).status == 200
    again = server.decide(DAYS[0], Idempotency_Key="before")
    assert (again.body, again.headers["idempotency-replayed"]) == (made[0], "true")
    done = [{"day": DAYS[1], "fruit": "fig", "laid_in": 1, "by": "ada", "why": "a feast"}]
    assert server.ask("POST", "/v1/overrides", {"rows": done}).status == 200
    for path, content in files.items():
        path.write_bytes(content)
    server.wait_for(lambda: _health(server) is True)
    server.end()
    project = open_project(stall.project.root)
    compact(project, "stock", grace=0)
    logged = {entry["id"]: entry["answers"]["champion"]["decisions"] for entry in read_decisions(project, "stock")}
    assert {one["id"]: logged[one["id"]] for one in made} == {one["id"]: one["decisions"] for one in made}
    project.records.close()


def test_a_rollout_is_followed_although_the_past_cannot_be_read(stall: Stall, serve: Callable[..., Server]) -> None:
    """Where a part of the compacted log is lost, a worker cannot catch up with it, and follows the rollout all the same."""
    stall.move("mean_of_three_days")
    first = serve(workers=1)
    assert first.decide(DAYS[0]).status == 200
    first.end()
    compact(stall.project, "stock", grace=0)
    [part] = find_parts(stall.project.records, "stock")
    (stall.project.root / ".shipworthy" / "objects" / part.object).unlink()
    server = serve(workers=1)
    time.sleep(3 * LOOK_S)  # it has tried to catch up meanwhile
    stall.move("one_more")
    server.wait_for(lambda: server.ask("GET", "/v1/health").body["rollout"] == 2)


def test_a_postgresql_goes_and_comes_back(
    stall: Stall, serve: Callable[..., Server], empty_database: str, database: str, tmp_path: Path
) -> None:
    """With records in a PostgreSQL the service decides while that is gone, and afterwards follows the rollout by itself."""
    stall.move("mean_of_three_days")
    with (stall.project.root / "shipworthy.toml").open("a", encoding="utf-8") as file:
        file.write(f"[store]\nrecords = '{empty_database}'\n")
    moved = Stall(open_project(stall.project.root), stall.releases)
    moved.project.records.restore(feed(stall.project.records))
    server = serve(workers=1)
    for day in DAYS[:2]:
        assert server.decide(day).status == 200
        assert server.ask("POST", "/v1/outcomes", _sold(day)).status == 200
    name = conninfo_to_dict(empty_database)["dbname"]
    with psycopg.connect(database, autocommit=True) as gone:
        gone.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        gone.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,))
        server.wait_for(lambda: _health(server) is False)
        assert (server.decide(DAYS[2]).status, server.decide(DAYS[3]).body["rung"]) == (200, "policy")
        gone.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    server.wait_for(lambda: _health(server) is True)
    moved.move("one_more")
    server.wait_for(lambda: server.ask("GET", "/v1/health").body["rollout"] == 2)
    moved.project.records.close()


def _sold(day: str) -> Any:
    return {"rows": [{"day": day, "fruit": row["fruit"], "sold": 50} for row in stall_rows()]}
