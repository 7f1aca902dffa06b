"""The programme: what all ideas come to, how many ship, how long it takes, and what is worth doing next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from shipworthy.board.kept_pictures import Picture, kept
from shipworthy.board.news import is_news, nothing_new, seen
from shipworthy.board.plots.money import draw_earned
from shipworthy.board.rendering import render, render_part
from shipworthy.live.ledger.ledger import line_from
from shipworthy.live.ledger.sentences import calibrated
from shipworthy.programme.backlog import backlog
from shipworthy.programme.statistics import Programme, programme
from shipworthy.project import Project
from shipworthy.web.asked import Asked
from shipworthy.workspace.role import Permission
from shipworthy.workspace.told import Told, reckon, tell

_MOST, _ALL = 50, 500
"""So many ideas of the backlog are shown at first."""


def show_programme(asked: Asked) -> Response:
    """The page of a project."""
    project = asked.project(Permission.READ)
    return _shown(asked, [project], project)


def show_programme_of_all(asked: Asked) -> Response:
    """The page over all projects that whoever asks may read."""
    return _shown(asked, list(asked.desk.readable(asked.principal).values()), None)


def statistics_of(asked: Asked, projects: Sequence[Project]) -> Told:
    """The statistics of all ideas of some projects."""
    return reckon(asked.desk, programme, projects)


def may_begin(asked: Asked, project: Project | None) -> bool:
    """Whether a page is of a project without any idea, in which whoever asks may write the first one."""
    if project is None or asked.desk.cards[project.name].all():
        return False
    return asked.principal.may(Permission.WRITE, project.squad)


def _shown(asked: Asked, projects: Sequence[Project], project: Project | None) -> Response:
    is_part = asked.request.url.path.endswith("/reading")
    told, ranked = statistics_of(asked, projects), reckon(asked.desk, backlog, projects)
    pictures = _pictures(asked, projects, project or asked.desk.workspace, may_draw=is_part)
    token = seen(told.at, ranked.at, told.is_waiting, pictures is not None)
    known: dict[str, Any] = {
        **_of(told),
        "ranked": ranked,
        "lines": (ranked.answer or [])[:8],
        "count": len(ranked.answer or []),
        "pictures": pictures,
        "spaces": {one.space: one.name for one in projects},
        "address": f"/projects/{project.name}/programme" if project else "/programme",
        "workspace": asked.desk.workspace.name,
        "may_begin": may_begin(asked, project),
        "is_waiting": told.is_waiting or ranked.is_waiting or pictures is None,
        "seen": token,
    }
    if is_part:
        return render_part("programme_reading", project=project, **known) if is_news(asked, token) else nothing_new()
    return render(asked, "programme", project=project, here="Programme", **known)


def show_backlog(asked: Asked) -> Response:
    """What is worth doing next: the best of it, or with `all` as much of the list as a page holds."""
    project = asked.project(Permission.READ)
    is_all = "all" in asked.request.query_params
    ranked = reckon(asked.desk, backlog, [project])
    found = ranked.answer or []
    known: dict[str, Any] = {
        "ranked": ranked,
        "lines": found[: _ALL if is_all else _MOST],
        "is_all": is_all,
        "most": min(len(found), _ALL),
        "count": len(found),
        "may_begin": may_begin(asked, project),
        "spaces": {project.space: project.name},
        "address": f"/projects/{project.name}/backlog",
        "is_waiting": ranked.is_waiting,
        "seen": seen(ranked.at, ranked.is_waiting),
    }
    if asked.request.url.path.endswith("/reading"):
        is_new = is_news(asked, known["seen"])
        return render_part("backlog_reading", project=project, **known) if is_new else nothing_new()
    return render(asked, "backlog", project=project, here="Programme", **known)


def _of(told: Told) -> dict[str, Any]:
    found: Programme | None = told.answer
    together = calibrated(found.calibration) if found and found.calibration else ""
    return {"told": told, "found": found, "calibrated": together}


def _pictures(asked: Asked, projects: Sequence[Project], place: Any, *, may_draw: bool) -> list[Picture] | None:
    """What all ideas earned, over time, one plot for each currency."""
    read = [tell(asked.desk, project, "ledger").answer for project in projects if project.records.find("rollout")]
    lines = [line_from(line) for answer in read for line in answer or []]
    if not lines:
        return []

    def drawn() -> list[Picture]:
        plots = [draw_earned(lines, currency) for currency in dict.fromkeys(line.currency for line in lines)]
        return [Picture(plot, "Only what ideas earned by answering counts.") for plot in plots if plot]

    return kept(place, "programme", [line.to_dict() for line in lines], drawn, may_draw=may_draw)
