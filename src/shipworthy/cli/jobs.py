"""`shipworthy jobs`: what was asked of a server of this project, how far it is, and its end."""

from __future__ import annotations

import click

from shipworthy.cli.show import as_json, show, tell
from shipworthy.project import Project, open_project
from shipworthy.workspace.job import Job, JobState, job_body
from shipworthy.workspace.jobs import Jobs


@click.group()
def jobs() -> None:
    """Jobs: verbs that were asked of a server of this project."""


@jobs.command(name="list")
@click.option("--state", type=click.Choice([str(state) for state in JobState]), help="Only those in this state.")
@click.option("--verb", help="Only those of this verb.")
@as_json
def list_(state: str | None, verb: str | None, json_: bool) -> None:
    """Show the jobs, the newest first."""
    rows = [
        {
            "id": job.id,
            "verb": job.verb,
            "who": job.who,
            "asked_at": f"{job.asked_at:%Y-%m-%d %H:%M}",
            "state": str(job.state),
        }
        for job in Jobs(open_project()).all()
        if state in (None, job.state) and verb in (None, job.verb)
    ]
    show(rows, json_=json_, title="Jobs", empty="No job yet. The board and the API start them.")


@jobs.command(name="show")
@click.argument("id_", metavar="ID")
@as_json
def show_(id_: str, json_: bool) -> None:
    """Show how far a job is, and with --json what it answered."""
    project = open_project()
    _tell(project, Jobs(project).get(id_), json_=json_)


@jobs.command()
@click.argument("id_", metavar="ID")
@as_json
def end(id_: str, json_: bool) -> None:
    """End a job, wherever it runs; what it had finished is kept, and asking again goes on from there."""
    project = open_project()
    _tell(project, Jobs(project).stop(id_, project.who), json_=json_)


def _tell(project: Project, job: Job, *, json_: bool) -> None:
    facts = {
        "Job": f"{job.id}: {job.verb}, asked by {job.who} at {job.asked_at:%Y-%m-%d %H:%M}",
        "State": f"{job.state} since {job.at:%Y-%m-%d %H:%M}",
        "Says": job.error,
    }
    record = {**job_body(job), "id": job.id, "at": job.at.isoformat(), "answer": Jobs(project).answer(job)}
    tell(facts, record=record if json_ else None)
