"""Writing an idea down: by a form that gives advice while one types, and shows what was tried before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from shipworthy.board.form import field
from shipworthy.board.idea_form import advice_on, fields_of, form_of, in_words, said
from shipworthy.board.rendering import go, render, render_part
from shipworthy.errors import InvalidInputError
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.register import begin_idea
from shipworthy.project import Project
from shipworthy.ship.lint import Advice
from shipworthy.web.asked import Asked
from shipworthy.workspace.role import Permission


def show_new_idea(asked: Asked) -> Response:
    """The empty form, with whoever asks as its owner."""
    project = asked.project(Permission.WRITE)
    form = form_of(Idea(number=1, slug="new", owner=asked.principal.name, per="year"))
    return _page(asked, project, form)


def advise(asked: Asked) -> Response:
    """The advice on what a form says so far."""
    project = asked.project(Permission.READ)
    number = field(asked, "number")
    advice = advice_on(project, said(asked), int(number) if number.isdecimal() else None)
    return render_part("advice", project=project, advice=advice)


def write_new_idea(asked: Asked) -> Response:
    """Begins the idea; a form that cannot be taken comes back with what is wrong, and nothing of it is lost."""
    project = asked.project(Permission.WRITE)
    form = said(asked)
    if field(asked, "check"):
        return _page(asked, project, form, advice=advice_on(project, form))
    try:
        idea = begin_idea(project, {name: value for name, value in fields_of(form).items() if value is not None})
    except InvalidInputError as error:
        return _page(asked, project, form, wrong=in_words(str(error)), status=422)
    return go(f"/projects/{project.name}/ideas/{idea.number}", f"Idea {idea.number} is written down.")


def known_words(asked: Asked) -> dict[str, Any]:
    """What others wrote into the fields: problems and owners to choose from, and the currency where all share one."""
    cards = asked.cards.all()
    currencies = {card.expected.currency for card in cards if card.expected and card.expected.currency}
    return {
        "problems": sorted({card.problem for card in cards if card.problem}),
        "currency": currencies.pop() if len(currencies) == 1 else "",
        "owners": sorted({card.owner for card in cards if card.owner}, key=str.casefold),
    }


def _page(
    asked: Asked,
    project: Project,
    form: Any,
    *,
    wrong: str = "",
    advice: Sequence[Advice] | None = None,
    status: int = 200,
) -> Response:
    return render(
        asked,
        "new_idea",
        project=project,
        here="Board",
        status=status,
        form=form,
        wrong=wrong,
        advice=advice,
        **known_words(asked),
    )
