"""A problem: what served when, the ideas tried on it, what its history still grants, its health, and its money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from shipworthy.analysis.decision import Decision
from shipworthy.analysis.money import step_for
from shipworthy.analysis.report.drawing import GAIN, LOSS, MUTED, Range, draw_ranges
from shipworthy.board.kept_pictures import Drawn, Picture, kept
from shipworthy.board.news import is_news, nothing_new, seen
from shipworthy.board.plots.money import draw_money, money_note
from shipworthy.board.plots.served import draw_served, names_of, serving
from shipworthy.board.rendering import go, is_part, render, render_part
from shipworthy.data.holdout import Holdout, read_holdouts
from shipworthy.errors import NotFoundError
from shipworthy.live.ledger.ledger import Line, instant_of, line_from
from shipworthy.live.ledger.plots import draw_course
from shipworthy.live.ledger.sentences import course_note
from shipworthy.live.watch.service import service_health
from shipworthy.project import Project
from shipworthy.project.clock import now
from shipworthy.ship.rollout import Rollout, rollout_history
from shipworthy.web.asked import Asked
from shipworthy.workspace.cards import Card
from shipworthy.workspace.role import Permission
from shipworthy.workspace.told import Told, tell

WATCHED_S = 300.0
"""After so long a page looks again whether what runs live is as it was promised."""
_MOST_IDEAS = 50
_MOST_RANGES = 12


def show_problems(asked: Asked) -> Response:
    """Every problem of a project that an idea is about or that a rollout serves."""
    project = asked.project(Permission.READ)
    cards: dict[str, list[Card]] = {name: [] for name in _rolled_out(project)}
    for card in asked.cards.all():
        cards.setdefault(card.problem, []).append(card)
    unnamed = len(cards.pop("", ()))
    return render(
        asked,
        "problems",
        project=project,
        here="Problems",
        problems=[(name, cards[name], _moves(project, name)) for name in sorted(cards)],
        unnamed=unnamed,
        names_of=names_of,
        declared=[str(one).rpartition(":")[2] for one in project.settings["project"]["problems"]],
    )


def show_problem(asked: Asked) -> Response:
    """The page of one problem."""
    return _shown(asked, may_draw=False)


def show_problem_reading(asked: Asked) -> Response:
    """The part of the page that waits for figures and plots."""
    return _shown(asked, may_draw=True)


def show_health(asked: Asked) -> Response:
    """What the service of the project says of itself, asked now; the page does not wait for it."""
    project = asked.project(Permission.READ)
    if not is_part(asked.request):
        return go(asked.request.url.path.removesuffix("/health"))
    return render_part("health", health=service_health(str(project.settings["watch"]["service"])))


def _shown(asked: Asked, *, may_draw: bool) -> Response:
    project, name = asked.project(Permission.READ), asked.request.path_params["problem"]
    cards = [card for card in asked.cards.all() if card.problem == name]
    moves = _moves(project, name)
    if not cards and not moves:
        raise NotFoundError.among("problem", name, sorted({card.problem for card in asked.cards.all()} - {""}))
    watched, course, book = (_told(asked, project, name, moves, verb) for verb in ("watch", "rollout", "ledger"))
    lines = [line_from(line) for line in book.answer or [] if line["problem"] == name]
    pictures = _pictures(project, cards, moves, course, lines, may_draw=may_draw)
    token = seen(watched.at, course.at, book.at, watched.is_waiting, pictures is not None)
    known = {
        "problem": name,
        "address": f"/projects/{project.name}/problems/{name}",
        "cards": sorted(cards, key=lambda card: -card.number)[:_MOST_IDEAS],
        "count": len(cards),
        "judged": sum(card.expected is not None and card.expected.is_measured for card in cards),
        "has_verdict": any(card.expected is not None and card.expected.decision == Decision.SHIP for card in cards),
        "since": serving(moves, now()).begins.date() if moves else None,
        "moves": list(reversed(moves)),
        "names": names_of(moves),
        "holdouts": read_holdouts(project, name),
        "watched": watched,
        "told": course,
        "lines": lines,
        "book": book,
        "pictures": pictures,
        "has_service": bool(project.settings["watch"]["service"]),
        "is_waiting": pictures is None or any(one.is_waiting for one in (watched, course, book)),
        "seen": token,
        "granted": _granted,
        "rests": _rests,
    }
    if may_draw:
        return render_part("problem_reading", project=project, **known) if is_news(asked, token) else nothing_new()
    return render(asked, "problem", project=project, here="Problems", **known)


def _told(asked: Asked, project: Project, name: str, moves: Sequence[Rollout], verb: str) -> Told:
    """The reading of a verb; nothing is asked where nothing was ever rolled out."""
    if not moves:
        return Told(answer=None, at=None, error="", is_waiting=False)
    if verb == "ledger":
        return tell(asked.desk, project, "ledger")
    if verb == "rollout":
        return tell(asked.desk, project, "rollout", name)
    # With an instant it only looks: a page moves no rollout and closes no alert. The process has the same clock.
    return tell(asked.desk, project, "watch", name, "--at", "now", lasts_s=WATCHED_S)


def _pictures(
    project: Project,
    cards: Sequence[Card],
    moves: Sequence[Rollout],
    course: Told,
    lines: Sequence[Line],
    *,
    may_draw: bool,
) -> Mapping[str, list[Picture]] | None:
    """The plots of the page by where they stand; None as long as one of them is not drawn."""
    tried = [card for card in cards if card.expected and card.expected.is_measured][-_MOST_RANGES:]
    money, currency = (course.answer or {}).get("money") or [], (course.answer or {}).get("currency", "")
    told: Mapping[str, tuple[Any, Drawn]] = {
        "served": ([now().date(), *([move.version, move.at] for move in moves)], lambda: _served(moves)),
        "tried": (
            [[card.number, card.title, card.expected] for card in tried],
            lambda: _tried(tried),
        ),
        "money": ([money, currency], lambda: _money(money, currency)),
        "gains": ([line.to_dict() for line in lines], lambda: _gains(lines)),
    }
    drawn = {name: kept(project, name, shown, draw, may_draw=may_draw) for name, (shown, draw) in told.items()}
    return None if any(one is None for one in drawn.values()) else {name: one or [] for name, one in drawn.items()}


def _served(moves: Sequence[Rollout]) -> list[Picture]:
    if not moves:
        return []
    note = "Above: the release that answers. Below: what is tried beside it, in the shadow or for its share of what is asked."
    return [Picture(draw_served(moves, now()), note)]


def _tried(cards: Sequence[Card]) -> list[Picture]:
    ranges = []
    for card in sorted(cards, key=lambda card: -card.number):
        assert card.expected is not None, "only measured ideas are drawn"
        gain = card.expected.gain
        colour = LOSS if gain.gain < 0.0 else GAIN if card.expected.decision == Decision.SHIP else MUTED
        label = f"{card.number}. {card.title}"
        short = f"Idea {card.number}"
        ranges.append(
            Range(label=label, short=short, gain=gain, colour=colour, step=card.expected.step or step_for(gain, 0.0))
        )
    if not ranges:
        return []
    shipped = sum(card.expected.decision == Decision.SHIP for card in cards if card.expected)
    said = f"{shipped} of {len(cards)} ideas judged {'is' if shipped == 1 else 'are'} to ship"
    if len(cards) == 1:
        said = f"The one idea judged is {'' if shipped else 'not '}to ship"
    currency = next(card.expected.currency for card in cards if card.expected)
    return [
        Picture(
            draw_ranges(f"{said}, by money a year", ranges, currency),
            "Each with the interval of its verdict, as the replay measured it.",
        )
    ]


def _money(money: Sequence[Mapping[str, Any]], currency: str) -> list[Picture]:
    if not money:
        return []
    plot = draw_money([{**one, "period": instant_of(one["period"])} for one in money], currency)
    return [Picture(plot, money_note(money))]


def _gains(lines: Sequence[Line]) -> list[Picture]:
    return [Picture(draw_course(line), course_note(line)) for line in lines if line.course]


def _granted(one: Holdout) -> str:
    """What a history still grants, in a sentence."""
    if one.is_retired:
        return f"It answers no further idea: it is {one.retirement}."
    left = one.planned - one.ideas
    return f"{left:,} more idea{'' if left == 1 else 's'} can be judged on this history before it is used up."


def _rests(one: Holdout) -> str:
    """What that rests on: the history's stretch, how it answers, and the chance that it may err with."""
    shape = "it is sealed, and answers with decisions alone" if one.is_sealed else "whoever replays an idea sees it"
    return (
        f"The history runs from {one.first} to {one.last}; {shape}. {one.ideas} of {one.planned} planned ideas opened it. All of "
        f"them together may ship an idea without effect with a chance of {one.alpha / 2.0:.2%}, of which {one.left:.2%} is left."
    )


def _moves(project: Project, name: str) -> Sequence[Rollout]:
    return rollout_history(project, name)


def _rolled_out(project: Project) -> list[str]:
    return [record.key for record in project.records.find("rollout")]
