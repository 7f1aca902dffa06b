"""Jobs of a project: nobody's crowd of them stops what takes back harm, and those of a machine that is gone are lost."""

from __future__ import annotations

from pathlib import Path
from time import sleep
from typing import Any

import pytest

from shipworthy.errors import NotFoundError, UnavailableError
from shipworthy.project.clock import now
from shipworthy.store import Change
from shipworthy.workspace import beats as beats_module
from shipworthy.workspace import jobs as jobs_module
from shipworthy.workspace.beats import Beats
from shipworthy.workspace.job import Job, JobState, Lane, Task, job_body
from shipworthy.workspace.jobs import Jobs
from shipworthy.workspace.turn import Turn
from tests.full_disk import files_end_at
from tests.server.town import lay


@pytest.fixture
def kitchen(tmp_path: Path):
    """A project without ideas."""
    workspace = lay(tmp_path / "town")
    project = workspace.project("kitchen")
    yield project
    project.records.close()
    workspace.records.close()


def test_those_who_read_never_stop_who_takes_back_harm(kitchen, monkeypatch: pytest.MonkeyPatch):
    """An account has only so many jobs in a lane, and so have all; a rollback runs beside them all, and the keeper beats."""
    monkeypatch.setattr(jobs_module, "_MOST_WAITING", 3)
    monkeypatch.setattr(jobs_module, "_MOST_OF_ONE", 2)
    monkeypatch.setattr(jobs_module, "EVERY_S", 0.01)
    places = [Turn.take(kitchen.root / ".shipworthy" / "jobs" / f"look-{place}") for place in range(4)]
    jobs = Jobs(kitchen)
    looks = Task(verb="status", words=["status", "--json"], lane=Lane.LOOK)
    for who in ("eve", "eve", "ben"):
        jobs.start(looks, who)
    with pytest.raises(UnavailableError, match="2 jobs of eve's wait already"):
        jobs.start(looks, "eve")
    with pytest.raises(UnavailableError, match="3 jobs wait already"):
        jobs.start(looks, "ann")
    for who in ("ann", "eve"):
        back = jobs.start(Task(verb="rollback", words=["rollback", "x", "--why", "harm"], lane=Lane.PROMPT), who)
        assert jobs.wait(back.id, 60.0).state is JobState.REFUSED  # it ran: there is nothing to take back
    jobs.end()
    assert [beat.body for beat in kitchen.records.find("keeper")] == [{"host": jobs_module._HOST}]
    for place in places:
        assert place is not None
        place.give_back()


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING])
def test_a_job_of_a_machine_that_is_gone_is_lost(kitchen, monkeypatch: pytest.MonkeyPatch, state: JobState):
    """A job that another machine keeps goes on as long as its keeper beats, and is lost when it falls silent."""
    at = now()
    body: dict[str, Any] = {
        "verb": "data",
        "given": {"number": 1},
        "who": "ann",
        "state": state,
        "asked_at": at,
        "at": at,
    }
    job = Job(id="j-far", **body, host="elsewhere", keeper="k-far", limit_s=43_200.0, version=0)
    kitchen.records.add(Change(kind="job", key=job.id, body=job_body(job)), by="ann")
    monkeypatch.setattr(beats_module, "_SILENT_S", -1.0)  # any second look without a beat between is one too many
    jobs, far = Jobs(kitchen), Beats(kitchen)
    for _ in range(3):
        far.beat("k-far", "elsewhere")
        assert jobs.get("j-far").state is state
    assert [one.state for one in jobs.all()] == [JobState.LOST]
    assert "Ask again" in str(jobs.get("j-far").error)


def test_a_job_in_a_word_that_nobody_knows_hides_no_other(kitchen):
    """A record that another version of shipworthy wrote is left out of the list, and said to be none when asked for."""
    at = now()
    body: dict[str, Any] = {"verb": "data", "given": {}, "who": "ann", "state": JobState.DONE, "asked_at": at, "at": at}
    known = job_body(Job(id="j-1", **body, host="here", keeper="k", limit_s=1.0, version=0))
    odd = {"j-1": known, "j-2": known | {"state": "resting"}, "j-3": known | {"mood": "calm"}, "j-4": {}}
    kitchen.records.add(*(Change(kind="job", key=key, body=one) for key, one in odd.items()), by="ann")
    jobs = Jobs(kitchen)
    assert [job.id for job in jobs.all()] == ["j-1"]
    with pytest.raises(NotFoundError, match="j-2"):
        jobs.get("j-2")


def test_a_job_whose_end_found_no_room_is_lost_and_runs_no_further(kitchen, monkeypatch: pytest.MonkeyPatch):
    """Where the disk is full while a job ends, it is said to be lost once there is room, by the server that ran it."""
    monkeypatch.setattr(jobs_module, "_TRIES", 1)
    jobs = Jobs(kitchen)
    places = [Turn.take(kitchen.root / ".shipworthy" / "jobs" / f"work-{n}") for n in range(jobs.at_once)]
    job = jobs.start(Task(verb="status", words=["status"], lane=Lane.WORK), "ann")
    assert jobs.get(job.id).state is JobState.QUEUED
    with files_end_at(10):
        for place in filter(None, places):
            place.give_back()
        while jobs._kept:
            sleep(0.02)
    assert jobs.get(job.id).state is JobState.LOST
    assert "Ask again" in str([one.error for one in jobs.all()])
    assert jobs.wait(jobs.start(Task(verb="status", words=["status"], lane=Lane.LOOK), "ann").id, 60).state.is_over
    jobs.end()
