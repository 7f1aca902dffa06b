"""Pre-registration: what counts as success is locked by its hash when research starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from shipworthy.ideas.idea import Idea
from shipworthy.project import Project
from shipworthy.store import Change, canonical, digest

_CRITERIA = ("problem", "challenger", "smallest_gain", "expected_gain", "per", "guardrails", "segments")

_UNSAID: Mapping[str, Any] = {"segments": [], "assumptions": {}}
"""What a lock means that was made before there was such a thing."""

_LOCKED_SINCE = ("ideas_planned",)
"""What a lock from before says nothing of; there is nothing to depart from."""


class Lock(NamedTuple):
    """What counts as success, and the digest that it was locked by."""

    digest: str
    criteria: Mapping[str, Any]


def read_lock(project: Project, key: str) -> Lock | None:
    """The lock of the idea of that key; None before research has started."""
    record = project.records.get("idea", key)
    found = record.body.get("lock") if record else None
    return Lock(**found) if found else None


def lock_criteria(project: Project, idea: Idea, terms: Mapping[str, Any]) -> str:
    """Locks what counts as success, the first time it is called, and gives the hash; later calls change nothing.

    Args:
        project: Where it is recorded.
        idea: What it says of success itself.
        terms: What its problem says, `Problem.terms`: currency, periods in a year, margins, assumptions.

    Raises:
        PreconditionError: somebody else locked it in the same instant.
    """
    record, locked = project.records.get("idea", idea.key), read_lock(project, idea.key)
    if locked is not None:
        return locked.digest
    criteria = {**criteria_of(idea), **terms}
    lock = Lock(digest(canonical(criteria)), criteria)
    body = {**(record.body if record else {"slug": idea.slug}), "lock": lock._asdict()}
    expect = record.version if record else 0
    project.records.add(Change(kind="idea", key=idea.key, body=body, expect=expect), by=project.who)
    return lock.digest


def locked_criteria(project: Project, idea: Idea) -> Mapping[str, Any] | None:
    """What was locked; None before research has started."""
    lock = read_lock(project, idea.key)
    return lock.criteria if lock else None


def deviations(project: Project, idea: Idea, terms: Mapping[str, Any] | None = None) -> list[str]:
    """What the idea's file, or the problem's terms where they are given, say differently from what was locked.

    These stand in the report.
    """
    locked = locked_criteria(project, idea)
    if locked is None:
        return []
    today = {"file": criteria_of(idea), "problem": terms or {}}
    return [
        f"{name} was {locked.get(name, _UNSAID.get(name))!r} when research started; the {where} now says {value!r}."
        for where, said in today.items()
        for name, value in said.items()
        if value != locked.get(name, _UNSAID.get(name)) and (name in locked or name not in _LOCKED_SINCE)
    ]


def criteria_of(idea: Idea) -> dict[str, Any]:
    """What an idea itself says of success: all of it is locked."""
    criteria = {name: getattr(idea, name) for name in _CRITERIA}
    return criteria | {
        "guardrails": dict(idea.guardrails),
        "segments": list(idea.segments),
        "expected_gain": list(idea.expected_gain) if idea.expected_gain else None,
    }
