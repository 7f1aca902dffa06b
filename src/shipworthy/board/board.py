"""The board of a project: five columns, each idea a card, the newest on top."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from starlette.responses import RedirectResponse, Response

from shipworthy.board.filters import Filters
from shipworthy.board.rendering import render, render_part
from shipworthy.board.running import running
from shipworthy.project import Project, Stage
from shipworthy.web.asked import Asked
from shipworthy.workspace.cards import Card
from shipworthy.workspace.role import Permission

FIRST = 10
"""How many cards a column shows at first: a page that is open all day stays light, however many ideas there are."""

MORE = 50
"""How many more somebody gets who asks for them, and how many a stage alone shows at first."""

QUESTIONS: Mapping[Stage, str] = {
    Stage.IDEA: "What do we believe?",
    Stage.DATA: "Can it be proved?",
    Stage.RESEARCH: "What would it have earned?",
    Stage.ANALYSIS: "Is it really better?",
    Stage.SHIP: "Does it earn what we promised?",
}
"""What each stage asks."""


class Column(NamedTuple):
    """A stage as the board shows it.

    Attributes:
        stage: The stage.
        asks: Its question.
        cards: The cards that are shown.
        total: How many there are.
        shown: How many of them are shown, with those that an open page has already.
    """

    stage: Stage
    asks: str
    cards: Sequence[Card]
    total: int
    shown: int


def show_projects(asked: Asked) -> Response:
    """The projects that whoever asks may read; where there is one alone, its board."""
    readable = asked.desk.readable(asked.principal)
    if len(asked.desk.workspace.projects) == 1 == len(readable):
        return RedirectResponse(f"/projects/{next(iter(readable))}/")
    stages = {name: [card.stage for card in asked.desk.cards[name].all()] for name in readable}
    counts = {name: {stage: found.count(stage) for stage in Stage} for name, found in stages.items()}
    return render(asked, "projects", workspace=asked.desk.workspace.name, counts=counts)


def show_board(asked: Asked) -> Response:
    """The board of one project, by the filters that the address has."""
    project = asked.project(Permission.READ)
    cards = asked.cards.all()
    filters = _filters(asked, project)
    kept = [card for card in cards if filters.keeps(card)]
    stages = [filters.stage] if filters.stage else list(Stage)
    many = MORE if filters.stage else FIRST
    return render(
        asked,
        "board",
        project=project,
        here="Board",
        filters=filters,
        columns=[_column(kept, stage, 0, many) for stage in stages],
        counts=_counts(kept),
        total=len(cards),
        owners=sorted({card.owner for card in cards if card.owner}, key=str.casefold),
        problems=sorted({card.problem for card in cards if card.problem}),
        seq=asked.cards.seq,
        jobs=running(asked, project.name),
    )


def show_more(asked: Asked) -> Response:
    """The next cards of a column, for a board that is open."""
    project = asked.project(Permission.READ)
    filters = _filters(asked, project)
    after = asked.request.query_params.get("after", "0")
    kept = [card for card in asked.cards.all() if filters.keeps(card)]
    column = _column(kept, filters.stage or Stage.IDEA, int(after) if after.isdecimal() else 0, MORE)
    return render_part("more", project=project, filters=filters, column=column, jobs=running(asked, project.name))


def show_cards(asked: Asked) -> Response:
    """Some cards as they are now, with how many each column has, for a board that is open; those it filters out are left out."""
    project = asked.project(Permission.READ)
    filters = _filters(asked, project)
    wanted = {int(number) for number in asked.request.query_params.getlist("number") if number.isdecimal()}
    kept = [card for card in asked.cards.all() if filters.keeps(card)]
    found = [card for card in kept if card.number in wanted and filters.stage in (None, card.stage)]
    return render_part(
        "cards",
        project=project,
        cards=found,
        counts=json.dumps(_counts(kept)),
        jobs=running(asked, project.name),
    )


def _filters(asked: Asked, project: Project) -> Filters:
    return Filters.of(asked.request.query_params, asked.principal.name, asked.principal.roles_in(project.squad))


def _counts(cards: Iterable[Card]) -> dict[str, int]:
    counts = {str(stage): 0 for stage in Stage}
    for card in cards:
        counts[card.stage] += 1
    return counts


def _column(cards: Iterable[Card], stage: Stage, after: int, many: int) -> Column:
    inside = sorted((card for card in cards if card.stage is stage), key=lambda card: (-card.seq, -card.number))
    shown = inside[after : after + many]
    return Column(stage, QUESTIONS[stage], shown, len(inside), after + len(shown))
