"""A server of our own, started beside whatever runs, for as long as it is needed."""

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

from shipworthy.errors import UnavailableError
from shipworthy.project import Project

_START_S = 60.0
_ANSWER_S = 120.0
_END_S = 20.0


@dataclass(frozen=True, slots=True)
class SpareServer:
    """A running server on this machine.

    Attributes:
        port: Where it listens.
    """

    port: int

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and answer of a GET."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and answer of a POST; dates go as text."""
        return self._ask("POST", path, json.dumps(body, default=str))

    def _ask(self, method: str, path: str, content: str | None) -> tuple[int, dict[str, Any]]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_S)
        try:
            connection.request(method, path, content, {"content-type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


@contextmanager
def spare_server(project: Project, problem: str, *options: str) -> Iterator[SpareServer]:
    """Starts `shipworthy serve` with one worker on a free port, and ends it afterwards.

    The project's own folder is kept off its import path: what it runs has to come out of releases.

    Raises:
        UnavailableError: it does not start; the message has its last words.
    """
    server = SpareServer(_free_port())
    command = [
        sys.executable,
        "-m",
        "shipworthy",
        "serve",
        problem,
        "--port",
        str(server.port),
        "--workers",
        "1",
        *options,
    ]
    with tempfile.TemporaryFile() as said:
        environment = {**os.environ, "PYTHONSAFEPATH": "1"}
        process = subprocess.Popen(command, cwd=project.root, stdout=said, stderr=said, env=environment)  # noqa: S603
        try:
            if not _answers(process, server):
                raise UnavailableError(f"The server did not start within {_START_S:g} s. It said: {_last_words(said)}")
            yield server
        finally:
            _end(process)


def _answers(process: subprocess.Popen[bytes], server: SpareServer) -> bool:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if server.get("/v1/health")[0] == 200:
                return True
        except (OSError, HTTPException, ValueError):
            pass
        time.sleep(0.05)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_words(said: Any) -> str:
    said.seek(0)
    return said.read().decode(errors="replace").strip()[-2000:] or "nothing"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
