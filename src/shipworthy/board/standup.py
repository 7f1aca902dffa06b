"""The standup: what is at risk in money, what waits for whom, and what moved; of a project, or of the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby, islice
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from shipworthy.board.news import is_news, nothing_new, seen
from shipworthy.board.programme import may_begin
from shipworthy.board.rendering import render, render_part
from shipworthy.board.words import marked, on_page
from shipworthy.errors import NotFoundError
from shipworthy.programme.happening import Happening
from shipworthy.programme.standup import standup
from shipworthy.programme.waiting import Waiting, unwatched_problems, waits
from shipworthy.project import Project
from shipworthy.project.clock import now
from shipworthy.project.role import Role, spoken
from shipworthy.web.asked import Asked
from shipworthy.workspace.role import Permission
from shipworthy.workspace.told import reckon

SPANS = {"1d": "day", "3d": "three days", "1w": "week", "4w": "four weeks"}
_LENGTHS = {"1d": timedelta(days=1), "3d": timedelta(days=3), "1w": timedelta(weeks=1), "4w": timedelta(weeks=4)}
_FEW, _MOST = 12, 60
"""So many of each list are shown at first, and so many at all: what is left stands on the board."""


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
        "moved": _together(found.moved) if found else [],
        "unwatched": [(one.name, problem) for one in projects for problem in unwatched_problems(one)],
        "linked": _linked,
        "is_empty": not any(asked.desk.cards[one.name].all() for one in projects),
        "may_begin": may_begin(asked, project),
        "few": _FEW,
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
        found.setdefault(one.whom, []).append(one)
    return [(_heading(whom), those) for whom, those in found.items()]


def _heading(whom: str) -> str:
    """For whom something waits, as a heading: a login stays as it is typed.

    >>> _heading("ml engineer"), _heading("analyst and ml engineer"), _heading("ben"), _heading("")
    ('ML engineer', 'Analyst and ML engineer', 'ben', 'Its owner')
    """
    says = spoken(whom) or "its owner"
    is_login = " " not in whom and whom not in set(Role) and whom != ""
    return says if is_login else says[0].upper() + says[1:]


def _together(moved: Sequence[Happening]) -> list[list[Happening]]:
    """What moved, as far as it is shown; ideas that one person began one after another are told together."""

    def same(one: Happening) -> tuple[str, str | int]:
        return one.project, one.by if one.says.startswith(f"{one.by} began ") else one.seq

    return [list(found) for _, found in islice(groupby(moved, same), _MOST + 1)]


def _linked(one: Happening | Waiting, project: str) -> Markup:
    """The sentence about something, in which the idea or the problem that it is about is a link."""
    if one.idea is not None:
        named, address = f"dea {one.idea}" + (f" ({one.title})" if one.title else ""), f"ideas/{one.idea}"
    else:
        named, address = one.problem, f"problems/{one.problem}"
    says = on_page(one.says)
    before, found, after = says.partition(named)
    if not found:
        return marked(says)
    if one.idea is not None:  # with the letter that a sentence writes large
        before, found = before[:-1], before[-1:] + found
    link = Markup('<a href="/projects/{}/{}">{}</a>').format(project, address, found)
    return marked(before) + link + marked(after)
