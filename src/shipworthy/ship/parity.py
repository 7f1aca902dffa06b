"""Parity: the packaged release, behind its real HTTP server, must decide what it decided where it was built."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

import polars as pl

from shipworthy.errors import UnavailableError
from shipworthy.project import Project
from shipworthy.ship.release import Release
from shipworthy.step import happened, worth
from shipworthy.step.check import broken_constraint
from shipworthy.step.worth import VALUE

_START_S = 60.0
_ANSWER_S = 120.0
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """How a release did against its golden decisions.

    Attributes:
        periods: Golden periods that were asked for.
        equal: Periods decided exactly alike.
        tied: Periods decided otherwise, but feasibly and for the same money: another optimum.
        broken: What went wrong, one sentence per period; empty means parity.
    """

    periods: int
    equal: int
    tied: int
    broken: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether the package is the policy that was judged."""
        return not self.broken


def prove_parity(project: Project, release: Release) -> Parity:
    """Starts the release's server, asks it for every golden period, and compares.

    Raises:
        UnavailableError: the server does not start.
    """
    golden = release.golden.partition_by(release.problem.period, as_dict=True, maintain_order=True)
    rows = release.memory.partition_by(release.problem.period, as_dict=True)
    equal, tied, broken = 0, 0, []
    with _served(project, release) as port:
        for (period,), wanted in golden.items():
            status, answer = _ask(port, _request(release, period, rows[(period,)]))
            if status != 200:
                broken.append(f"{period}: the server answered {status}: {answer.get('detail')}")
            elif _same(release, wanted, answer["decisions"]):
                equal += 1
            elif (difference := _difference(release, rows[(period,)], wanted, answer["decisions"])) is None:
                tied += 1
            else:
                broken.append(f"{period}: {difference}")
    return Parity(periods=len(golden), equal=equal, tied=tied, broken=tuple(broken))


def _request(release: Release, period: Any, rows: pl.DataFrame) -> dict[str, Any]:
    body: dict[str, Any] = {"period": period, "rows": rows.select(list(release.schema)).to_dicts()}
    return body | ({"state": dict(release.problem.initial_state)} if release.problem.initial_state else {})


def _same(release: Release, wanted: pl.DataFrame, given: list[dict[str, Any]]) -> bool:
    columns = [release.problem.unit, *release.problem.decisions]
    return wanted.select(columns).to_dicts() == [{name: row.get(name) for name in columns} for row in given]


def _difference(release: Release, rows: pl.DataFrame, wanted: pl.DataFrame, given: list[dict[str, Any]]) -> str | None:
    """What is wrong with decisions that are not the golden ones; None where they are another optimum."""
    problem = release.problem
    decisions = rows.select(problem.unit).join(
        pl.DataFrame(given, infer_schema_length=None).select(problem.unit, *problem.decisions),
        on=problem.unit,
        how="left",
    )
    violation = broken_constraint(problem, rows.select(list(release.schema)), decisions)
    if violation:
        return f"the server decided what {violation}"
    money = [
        float(worth(problem, happened(problem, rows, table.drop(problem.period, strict=False)))[VALUE].sum())
        for table in (wanted, decisions)
    ]
    if abs(money[0] - money[1]) <= _TOLERANCE * max(1.0, abs(money[0])):
        return None
    return f"the server's decisions were worth {money[1]:,.2f}, the golden ones {money[0]:,.2f}"


@contextmanager
def _served(project: Project, release: Release) -> Iterator[int]:
    port = _free_port()
    command = [sys.executable, "-m", "shipworthy", "serve", release.problem.name, "--release", release.id]
    with tempfile.TemporaryDirectory(prefix="shipworthy-parity-") as log, tempfile.TemporaryFile() as said:
        server = subprocess.Popen(  # noqa: S603  (our own command line)
            [*command, "--port", str(port), "--workers", "1", "--log", log],
            cwd=project.root,
            stdout=said,
            stderr=said,
            env={**os.environ, "PYTHONSAFEPATH": "1"},
        )
        try:
            _wait_until_healthy(server, port, said)
            yield port
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_until_healthy(server: subprocess.Popen[bytes], port: int, said: Any) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and server.poll() is None:
        try:
            if _ask(port, None)[0] == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.05)
    said.seek(0)
    words = said.read().decode(errors="replace").strip()[-2000:]
    raise UnavailableError(f"The release's server did not start within {_START_S:g} s. It said: {words or 'nothing'}")


def _ask(port: int, body: Mapping[str, Any] | None) -> tuple[int, dict[str, Any]]:
    connection = HTTPConnection("127.0.0.1", port, timeout=_ANSWER_S)
    try:
        if body is None:
            connection.request("GET", "/v1/health")
        else:
            content = json.dumps(body, default=str)
            connection.request("POST", "/v1/decide", content, {"content-type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
