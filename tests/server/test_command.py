"""`shipworthy server` as it is typed: a process of its own, asked over HTTP, ended by a signal."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import monotonic, sleep

import httpx2

from shipworthy.ideas.register import new_idea
from shipworthy.project import Project, open_project


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(project: Project, *options: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The server of a project, in a process of its own, once it is ready."""
    port = free_port()
    command = [sys.executable, "-m", "shipworthy", "server", "--port", str(port), *options]
    process = subprocess.Popen(command, cwd=project.root, stderr=subprocess.DEVNULL, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            with suppress(httpx2.TransportError):
                if httpx2.get(f"{address}/v1/health").status_code == 200:
                    break
            assert process.poll() is None
            sleep(0.1)
        yield address, process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


@contextmanager
def receiver() -> Iterator[tuple[str, list[dict[str, object]]]]:
    """Somebody who is told, and keeps what they hear."""
    heard: list[dict[str, object]] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            del words

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
        server.shutdown()


def _answers(address: str) -> bool:
    try:
        httpx2.get(f"{address}/v1/alive")
    except httpx2.ConnectError:
        return False
    except httpx2.TransportError:  # it was ending
        return True
    return True


def test_it_answers_its_probes_and_ends_soon_although_a_page_follows_the_feed(bakery: Project):
    """Alive and healthy without signing in, with as many files as it may have; SIGTERM ends it soon, with a stream still open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    with served(bakery) as (address, process):
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE)[0] > 256
        assert httpx2.get(f"{address}/v1/alive").json() == {"alive": True}
        health = httpx2.get(f"{address}/v1/health")
        assert (health.status_code, health.json()["record_stores_answer"]) == (200, True)
        stream = f"{address}/api/v1/projects/{bakery.name}/feed"
        with httpx2.stream("GET", stream, headers={"accept": "text/event-stream"}, timeout=30) as open_:
            assert open_.status_code == 200
            began = monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == -signal.SIGTERM  # as the signal says
            assert monotonic() - began < 15


def test_a_store_that_is_gone_shows_in_its_health(bakery: Project):
    """Where the record store does not answer, health says so with 503, and the process is alive all the same."""
    bakery.records.close()
    with served(bakery) as (address, _):
        assert httpx2.get(f"{address}/v1/health").status_code == 200
        for file in (bakery.root / ".shipworthy").glob("*.db*"):
            file.write_bytes(b"no database" * 1000)
        answer = httpx2.get(f"{address}/v1/health")
        assert (answer.status_code, answer.json()["record_stores_answer"]) == (503, False)
        assert httpx2.get(f"{address}/v1/alive").status_code == 200


def test_a_port_that_is_taken_is_said_before_anything_starts(bakery: Project):
    """Exit code 6 and one sentence, where somebody else listens there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "shipworthy", "server", "--port", str(taken.getsockname()[1])]
        found = subprocess.run(command, cwd=bakery.root, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 6
    assert "Choose another --port" in found.stderr
    assert "Traceback" not in found.stderr


def test_two_workers_tell_what_happens_once_and_end_with_who_started_them(bakery: Project):
    """The notices of a project are told by one process of the machine; where the server is killed, its port is free again."""
    with receiver() as (address, heard):
        settings = bakery.root / "shipworthy.toml"
        settings.write_text(f"{settings.read_text()}\n[notices]\nwebhook = '{address}'\non = ['idea']\n")
        project = open_project(bakery.root)
        with served(project, "--workers", "2") as (server, process):
            sleep(3)
            new_idea(project, "Bake at noon")
            for _ in range(100):
                if heard:
                    break
                sleep(0.1)
            sleep(2.5)  # the other worker would have told by now
            process.kill()
            process.wait()
            until = monotonic() + 20
            while _answers(server):
                assert monotonic() < until, "a worker is left behind"
                sleep(0.1)
    project.records.close()
    assert [message["kind"] for message in heard] == ["idea"]


def test_it_listens_to_nobody_else_without_accounts(bakery: Project):
    """Bound to an address that others reach, it demands an account, and says how to add one."""
    command = [sys.executable, "-m", "shipworthy", "server", "--host", "0.0.0.0", "--port", str(free_port())]
    found = subprocess.run(command, cwd=bakery.root, capture_output=True, text=True, timeout=60, check=False)
    assert (found.returncode, "shipworthy account add" in found.stderr) == (2, True)
