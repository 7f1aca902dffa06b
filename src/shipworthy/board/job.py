"""A job on a page of its own: what was asked, how far it is, and what came of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from shipworthy.board.rendering import go, is_part, render, render_part
from shipworthy.board.running import idea_of
from shipworthy.project.clock import now
from shipworthy.web.asked import Asked
from shipworthy.web.verbs import permission_of
from shipworthy.workspace.job import Job
from shipworthy.workspace.role import Permission


def show_job(asked: Asked) -> Response:
    """The job; a part of it for the page that waits for it."""
    project = asked.project(Permission.READ)
    jobs = asked.desk.jobs[project.name]
    job = jobs.get(asked.request.path_params["id"])
    if is_part(asked.request):
        is_alone = "alone" in asked.request.query_params
        part = render_part("job_state", project=project, job=job, took=took(job), is_alone=is_alone)
        if is_alone and job.state.is_over:
            part.headers["HX-Refresh"] = "true"  # the rest of its page has changed too
        return part
    answer = jobs.answer(job)
    said = json.dumps(answer, indent=2, ensure_ascii=False) if answer is not None else ""
    may_end = not job.state.is_over and asked.principal.may(permission_of(job.verb), project.squad)
    number = idea_of(job)
    title = next((card.title for card in asked.cards.all() if card.number == number), "")
    shown: dict[str, Any] = {
        "job": job,
        "number": number,
        "title": title,
        "took": took(job),
        "answer": said,
        "may_end": may_end,
    }
    return render(asked, "job", here="Board", project=project, **shown)


def end_job(asked: Asked) -> Response:
    """Ends a job, as whoever may ask for its verb can."""
    project = asked.project(Permission.READ)
    jobs = asked.desk.jobs[project.name]
    job = jobs.get(asked.request.path_params["id"])
    asked.principal.require(permission_of(job.verb), project.squad)
    jobs.stop(job.id, asked.principal.name)
    return go(f"/projects/{project.name}/jobs/{job.id}", "Ended. What it had finished is kept.")


def took(job: Job) -> float:
    """How long it took, or has taken so far, in seconds from when it was asked for."""
    return max((job.at if job.state.is_over else now()) - job.asked_at, timedelta()).total_seconds()
