"""The board of a project: five columns, each idea a card."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from shipworthy.board.rendering import render
from shipworthy.project import Stage
from shipworthy.web.asked import Asked
from shipworthy.workspace.role import Permission


def show_projects(asked: Asked) -> Response:
    """The projects that whoever asks may read; where there is one alone, its board."""
    projects = asked.desk.readable(asked.principal)
    if len(projects) == 1:
        return RedirectResponse(f"/projects/{next(iter(projects))}/")
    return render(asked, "projects", projects=projects.values())


def show_board(asked: Asked) -> Response:
    """The board of one project."""
    project = asked.project(Permission.READ)
    cards = asked.cards.all()
    columns = {stage: [card for card in cards if card.stage is stage] for stage in Stage}
    return render(asked, "board", project=project, columns=columns)
