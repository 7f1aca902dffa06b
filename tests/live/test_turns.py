"""Requests that wait at the same moment: decided together, answered each by itself, never too many, never too late."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

import polars as pl
import pytest

from shipworthy.data.snapshot import take_snapshot
from shipworthy.engine import Replay, replay
from shipworthy.live.answering import Answered, Answering, ApartError, Ask
from shipworthy.live.refusals import RefusedError
from shipworthy.live.serving import Serving, Watch
from shipworthy.live.turns import MOST_BYTES, MOST_WAITING, Turns
from shipworthy.project import open_project
from shipworthy.project.code import load_problem
from shipworthy.ship.release import build_release
from shipworthy.ship.rollout import Move, Phase, make_move
from shipworthy.step import History
from shipworthy.store import read_log
from tests.live.stall import Server, start_server
from tests.problems import HERE

REQUESTS = int(os.environ.get("SHIPWORTHY_SOAK", "3000"))
CALLERS = 64
MANY = 15_000_000
"""A wish so high that three of them break a constraint which each keeps by itself."""


class Offers:
    """The project of the offers, and one of its policies at a time as the champion."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(Path(__file__).parent / "offers", folder, ignore=shutil.ignore_patterns("__pycache__"))
        self.project = open_project(folder)
        code, problem = load_problem(self.project, "offers")
        snapshot = take_snapshot(self.project, problem)
        self.replay = Replay(
            project=self.project,
            code=code,
            problem=problem,
            snapshot=snapshot.address,
            history=History(problem, snapshot.rows),
        )

    def serve(self, policy: str) -> Serving:
        """Rolls a policy out."""
        release = build_release(self.replay, policy, None)
        move = Move(phase=Phase.LIVE, champion=release, idea=None, share=0.0, why="a test")
        make_move(self.project, "offers", None, move)
        serving = Watch(self.project, "offers").serving
        assert serving is not None
        return serving


@pytest.fixture
def offers(tmp_path: Path) -> Iterator[Offers]:
    """The project, nothing rolled out."""
    laid = Offers(tmp_path / "offers")
    yield laid
    laid.project.records.close()


@pytest.fixture
def server(offers: Offers) -> Iterator[Any]:
    """Starts a service of a policy."""
    started: list[Server] = []

    def start(policy: str) -> Server:
        offers.serve(policy)
        started.append(start_server(offers.project, problem="offers"))
        return started[-1]

    yield start
    for one in started:
        one.end(signal.SIGKILL)


def body_of(rows: Sequence[tuple[int, float]], **more: Any) -> bytes:
    """A request: customers and their wishes."""
    listed = [{"customer": customer, "wish": wish} for customer, wish in rows]
    return json.dumps({"period": 3, "rows": listed, **more}).encode()


def decisions_of(rows: Sequence[tuple[int, float]], times: int) -> list[dict[str, Any]]:
    """What must be answered to it, and to nothing else."""
    return [{"customer": customer, "offer": wish * times + customer * 10} for customer, wish in sorted(rows)]


class Caller:
    """One who asks again and again on one connection, and holds every answer against what was asked."""

    def __init__(self, port: int, number: int, requests: int) -> None:
        self._port, self._requests = port, requests
        self._random = random.Random(number)
        self._first = number * requests
        self.ids: list[str] = []

    async def call(self) -> None:
        """Asks all requests."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        for number in range(self._first, self._first + self._requests):
            spoilt = self._random.random() < 0.002
            wish = -number - 1.0 if spoilt else float(MANY + number)
            customers = self._random.sample(range(20), self._random.choice((1, 1, 1, 2)))
            rows = [(customer, wish) for customer in customers]
            answer = await self._ask(reader, writer, body_of(rows))
            assert answer["decisions"] == decisions_of(rows, 2 if spoilt else 3)
            assert answer["rung"] == ("fallback" if spoilt else "policy")
            self.ids.append(answer["id"])
        writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> dict[str, Any]:
        head = f"POST /v1/decide HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        status, *headers = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        [length] = [int(line.partition(":")[2]) for line in headers if line.startswith("content-length")]
        content: dict[str, Any] = json.loads(await reader.readexactly(length))
        assert status.split()[1] == "200", content
        return content


@pytest.mark.timeout(0)
def test_nobody_gets_the_answer_of_another(server: Any) -> None:
    """Of 64 callers at once each gets what its own rows give, also while some spoil what they are decided together with."""
    running = server("picky")
    callers = [Caller(running.port, number, -(-REQUESTS // CALLERS)) for number in range(CALLERS)]

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for caller in callers:
                group.create_task(caller.call())

    asyncio.run(all_of_them())
    ids = [name for caller in callers for name in caller.ids]
    assert len(set(ids)) == len(ids) >= REQUESTS
    assert set(ids) <= {entry["id"] for entry in read_log(running.folder, "decisions")}
    counted = {
        name: float(value)
        for name, _, value in (line.partition(" ") for line in running.ask("GET", "/metrics").body.splitlines())
        if name.startswith("shipworthy_together")
    }
    assert counted["shipworthy_together_count"] < 0.8 * counted["shipworthy_together_sum"], (
        "nothing was decided together"
    )


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("hangs", "no decisions within"),
        ("raises", "ArithmeticError: no idea"),
        ("panics", "PanicException: out of bounds"),
        ("infeasible", "ended infeasible"),
        ("violates", "violates constraint"),
    ],
)
def test_a_solver_that_goes_wrong_is_answered_by_the_ladder(offers: Offers, server: Any, policy: str, why: str) -> None:
    """Within the time that callers have the fallback decides, live and in the replay; it is recorded why, and priced."""
    running = server(policy)
    with ThreadPoolExecutor(8) as pool:
        bodies = [body_of([(customer, 7.0)], time_limit=5) for customer in range(8)]
        answers = list(pool.map(lambda body: running.ask("POST", "/v1/decide", body), bodies))
    assert [(answer.status, answer.body["rung"]) for answer in answers] == [(200, "fallback")] * 8
    assert [answer.body["decisions"] for answer in answers] == [decisions_of([(one, 7.0)], 2) for one in range(8)]
    logged = {entry["id"]: entry["answers"]["champion"] for entry in read_log(running.folder, "decisions")}
    assert all(why in logged[answer.body["id"]]["falls"][0] for answer in answers)

    track = replay(offers.replay, policy, HERE).table
    plain = replay(offers.replay, "plain", HERE).table
    assert track["rung"].unique().to_list() == ["fallback"]
    assert track["value"].to_list() == plain["value"].to_list()
    assert all(why in falls for falls in track["falls"])


def test_requests_are_decided_together_only_where_that_changes_nothing(offers: Offers, tmp_path: Path) -> None:
    """Units in common, another period and a wrong field keep requests apart; none keeps another from its answer."""
    serving = offers.serve("picky")
    answering = Answering("offers", tmp_path / "log")
    bodies = [
        body_of([(1, 5.0)]),
        body_of([(1, 6.0)]),
        body_of([(2, "five")]),  # type: ignore[list-item]
        body_of([(2, 7.0)]).replace(b'"period": 3', b'"period": 2'),
        body_of([(3, 8.0), (0, 9.0)]),
    ]
    answers = answering.decide_all(serving, [Ask(body) for body in bodies])
    assert isinstance(answers[2], RefusedError)
    assert answers[2].document["errors"][0]["field"] == "rows[0].wish"
    wanted = {0: [(1, 5.0)], 1: [(1, 6.0)], 3: [(2, 7.0)], 4: [(3, 8.0), (0, 9.0)]}
    for place, rows in wanted.items():
        answer = answers[place]
        assert isinstance(answer, Answered)
        assert answer.document["decisions"] == decisions_of(rows, 3)
    assert sorted(entry["period"] for entry in read_log(tmp_path / "log", "decisions")) == [2, 3, 3, 3]
    answering.close()


def test_what_goes_wrong_together_is_asked_for_apart(offers: Offers, tmp_path: Path) -> None:
    """A row that the policy cannot take spoils the call: nothing of it is logged, and all are asked for one by one."""
    serving = offers.serve("picky")
    answering = Answering("offers", tmp_path / "log")
    answers = answering.decide_all(serving, [Ask(body_of([(1, -5.0)])), Ask(body_of([(2, 6.0)]))])
    assert [type(answer) for answer in answers] == [ApartError, ApartError]
    assert list(read_log(tmp_path / "log", "decisions")) == []
    answering.close()


def test_what_waited_longer_than_it_can_is_refused_at_once(offers: Offers, tmp_path: Path) -> None:
    """The time limit counts from the arrival, and nobody works for a caller who is gone."""
    serving = offers.serve("plain")
    answering = Answering("offers", tmp_path / "log")
    late = Ask(body_of([(1, 5.0)], time_limit=1), None, perf_counter() - 2)
    [refusal] = answering.decide_all(serving, [late])
    assert isinstance(refusal, RefusedError)
    assert (refusal.status, refusal.headers) == (503, {"Retry-After": "1"})
    assert "longer than its time limit of 1 s" in str(refusal)
    answering.close()


def test_too_many_are_refused_and_the_others_answered() -> None:
    """Who comes when the line is full is told to come again; all who stand in it are answered, in their order."""
    go_on = Event()
    taken: list[bytes] = []

    def answer_all(asks: Sequence[Ask], decided: Any) -> list[Answered | Exception]:
        go_on.wait()
        taken.extend(ask.body for ask in asks)
        decided()
        return [Answered({"body": ask.body}) for ask in asks]

    async def fill() -> list[Answered]:
        turns = Turns(answer_all, lambda: True)
        waiting = [turns.ask(Ask(b"%d" % number)) for number in range(MOST_WAITING)]
        with pytest.raises(RefusedError, match="Ask again in a second") as refusal:
            turns.ask(Ask(b"one more"))
        assert (refusal.value.status, refusal.value.headers) == (429, {"Retry-After": "1"})
        go_on.set()
        answers = await asyncio.gather(*waiting)
        turns.close()
        return answers

    answers = asyncio.run(fill())
    assert [answer.entry["body"] for answer in answers] == [b"%d" % number for number in range(MOST_WAITING)]
    assert len(taken) == MOST_WAITING


def test_an_error_of_any_kind_is_the_callers_answer() -> None:
    """What is no ordinary exception, such as a panic of native code, reaches whoever waits as one; the next is answered."""

    def answer_all(asks: Sequence[Ask], decided: Any) -> list[Answered | Exception]:
        if asks[0].body == b"bad":
            raise pl.exceptions.PanicException("out of bounds")
        decided()
        return [Answered({"body": ask.body}) for ask in asks]

    async def ask() -> Answered:
        turns = Turns(answer_all, lambda: False)
        with pytest.raises(RuntimeError, match="PanicException: out of bounds"):
            await asyncio.wait_for(turns.ask(Ask(b"bad")), 10)
        answer = await turns.ask(Ask(b"good"))
        turns.close()
        return answer

    assert asyncio.run(ask()).entry["body"] == b"good"


@pytest.mark.parametrize("size", [10, MOST_BYTES // 4])
def test_too_much_other_work_is_refused_and_the_service_tells_of_itself(size: int) -> None:
    """Outcomes that wait are limited in number and in bytes; health and metrics wait for none of them, nor for decisions."""
    go_on = Event()

    def answer_all(asks: Sequence[Ask], decided: Any) -> list[Answered | Exception]:
        raise AssertionError("nobody asks")

    async def fill() -> list[bool]:
        turns = Turns(answer_all, lambda: True)
        fit = min(MOST_WAITING, MOST_BYTES // size)
        works = [asyncio.ensure_future(turns.run(go_on.wait, size)) for _ in range(fit)]
        await asyncio.sleep(0)  # all of them begin
        with pytest.raises(RefusedError, match="Ask again in a second") as refusal:
            await turns.run(go_on.wait, size)
        assert refusal.value.status == 429
        assert await asyncio.wait_for(turns.tell(lambda: "well"), 10) == "well"
        go_on.set()
        done = await asyncio.gather(*works)
        assert await turns.run(lambda: True, size)
        turns.close()
        return done

    try:
        assert all(asyncio.run(fill()))
    finally:
        go_on.set()
