"""Problems: what serves each of them and served before, the decisions that were made, and the releases there are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from shipworthy.api.endpoint import Call, Endpoint, Page
from shipworthy.api.paging import PageQuery, page, read_cursor, write_cursor
from shipworthy.errors import InvalidInputError
from shipworthy.log.newest import Decided, newest_decisions
from shipworthy.ship.rollout import Rollout, read_rollout, rolled_out
from shipworthy.workspace.role import Permission

_PATH = "/projects/{project}"


class ProblemAnswer(Struct, kw_only=True):
    """A problem: how many ideas are about it, and what serves it now."""

    name: str
    ideas: int
    rollout: Rollout | None


class ReleaseAnswer(Struct, kw_only=True):
    """A release, as its record names it."""

    id: str
    problem: str
    policy: str
    idea: int | None
    at: datetime
    by: str


def list_problems(call: Call) -> Page[ProblemAnswer]:
    """The problems that ideas are about, or that something serves."""
    counts: dict[str, int] = {record.key: 0 for record in call.project.records.find("rollout")}
    for card in call.cards.all():
        if card.problem:
            counts[card.problem] = counts.get(card.problem, 0) + 1
    shown = page(counts.items(), lambda one: (one[0],), call.query)
    found = [
        ProblemAnswer(name=name, ideas=count, rollout=read_rollout(call.project, name)) for name, count in shown.items
    ]
    return Page(items=found, next=shown.next, total=shown.total)


def list_rollouts(call: Call) -> Page[Rollout]:
    """What serves each problem now."""
    project = call.project
    found = [read_rollout(project, record.key) for record in project.records.find("rollout")]
    return page([one for one in found if one is not None], lambda one: (one.problem,), call.query)


def list_moves(call: Call) -> Page[Rollout]:
    """Every move of a problem's rollout, the newest first."""
    return page(rolled_out(call.project, call.path["problem"]), lambda one: (one.version,), call.query, descending=True)


def list_decisions(call: Call) -> Page[Decided]:
    """The decisions of a problem, the newest first."""
    asked: PageQuery = call.query
    name = call.path["problem"]
    rolled_out(call.project, name)
    found = newest_decisions(call.project, name, asked.limit + 1, _before(asked))
    shown = list(found[: asked.limit])
    more = len(found) > asked.limit
    return Page(items=shown, next=write_cursor(asked, [shown[-1].at.isoformat(), shown[-1].id]) if more else None)


def list_releases(call: Call) -> Page[ReleaseAnswer]:
    """The releases, the newest first."""
    found = [
        ReleaseAnswer(
            id=record.key,
            problem=record.body["problem"],
            policy=record.body["policy"],
            idea=int(record.body["idea"]) if record.body["idea"] else None,
            at=record.at,
            by=record.by,
        )
        for record in call.project.records.find("release")
    ]
    return page(found, lambda one: (one.at.isoformat(), one.id), call.query, descending=True)


def _before(asked: PageQuery) -> tuple[datetime, str] | None:
    position = read_cursor(asked)
    if position is None:
        return None
    try:
        at, name = position
        return datetime.fromisoformat(at).astimezone(UTC), str(name)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidInputError("This cursor stands for no decision. Begin again without one.") from error


def _list(name: str, path: str, says: str, **more: Any) -> Endpoint:
    return Endpoint(
        name=name, method="GET", path=_PATH + path, permission=Permission.READ, says=says, query=PageQuery, **more
    )


ENDPOINTS = (
    _list(
        "problems",
        "/problems",
        "The problems, and what serves each of them.",
        handler=list_problems,
        answer=Page[ProblemAnswer],
    ),
    _list(
        "rollout_history",
        "/problems/{problem}/rollout",
        "Every move of its rollout, the newest first: what served when, and why.",
        handler=list_moves,
        answer=Page[Rollout],
    ),
    _list(
        "decisions",
        "/problems/{problem}/decisions",
        "The decisions that were made, the newest first.",
        handler=list_decisions,
        answer=Page[Decided],
    ),
    _list("rollouts", "/rollouts", "What serves each problem now.", handler=list_rollouts, answer=Page[Rollout]),
    _list(
        "releases", "/releases", "The releases, the newest first.", handler=list_releases, answer=Page[ReleaseAnswer]
    ),
)
