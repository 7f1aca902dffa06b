"""A rollout: how far it has come, what its evidence says as it grows, and the buttons that ask its gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from starlette.responses import Response

from shipworthy.analysis.money import MINUS
from shipworthy.analysis.wording import a_period
from shipworthy.board.calendar import calendar_of
from shipworthy.board.form import field
from shipworthy.board.job import took
from shipworthy.board.kept_pictures import Picture, kept
from shipworthy.board.news import is_news, nothing_new, seen
from shipworthy.board.plots.evidence import draw_evidence
from shipworthy.board.plots.money import draw_money, money_note
from shipworthy.board.plots.served import names_of
from shipworthy.board.rendering import go, render, render_part
from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.live.ledger.ledger import instant_of
from shipworthy.programme.waiting import unwatched_problems
from shipworthy.project import Project
from shipworthy.project.clock import now
from shipworthy.ship.rollout import Draw, Phase, Rollout, made_live, rolled_out, rollout_history
from shipworthy.web.asked import Asked
from shipworthy.web.verbs import find_verb
from shipworthy.workspace.job import Job
from shipworthy.workspace.role import Permission
from shipworthy.workspace.told import Told, tell

_TRIES = frozenset({Phase.SHADOW, Phase.CANARY, Phase.SWITCHBACK})
_DRAWN: Mapping[Draw, str] = {Draw.PERIOD: "periods", Draw.UNIT: "units", Draw.UNIT_PERIOD: "units of each period"}
"""Of what a share is drawn."""

_ANYTIME = (
    "The interval holds at every look at once, so that looking early, or often, proves nothing by chance. It narrows as evidence "
    "comes in, and widens again where the gain changes."
)
_PAUSE = "The release from before answers alone until somebody resumes. The trial and its evidence are kept."
_RESUME = (
    "Idea {} goes on where it was paused. What was lived through before does not count for it or against it any more: "
    "evidence begins anew."
)
_RETIRE = "Idea {} has served its time: the release from before it answers again. It is not shipped again."
_ROLL_BACK = (
    "The {before} answers again within half a second, for everybody. A rollback is sticky: idea {n} cannot be shipped again; "
    "what is different next time needs a new idea."
)


class Button(NamedTuple):
    """What can be asked for.

    Attributes:
        name: Its address below the rollout's.
        label: What it says.
        says: What will happen; empty where nothing needs to be said before.
        is_open: Whether the gate behind it is open, as far as is known.
        is_grave: Whether it cannot be taken back.
    """

    name: str
    label: str
    says: str = ""
    is_open: bool = True
    is_grave: bool = False


def show_rollouts(asked: Asked) -> Response:
    """Every rollout of a project, what is tried first."""
    project = asked.project(Permission.READ)
    histories = [rollout_history(project, record.key) for record in project.records.find("rollout")]
    histories.sort(key=lambda moves: (not moves[-1].phase.is_trial, moves[-1].problem))
    titles = {f"{card.number:04d}": card.title for card in asked.cards.all()}
    return render(
        asked,
        "rollouts",
        project=project,
        here="Rollouts",
        histories=histories,
        titles=titles,
        names_of=names_of,
        drawn=_drawn_of,
    )


def show_rollout(asked: Asked) -> Response:
    """The page of one rollout."""
    return _shown(asked, may_draw=False)


def show_rollout_reading(asked: Asked) -> Response:
    """The part of the page that waits for what live periods say."""
    return _shown(asked, may_draw=True)


def move_rollout(asked: Asked) -> Response:
    """Runs the verb behind a button as a job; the verb asks its gate itself, and the page shows what it answered."""
    project = asked.project(Permission.READ)
    problem, button = asked.request.path_params["problem"], asked.request.path_params["button"]
    moves = rolled_out(project, problem)
    name, given = _asked_for(button, problem, moves, field(asked, "why"))
    verb = find_verb(name)
    asked.principal.require(verb.remote.permission, project.squad)
    before = _jobs(asked, project, problem, moves, over=False)
    if before and button != "rollback":
        raise InvalidInputError(
            f"{before[0].verb.capitalize()} runs for this rollout already. Wait until it has ended."
        )
    asked.desk.jobs[project.name].start(verb.task(msgspec.convert(given, verb.body)), asked.principal.name)
    return go(_address(project, problem))


def _asked_for(button: str, problem: str, moves: Sequence[Rollout], why: str) -> tuple[str, Mapping[str, Any]]:
    """The verb behind a button, and what it is given."""
    serves = moves[-1]
    live = made_live(moves)
    number = int(serves.idea or 0)
    if button in ("pause", "resume", "rollback", "retire") and not why:
        raise InvalidInputError("Say why: the reason stands in the history of the rollout.")
    known: Mapping[str, tuple[str, Mapping[str, Any]]] = {
        "next": ("ship", {"number": number}),
        "pause": ("ship", {"number": number, "pause": True, "why": why}),
        "resume": ("ship", {"number": number, "resume": True, "why": why}),
        "rollback": ("rollback", {"problem": problem, "why": why}),
        "retire": ("retire", {"number": int(live.idea or 0) if live else number, "why": why}),
    }
    if button not in known:
        raise NotFoundError.among("button", button, known)
    return known[button]


def _shown(asked: Asked, *, may_draw: bool) -> Response:
    project, problem = asked.project(Permission.READ), asked.request.path_params["problem"]
    moves = rolled_out(project, problem)
    serves, told = moves[-1], tell(asked.desk, project, "rollout", problem)
    pictures = _pictures(project, told, may_draw=may_draw)
    job = next(iter(_jobs(asked, project, problem, moves)), None)
    is_moving = job is not None and not job.state.is_over
    token = seen(told.at, told.is_waiting, pictures is not None, serves.version, job and job.state)
    known = {
        "problem": problem,
        "address": _address(project, problem),
        "serves": serves,
        "moves": list(reversed(moves)),
        "names": names_of(moves),
        "drawn": _drawn_of(serves),
        "is_watched": problem not in unwatched_problems(project),
        "minus": MINUS,
        "title": next((card.title for card in asked.cards.all() if f"{card.number:04d}" == serves.idea), ""),
        "told": told,
        "each": a_period((told.answer or {}).get("cadence", "")),
        "pictures": pictures,
        "track": _track(told, moves),
        "buttons": _buttons(asked, project, moves, told),
        "calendar": calendar_of(serves.plan, now()) if serves.plan else None,
        "job": job if job is not None and (is_moving or job.error) else None,
        "took": took(job) if job else 0.0,
        "is_waiting": told.is_waiting or pictures is None or is_moving,
        "seen": token,
    }
    if may_draw:
        return render_part("rollout_reading", project=project, **known) if is_news(asked, token) else nothing_new()
    return render(asked, "rollout", project=project, here="Rollouts", **known)


def _drawn_of(serves: Rollout) -> str:
    return "blocks" if serves.plan else _DRAWN[serves.draw]


def _address(project: Project, problem: str) -> str:
    return f"/projects/{project.name}/rollouts/{problem}"


def _jobs(asked: Asked, project: Project, problem: str, moves: Sequence[Rollout], *, over: bool = True) -> list[Job]:
    """The jobs about this rollout, the newest first."""
    ideas = {int(move.idea) for move in moves if move.idea}
    about = [
        job
        for job in asked.desk.jobs[project.name].all()
        if job.given.get("problem") == problem or (job.verb in ("ship", "retire") and job.given.get("number") in ideas)
    ]
    return [job for job in about if over or not job.state.is_over]


def _track(told: Told, moves: Sequence[Rollout]) -> list[tuple[str, str]]:
    """The phases of the idea that is tried or live, each "done", "now" or "ahead"; once it is over what it "was", and its end."""
    serves = moves[-1]
    own = [move for move in moves if move.idea == serves.idea] if serves.idea else []
    if not own:
        return []
    steps = [(step["phase"], step["share"]) for step in (told.answer or {}).get("steps") or []]
    steps = steps or [("shadow", 0.0), _tried(own), ("live", 1.0)]
    taken = [(str(move.phase), move.share if move.phase is Phase.CANARY else 0.0) for move in own]
    at = [i for i, (phase, share) in enumerate(steps) if (phase, share if phase == "canary" else 0.0) in taken]
    if serves.phase.is_over:
        return [*((_says(*steps[i]), "was") for i in at), (str(serves.phase), "over")]
    now_at = max(at, default=0)
    return [
        (_says(phase, share), "now" if i == now_at else "done" if i in at or i < now_at else "ahead")
        for i, (phase, share) in enumerate(steps)
    ]


def _tried(own: Sequence[Rollout]) -> tuple[str, float]:
    return next(((str(one.phase), one.share) for one in own if one.phase in _TRIES - {Phase.SHADOW}), ("canary", 0.0))


def _says(phase: str, share: float) -> str:
    return f"canary, {share:.0%}" if phase == "canary" and share else phase


def _buttons(asked: Asked, project: Project, moves: Sequence[Rollout], told: Told) -> Sequence[Button]:
    """What can be asked for now, and what will happen then."""
    serves, live = moves[-1], made_live(moves)
    n, found = int(serves.idea or 0), told.answer or {}
    buttons = list[Button]()
    if asked.principal.may(Permission.SHIP, project.squad):
        if serves.phase in _TRIES:
            is_known = found.get("move") == serves.version
            label = f"Take idea {n} to {found['following']}" if is_known else "Ask for the next step"
            buttons.append(Button("next", label, is_open=not (is_known and found["gaps"])))
            buttons.append(Button("pause", "Pause", _PAUSE))
        if serves.phase is Phase.PAUSED:
            buttons.append(Button("resume", "Resume", _RESUME.format(n)))
        if live is not None and live.idea and live.challenger and not serves.phase.is_trial:
            buttons.append(Button("retire", "Retire", _RETIRE.format(int(live.idea))))
    taken = serves if serves.challenger else live
    if taken is not None and taken.challenger and asked.principal.may(Permission.ROLL_BACK, project.squad):
        before = names_of(moves).get(taken.challenger if taken.phase is Phase.LIVE else taken.champion, "baseline")
        says = _ROLL_BACK.format(before=before, n=int(taken.idea or 0))
        buttons.append(Button("rollback", "Roll back", says, is_grave=True))
    return buttons


def _pictures(project: Project, told: Told, *, may_draw: bool) -> list[Picture] | None:
    found = told.answer
    if not found or not found["looks"]:
        return []
    shown = [found[name] for name in ("phase", "reading", "looks", "money", "currency", "smallest")]
    return kept(project, "evidence", shown, lambda: list(_drawn(found)), may_draw=may_draw)


def _drawn(found: Mapping[str, Any]) -> list[Picture]:
    plot = draw_evidence(found)
    drawn = [Picture(plot, _ANYTIME)] if plot else []
    if found["money"]:
        periods = [{**one, "period": instant_of(one["period"])} for one in found["money"]]
        drawn.append(Picture(draw_money(periods, found["currency"]), money_note(periods)))
    return drawn
