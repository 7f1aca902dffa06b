"""What runs right now, by the idea that it runs for."""

from __future__ import annotations

from collections.abc import Mapping

from shipworthy.web.asked import Asked
from shipworthy.workspace.job import Job


def running(asked: Asked, project: str) -> Mapping[int, Job]:
    """The jobs of a project that are not over, by their ideas; the newest where there are two."""
    found = [job for job in asked.desk.jobs[project].all() if not job.state.is_over]
    return {number: job for job in reversed(found) if (number := idea_of(job)) is not None}


def idea_of(job: Job) -> int | None:
    """The idea that a job runs for; None where it runs for none."""
    number = job.given.get("number")
    return number if isinstance(number, int) else None
