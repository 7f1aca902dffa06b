"""Pre-registration: what counts as success is locked by its hash when research starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipworthy.ideas.idea import Idea
from shipworthy.project import Project
from shipworthy.store import Change, canonical, digest

_CRITERIA = ("problem", "challenger", "smallest_gain", "expected_gain", "per", "guardrails")


def lock_criteria(project: Project, idea: Idea) -> str:
    """Locks what counts as success, the first time it is called, and gives the hash; later calls change nothing.

    Raises:
        PreconditionError: somebody else locked it in the same instant.
    """
    record = project.records.get("idea", idea.key)
    if record is not None and record.body.get("lock"):
        return str(record.body["lock"]["digest"])
    criteria = _criteria(idea)
    lock = {"digest": digest(canonical(criteria)), "criteria": criteria}
    body = {**(record.body if record else {"slug": idea.slug}), "lock": lock}
    expect = record.version if record else 0
    project.records.add(Change(kind="idea", key=idea.key, body=body, expect=expect), by=project.who)
    return str(lock["digest"])


def locked_criteria(project: Project, idea: Idea) -> Mapping[str, Any] | None:
    """What was locked; None before research has started."""
    record = project.records.get("idea", idea.key)
    lock = record.body.get("lock") if record else None
    return lock["criteria"] if lock else None


def deviations(project: Project, idea: Idea) -> list[str]:
    """What the idea's file says differently from what was locked; these stand in the report."""
    locked = locked_criteria(project, idea)
    if locked is None:
        return []
    today = _criteria(idea)
    return [
        f"{name} was {locked.get(name)!r} when research started; the file now says {today[name]!r}."
        for name in _CRITERIA
        if today[name] != locked.get(name)
    ]


def _criteria(idea: Idea) -> dict[str, Any]:
    criteria = {name: getattr(idea, name) for name in _CRITERIA}
    return criteria | {
        "guardrails": dict(idea.guardrails),
        "expected_gain": list(idea.expected_gain) if idea.expected_gain else None,
    }
