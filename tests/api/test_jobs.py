"""Verbs asked for over HTTP: processes of their own, recorded, bounded, ended with the server, and no way around a gate."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shipworthy.api.client import Client
from shipworthy.errors import GateClosedError, InvalidInputError, PreconditionError
from shipworthy.project import open_project
from shipworthy.project.clock import now
from shipworthy.project.role import Role
from shipworthy.store import Change, feed
from shipworthy.store.chain import checked
from shipworthy.workspace.job import Job, JobState, job_body
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


def _typed_by(who: str, folder: Path, *words: str) -> Any:
    """What a command prints as JSON that somebody types in the project's folder, in a process of its own."""
    command = [sys.executable, "-m", "shipworthy", *words]
    environment = os.environ | {"SHIPWORTHY_USER": who}
    return json.loads(subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True).stdout)


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
        wait_for((folder / "seen.json").exists)
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


def test_a_server_that_is_stopped_ends_its_jobs(judged: Path, tmp_path: Path) -> None:
    """Where the server is stopped in order, its jobs are ended, and their records say why."""
    folder = _slow(judged, tmp_path / "kiosk")
    with serving(folder, SHIPWORTHY_USER="ann") as server:
        name = server.ask("POST", server.project("/verbs/data"), {"number": 2}).body["id"]
        wait_for((folder / "seen.json").exists)
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(20)
    with serving(folder, SHIPWORTHY_USER="ann") as server:
        job = server.ask("GET", server.project(f"/jobs/{name}")).body
    assert (job["state"], job["error"]["detail"]) == ("lost", "Data was ended: the server ended.")


def test_a_job_is_ended_from_another_process_and_leaves_nothing_half_done(judged: Path, tmp_path: Path) -> None:
    """Whoever ends a job stands in its record; its processes die, what waits gets its turn, and the records are whole."""
    folder = _slow(judged, tmp_path / "kiosk")
    with serving(folder, SHIPWORTHY_USER="ann") as server:
        runs = server.ask("POST", server.project("/verbs/data"), {"number": 2}).body["id"]
        wait_for((folder / "seen.json").exists)
        waits = server.ask("POST", server.project("/verbs/data"), {"number": 2}).body["id"]
        process, _ = json.loads((folder / "seen.json").read_text())
        client = Client(server.url)
        queued = client.end_job(waits)
        assert (queued["state"], queued["who"]) == ("ended", "ann")
        assert _typed_by("ben", folder, "jobs", "end", runs, "--json")["who"] == "ann"
        wait_for(lambda: not _lives(process))
        ended = client.job(runs)
        assert (ended["state"], ended["exit_code"]) == ("ended", None)
        assert ended["error"]["detail"].startswith("Data was ended by ben.")
        with pytest.raises(PreconditionError, match="over already, ended"):
            client.end_job(runs)
        assert {job["id"]: job["state"] for job in _typed_by("ben", folder, "jobs", "list", "--json")} == {
            runs: "ended",
            waits: "ended",
        }
        after = server.ask("POST", server.project("/verbs/data"), {"number": 1}, Prefer="wait=60")
        assert (after.status, after.body["state"]) == (200, "done"), after
    project = open_project(folder)
    assert [(one.by, one.body["state"]) for one in project.records.history("job", runs)] == [
        ("ann", "queued"),
        ("ann", "running"),
        ("ben", "ended"),
    ]
    assert project.records.history("data", "0002") == []
    list(checked(feed(project.records)))
    project.records.close()


def test_who_may_ask_for_a_verb_may_end_its_job(squad: tuple[Server, dict[str, str]]) -> None:
    """A stakeholder ends no examination, an analyst does, whichever machine keeps it; the page offers it to whom it is theirs."""
    server, tokens = squad
    project, at = open_project(server.folder), now()
    about: dict[str, Any] = {
        "verb": "data",
        "given": {},
        "who": "ann",
        "state": JobState.RUNNING,
        "asked_at": at,
        "at": at,
    }
    job = Job(id="j-far", **about, host="elsewhere", keeper="k-far", limit_s=60.0, version=0)
    project.records.add(Change(kind="job", key=job.id, body=job_body(job)), by="ann")
    project.records.close()
    page, end = "/projects/kiosk/jobs/j-far", "/projects/kiosk/jobs/j-far/end"
    for role in (Role.STAKEHOLDER, Role.PRODUCT_MANAGER):
        server.token = tokens[role]
        assert (server.ask("POST", f"/api/v1{end}").status, server.ask("POST", end).status) == (403, 403)
        assert "End the job" not in server.ask("GET", page).body
    server.token = tokens[Role.ANALYST]
    assert "End the job" in server.ask("GET", page).body
    assert server.ask("POST", end).status == 303
    assert "was ended by analyst" in server.ask("GET", page).body
    assert server.ask("POST", f"/api/v1{end}").status == 412
