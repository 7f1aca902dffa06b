"""The board of a project: five columns, each idea a card."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from shipworthy.board.rendering import render
from shipworthy.project import Stage
from shipworthy.web.asked import Asked
from shipworthy.workspace.role import Permission


def show_projects(asked: Asked) -> Response:
    """The projects that whoever asks may read; where there is one alone, its board."""
    readable = asked.desk.readable(asked.principal)
    if len(asked.desk.workspace.projects) == 1 == len(readable):
        return RedirectResponse(f"/projects/{next(iter(readable))}/")
    stages = {name: [card.stage for card in asked.desk.cards[name].all()] for name in readable}
    counts = {name: {stage: found.count(stage) for stage in Stage} for name, found in stages.items()}
    return render(asked, "projects", workspace=asked.desk.workspace.name, counts=counts)


def show_board(asked: Asked) -> Response:
    """The board of one project."""
    project = asked.project(Permission.READ)
    cards = asked.cards.all()
    columns = {stage: [card for card in cards if card.stage is stage] for stage in Stage}
    return render(asked, "board", project=project, here="Board", columns=columns)
