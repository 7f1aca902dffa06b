"""Verbs asked for over HTTP: processes of their own, recorded, bounded, ended with the server, and no way around a gate."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from shipworthy.api.client import Client
from shipworthy.errors import GateClosedError, InvalidInputError
from tests.api.serving import Server, serving, wait_for

_SLOW = """

@kiosk.policy
class Slow(sw.Policy):
    \"\"\"Says its process and its environment, and never ends.\"\"\"

    def decide(self, now, fitted):
        import json, os, pathlib, time

        pathlib.Path("seen.json").write_text(json.dumps([os.getpid(), dict(os.environ)]))
        time.sleep(600)
"""


def _slow(judged: Path, folder: Path) -> Path:
    """The kiosk with an idea whose policy never ends."""
    shutil.copytree(judged, folder)
    with (folder / "problem.py").open("a") as file:
        file.write(_SLOW)
    text = (folder / "ideas" / "0002-kiosk.toml").read_text()
    (folder / "ideas" / "0002-kiosk.toml").write_text(text.replace('"one"', '"slow"'))
    with (folder / "shipworthy.toml").open("a") as file:
        file.write("[jobs]\nat_once = 1\n")
    return folder


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_verb_answers_as_the_command_line_does(laptop: Server) -> None:
    """A verb is a job at a place of its own; waited for, it gives what --json prints, and a closed gate its gaps."""
    got = laptop.ask("POST", laptop.project("/verbs/status"), {}, Prefer="wait=60")
    assert (got.status, got.body["state"], got.body["exit_code"]) == (200, "done", 0)
    assert got.body["answer"][0]["idea"] == 1
    assert laptop.ask("GET", got.headers["location"]).body["who"] == "ann"
    refused = laptop.ask("POST", laptop.project("/verbs/research"), {"number": 2}, Prefer="wait=60")
    assert (refused.status, refused.body["error"]) == (409, "GateClosedError")
    assert "have not been examined" in refused.body["gaps"][0]
    client = Client(laptop.url)
    with pytest.raises(GateClosedError, match="have not been examined"):
        client.research(2)
    with pytest.raises(InvalidInputError, match="unknown field `numbr`"):
        client.research(numbr=2)


def test_the_same_key_starts_a_verb_once(laptop: Server) -> None:
    """A request that is sent again starts nothing; with other parameters it is refused."""
    path, key = laptop.project("/verbs/history"), {"Idempotency_Key": "monday"}
    first, again = (laptop.ask("POST", path, {}, **key) for _ in range(2))
    assert (first.status, again.body["id"]) == (202, first.body["id"])
    other = laptop.ask("POST", path, {"at": "2026-01-01"}, **key)
    assert (other.status, "Idempotency-Key" in other.body["detail"]) == (422, True)
    assert laptop.ask("POST", path, {}, Idempotency_Key="x" * 300).status == 422


def test_what_computes_waits_its_turn_and_what_reads_or_takes_back_does_not(judged: Path, tmp_path: Path) -> None:
    """One job runs and another waits; a question and a rollback are answered meanwhile; secrets stay with the server.

    The server is killed: the job dies with it, and the next server tells that both are lost.
    """
    folder = _slow(judged, tmp_path / "kiosk")
    with serving(folder, SHIPWORTHY_USER="ann", SHIPWORTHY_NOBODY_KNOWS="a secret") as server:
        path = server.project("/verbs/data")
        runs = server.ask("POST", path, {"number": 2}).body["id"]
        wait_for(lambda: (folder / "seen.json").exists())
        waits = server.ask("POST", path, {"number": 1}).body["id"]
        process, environment = json.loads((folder / "seen.json").read_text())
        assert environment["SHIPWORTHY_USER"] == "ann"
        assert not [name for name, value in environment.items() if "a secret" in value]
        assert server.ask("POST", server.project("/verbs/status"), {}, Prefer="wait=60").status == 200
        taken_back = server.ask("POST", server.project("/verbs/rollback"), {"problem": "kiosk"}, Prefer="wait=60")
        assert (taken_back.status, taken_back.body["error"]) == (404, "NotFoundError")
        states = {job["id"]: job["state"] for job in server.ask("GET", server.project("/jobs")).body["items"]}
        assert (states[runs], states[waits]) == ("running", "queued")
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        wait_for(lambda: not _lives(process))
    with serving(folder, SHIPWORTHY_USER="ann") as server:
        for name in (runs, waits):
            job = server.ask("GET", server.project(f"/jobs/{name}")).body
            assert (job["state"], "Ask again" in job["error"]["detail"]) == ("lost", True)


def test_a_job_ends_when_its_time_is_over(judged: Path, tmp_path: Path) -> None:
    """A job that takes longer than it may is ended, and says so."""
    folder = _slow(judged, tmp_path / "kiosk")
    with serving(folder, SHIPWORTHY_USER="ann") as server:
        name = server.ask("POST", server.project("/verbs/data"), {"number": 2}).body["id"]
        wait_for(lambda: (folder / "seen.json").exists())
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(20)
    with serving(folder, SHIPWORTHY_USER="ann") as server:
        job = server.ask("GET", server.project(f"/jobs/{name}")).body
    assert (job["state"], job["error"]["detail"]) == ("lost", "data was ended: the server ended.")
