"""Jobs: every verb of the command line as an endpoint, and how what was started goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from msgspec import Struct

from shipworthy.api.endpoint import PREFIX, Answer, Call, Endpoint, Page
from shipworthy.api.paging import PageQuery, page
from shipworthy.api.refusing import document_of
from shipworthy.errors import ShipworthyError
from shipworthy.web.verbs import Verb, permission_of, verbs
from shipworthy.workspace.job import Job, JobState
from shipworthy.workspace.role import Permission

_LONGEST_WAIT_S = 60.0
_WAIT = re.compile(r"\bwait=(\d{1,4})\b")


@dataclass(frozen=True, slots=True)
class Started:
    """A job that was started, and for how many seconds whoever asked waits for it."""

    job: Job
    seconds: float


class JobAnswer(Struct, kw_only=True):
    """A job: who asked for which verb, how far it is, and what it answered or what is wrong."""

    id: str
    verb: str
    given: dict[str, Any]
    who: str
    state: JobState
    asked_at: datetime
    at: datetime
    exit_code: int | None = None
    error: dict[str, Any] | None = None
    answer: Any = None


class JobQuery(PageQuery, kw_only=True):
    """Which jobs."""

    state: JobState | None = None
    verb: str | None = None


def answer_to(call: Call, job: Job) -> Answer:
    """How a job is answered for: 202 while it goes on, its answer once it is over.

    Raises:
        ShipworthyError: what the verb refused, as it would have been raised here.
    """
    project = call.project.name
    headers = {"location": f"{PREFIX}/projects/{project}/jobs/{job.id}"}
    if not job.state.is_over:
        return Answer(value=_shown(job), status=202, headers=headers | {"retry-after": "1"})
    if job.state is JobState.REFUSED and job.fault is not None:
        raise job.fault
    return Answer(value=_shown(job, call.jobs.answer(job)), headers=headers)


def list_jobs(call: Call) -> Page[JobAnswer]:
    """The jobs, the newest first."""
    asked: JobQuery = call.query
    found = [job for job in call.jobs.all() if asked.state in (None, job.state) and asked.verb in (None, job.verb)]
    shown = page(found, lambda job: (job.asked_at.isoformat(), job.id), asked, descending=True)
    return Page(items=[_shown(job) for job in shown.items], next=shown.next, total=shown.total)


def get_job(call: Call) -> JobAnswer:
    """One job, with its answer."""
    job = call.jobs.get(call.path["id"])
    return _shown(job, call.jobs.answer(job))


def end_job(call: Call) -> JobAnswer:
    """Ends a job, as whoever may ask for its verb can."""
    job = call.jobs.get(call.path["id"])
    call.principal.require(permission_of(job.verb), call.project.squad)
    return _shown(call.jobs.stop(job.id, call.principal.name))


def start_verb(verb: Verb, call: Call) -> Started:
    """Starts a verb as a job; who says `Prefer: wait=10` waits for it so many seconds."""
    job = call.jobs.start(verb.task(call.body), call.principal.name, call.idempotency_key)
    asked = _WAIT.search(call.headers.get("prefer", ""))
    return Started(job, min(float(asked[1]), _LONGEST_WAIT_S) if asked else 0.0)


def verb_endpoints() -> Iterator[Endpoint]:
    """One endpoint for each verb that can be asked for from far away."""
    for verb in verbs().values():
        yield Endpoint(
            name=verb.name.replace("-", "_"),
            method="POST",
            path=f"/projects/{{project}}/verbs/{verb.name}",
            permission=verb.remote.permission,
            says=verb.says,
            handler=partial(start_verb, verb),
            body=verb.body,
            answer=JobAnswer,
            waits=True,
            arguments=tuple(verb.arguments),
        )


ENDPOINTS = (
    Endpoint(
        name="jobs",
        method="GET",
        path="/projects/{project}/jobs",
        permission=Permission.READ,
        says="The verbs that were asked for, the newest first.",
        handler=list_jobs,
        query=JobQuery,
        answer=Page[JobAnswer],
    ),
    Endpoint(
        name="job",
        method="GET",
        path="/projects/{project}/jobs/{id}",
        permission=Permission.READ,
        says="How far a job is, and what it answered.",
        handler=get_job,
        answer=JobAnswer,
    ),
    Endpoint(
        name="end_job",
        method="POST",
        path="/projects/{project}/jobs/{id}/end",
        permission=Permission.READ,
        says="Ends a job; it takes the permission of the job's verb besides.",
        handler=end_job,
        answer=JobAnswer,
    ),
    *verb_endpoints(),
)


def _shown(job: Job, answer: Any = None) -> JobAnswer:
    fault = job.fault
    return JobAnswer(
        id=job.id,
        verb=job.verb,
        given=dict(job.given),
        who=job.who,
        state=job.state,
        asked_at=job.asked_at,
        at=job.at,
        exit_code=job.exit_code,
        error=dict(document_of(fault)) if isinstance(fault, ShipworthyError) else None,
        answer=answer,
    )
