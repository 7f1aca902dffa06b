"""A stall with three policies as releases, and its service as processes of their own behind real HTTP."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipworthy.data.snapshot import take_snapshot
from shipworthy.engine import Replay
from shipworthy.project import Project, open_project
from shipworthy.project.code import load_problem
from shipworthy.ship.release import build_release
from shipworthy.ship.rollout import Move, Phase, Rollout, make_move, read_rollout
from shipworthy.step import History
from shipworthy.store import read_log

HERE = Path(__file__).parent
SERVE = (
    "import sys; from pathlib import Path; from shipworthy.live.server import serve;"
    "from shipworthy.project import open_project;"
    "serve(open_project(Path(sys.argv[1])), sys.argv[4], port=int(sys.argv[2]), workers=int(sys.argv[3]))"
)


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: Any

    def fields(self) -> list[str]:
        """The fields that a refusal names."""
        return [error["field"] for error in self.body["errors"]]


@dataclass
class Stall:
    """The project, its releases by policy, and what can be done with them."""

    project: Project
    releases: Mapping[str, str]

    def move(
        self, champion: str, challenger: str | None = None, *, phase: Phase = Phase.LIVE, share: float = 0.0
    ) -> None:
        """Changes what serves."""
        made = Move(
            phase=phase,
            champion=self.releases[champion],
            challenger=self.releases[challenger] if challenger else None,
            share=share,
            idea="1",
            why="a test",
        )
        before: Rollout | None = read_rollout(self.project, "stock")
        make_move(self.project, "stock", before, made)


@dataclass
class Server:
    """A running service."""

    port: int
    process: subprocess.Popen[bytes]
    folder: Path

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request on a connection of its own, so that any worker may take it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if content is not None else {}
        try:
            connection.request(method, path, content, sent | {name.replace("_", "-"): v for name, v in headers.items()})
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        kind = response.headers.get_content_type()
        parsed = json.loads(text) if kind.endswith("json") else text.decode()
        return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, parsed)

    def decide(self, period: str = "2026-01-31", rows: Any = None, **headers: str) -> Answer:
        """Asks for a decision."""
        return self.ask(
            "POST", "/v1/decide", {"period": period, "rows": stall_rows() if rows is None else rows}, **headers
        )

    def wait_for(self, holds: Callable[[], bool]) -> None:
        """Waits until something holds, for at most fifteen seconds."""
        until = time.monotonic() + 15
        while not holds():
            assert time.monotonic() < until, "it did not come to hold"
            time.sleep(0.05)

    def wait_for_all_workers(self) -> None:
        """Waits until both workers have decided something: each then has a segment of its own."""

        def both() -> bool:
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda _: self.decide(), range(16)))
            return len(list(self.folder.glob("decisions-*"))) == 2

        self.wait_for(both)

    def shadows(self) -> list[dict[str, Any]]:
        """What was decided in the shadow, once nothing waits for it any more."""
        self.wait_for(lambda: self.ask("GET", "/v1/health").body["shadow"] == 0)
        return list(read_log(self.folder, "shadows"))

    def end(self, signal_number: int = signal.SIGTERM) -> None:
        """Ends the whole process group."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal_number)
        self.process.wait(30)


def stall_rows(**changes: Any) -> list[dict[str, Any]]:
    """One row per fruit; `changes` go into the first one."""
    fruits = (("apple", 1.5), ("fig", 2.5), ("plum", 3.5))
    rows: list[dict[str, Any]] = [{"fruit": fruit, "price": price, "is_market": False} for fruit, price in fruits]
    rows[0] |= changes
    return rows


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_server(project: Project, *, workers: int = 2, problem: str = "stock") -> Server:
    """Starts a service as a process group of its own, and waits until it answers."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(project.root), str(port), str(workers), problem],
        start_new_session=True,
    )
    server = Server(port, process, project.log_folder / problem)

    def answers() -> bool:
        assert process.poll() is None, "the service ended before it answered"
        try:
            return server.ask("GET", "/v1/health").status in {200, 503}
        except OSError:
            return False

    until = time.monotonic() + 60
    while not answers():
        assert time.monotonic() < until, "the service does not answer"
        time.sleep(0.02)
    return server


def build_stall(folder: Path) -> Stall:
    """Lays the project and builds a release of each of its policies."""
    shutil.copytree(HERE / "project", folder, ignore=shutil.ignore_patterns("__pycache__"))
    project = open_project(folder)
    code, problem = load_problem(project, "stock")
    snapshot = take_snapshot(project, problem)
    replay = Replay(
        project=project,
        code=code,
        problem=problem,
        snapshot=snapshot.address,
        history=History(problem, snapshot.rows),
    )
    releases = {policy: build_release(replay, policy, None) for policy in problem.policies}
    return Stall(project, releases)


def open_copy(built: Path, folder: Path) -> Stall:
    """A copy of a built stall, in a folder of its own, with nothing rolled out."""
    shutil.copytree(built, folder)
    project = open_project(folder)
    releases = {str(record.body["policy"]): record.key for record in project.records.find("release")}
    return Stall(project, releases)
