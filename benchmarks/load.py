"""A server under load: wrk sends one request after another, from a file, over many connections."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

_SCRIPT = """
local bodies = {}
local place = 0
wrk.headers["Content-Type"] = "application/json"
init = function()
  for line in io.lines(os.getenv("BODIES")) do
    bodies[#bodies + 1] = wrk.format("POST", nil, nil, line)
  end
end
request = function()
  place = place % #bodies + 1
  return bodies[place]
end
"""
_DRAIN_S = 60


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw: requests a second, milliseconds at the median and at 99 of 100; and the server's CPU time per request."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs as a session of its own."""

    address: str
    session: int

    def cpu_seconds(self) -> float:
        """The CPU time of all its processes that live."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.session:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


def put_under_load(folder: Path, bodies: Sequence[bytes], server: Server, connections: int, seconds: int) -> Load:
    """Sends the bodies in turn, and fails where any is refused."""
    before = server.cpu_seconds()
    (folder / "load.lua").write_text(_SCRIPT)
    (folder / "bodies").write_bytes(b"\n".join(bodies))
    said = subprocess.run(
        [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--timeout",
            "20s",
            "--latency",
            "-s",
            "load.lua",
            server.address,
        ],
        cwd=folder,
        env={**os.environ, "BODIES": "bodies"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if "Non-2xx" in said:
        raise RuntimeError(f"the server refused requests:\n{said}")
    rate, count = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"(\d+) requests in", said)
    assert rate is not None, said
    assert count is not None, said
    if not int(count[1]):
        raise RuntimeError("not one request was answered")
    cpu_ms = (server.cpu_seconds() - before) * 1000 / int(count[1])
    return Load(float(rate[1]), _milliseconds(said, "50%"), _milliseconds(said, "99%"), cpu_ms)


@contextmanager
def started(
    command: Sequence[str], port: int, path: str, ready: str, environment: dict[str, str], log: Path
) -> Iterator[Server]:
    """A server as a process group of its own, from its first answer on; what it says goes into a file."""
    one_thread = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            env={**os.environ, **one_thread, **environment},
            start_new_session=True,
            stdout=said,
            stderr=said,
            cwd=log.parent,
        )
    try:
        _wait_until_ready(process, port, ready)
        yield Server(f"http://127.0.0.1:{port}{path}", process.pid)
    finally:
        _end(process)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, path: str) -> None:
    until = time.monotonic() + 180
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            if connection.getresponse().status < 400:
                return
        except (OSError, HTTPException):
            pass
        time.sleep(0.1)
    raise RuntimeError("the server was not ready within three minutes")


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(_DRAIN_S)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def _milliseconds(said: str, percentile: str) -> float:
    found = re.search(rf"{percentile}\s+([\d.]+)(us|ms|s)\b", said)
    assert found is not None, said
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]
