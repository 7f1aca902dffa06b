"""The standup: what moved, what waits for whom, and what is at risk in money; of a project, or of the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from shipworthy.board.news import is_news, nothing_new, seen
from shipworthy.board.rendering import render, render_part
from shipworthy.errors import NotFoundError
from shipworthy.programme.standup import standup
from shipworthy.programme.waiting import Waiting, waits
from shipworthy.project import Project
from shipworthy.project.clock import now
from shipworthy.web.asked import Asked
from shipworthy.workspace.role import Permission
from shipworthy.workspace.told import reckon

SPANS = {"1d": "a day", "3d": "three days", "1w": "a week", "4w": "four weeks"}
_LENGTHS = {"1d": timedelta(days=1), "3d": timedelta(days=3), "1w": timedelta(weeks=1), "4w": timedelta(weeks=4)}
_MOST = 60


def show_standup(asked: Asked) -> Response:
    """The page of a project."""
    project = asked.project(Permission.READ)
    return _shown(asked, [project], project)


def show_standup_of_all(asked: Asked) -> Response:
    """The page over all projects that whoever asks may read."""
    return _shown(asked, list(asked.desk.readable(asked.principal).values()), None)


def _shown(asked: Asked, projects: Sequence[Project], project: Project | None) -> Response:
    span = asked.request.query_params.get("since", "1d")
    if span not in SPANS:
        raise NotFoundError.among("span", span, SPANS)

    facts = [asked.desk.facts[one.name] for one in projects]
    told = reckon(asked.desk, waits, projects)
    found = standup(facts, now() - _LENGTHS[span], found=told.answer) if told.answer else None
    spaces = {one.space: one.name for one in projects}
    token = seen(told.at, told.is_waiting)
    known: dict[str, Any] = {
        "told": told,
        "found": found,
        "span": span,
        "spans": SPANS,
        "spaces": spaces,
        "address": f"/projects/{project.name}/standup" if project else "/standup",
        "by_whom": _by_whom(found.waits) if found else [],
        "most": _MOST,
        "is_waiting": told.is_waiting,
        "seen": token,
    }
    if asked.request.url.path.endswith("/reading"):
        return render_part("standup_reading", project=project, **known) if is_news(asked, token) else nothing_new()
    return render(asked, "standup", project=project, here="Standup", **known)


def _by_whom(waits: Sequence[Waiting]) -> list[tuple[str, list[Waiting]]]:
    """What waits, by for whom it does; whom the most money waits for comes first."""
    found = dict[str, list[Waiting]]()
    for one in waits:
        found.setdefault(one.whom or "its owner", []).append(one)
    return list(found.items())
