"""An idea: its whole story on one page, from the hypothesis to what it earned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, Response

from shipworthy.analysis.report import data_facts
from shipworthy.analysis.report.layout import REPORTS_FOLDER
from shipworthy.analysis.report.locked import locked_facts
from shipworthy.board.job import took
from shipworthy.board.judged import Judged, read_judged
from shipworthy.board.next_step import next_step
from shipworthy.board.pictures import pictures
from shipworthy.board.rendering import render, render_part
from shipworthy.board.running import idea_of, running
from shipworthy.board.talk import signatures
from shipworthy.board.timeline import timeline
from shipworthy.board.walk import walk
from shipworthy.data.examine import DataAnswer, read_answer
from shipworthy.errors import NotFoundError, ShipworthyError
from shipworthy.ideas.comment import comments
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.lock import deviations, read_lock
from shipworthy.ideas.register import find_idea
from shipworthy.ideas.signoff import Gate, signoffs
from shipworthy.project import Project
from shipworthy.ship.rollout import Rollout, rollout_history
from shipworthy.web.asked import Asked
from shipworthy.web.sandbox import SANDBOX
from shipworthy.workspace.cards import Card
from shipworthy.workspace.declared import declared_currency
from shipworthy.workspace.job import Job
from shipworthy.workspace.role import Permission

_TALK = 50


def show_idea(asked: Asked) -> Response:
    """The story of an idea."""
    project = asked.project(Permission.READ)
    return render(asked, "idea", project=project, here="Board", **story(asked, project))


def story(asked: Asked, project: Project) -> dict[str, Any]:
    """What the page of an idea tells."""
    card, idea = asked.cards.get(asked.number), find_idea(project, asked.number)
    lock, examined = read_lock(project, idea.key), project.records.get("data", idea.key)
    answer = read_answer(examined) if examined else None
    judged, trouble = _judged(project, idea)
    job, moves = _job(asked, project, card), _moves(project, idea)
    currency = (
        card.expected.currency
        if card.expected
        else lock.criteria["currency"]
        if lock
        else declared_currency(project, idea.problem)
    )
    return {
        "card": card,
        "idea": idea,
        "walk": walk(project, card),
        "seq": asked.cards.seq,
        "lock": lock,
        "locked": locked_facts(lock.criteria, lock.digest) if lock else [],
        "deviations": deviations(project, idea),
        "answer": answer,
        "data": _data(answer, currency),
        "currency": currency,
        "judged": judged,
        "trouble": trouble,
        "has_report": _report(project, idea).is_file(),
        "moves": moves,
        "happened": timeline(project, idea),
        "job": job,
        "took": took(job) if job else 0.0,
        "is_told": job is not None and bool(card.gaps) and all(str(gap) in (job.error or "") for gap in card.gaps),
        "following": next_step(asked, project, card, moves),
        **_talk(asked, project),
        "signed": signoffs(project, idea),
        "asked_for": {gate: project.settings["signoffs"][gate] for gate in Gate if project.settings["signoffs"][gate]},
        "signatures": signatures(asked, project, idea, card.gaps),
    }


def show_pictures(asked: Asked) -> Response:
    """The plots of an idea's verdict; drawing them takes a second the first time, so the page asks for them apart."""
    project = asked.project(Permission.READ)
    idea = find_idea(project, asked.number)
    judged = read_judged(project, idea, read_lock(project, idea.key))
    shown = pictures(project, judged) if judged else []
    return render_part("pictures", pictures=shown)


def show_report(asked: Asked) -> Response:
    """The report of an idea as `analyse` wrote it."""
    project = asked.project(Permission.READ)
    idea = find_idea(project, asked.number)
    path = _report(project, idea)
    if not path.is_file():
        raise NotFoundError(f"Idea {idea.number} has no report yet. `shipworthy analyse {idea.number}` writes it.")
    headers = {"content-security-policy": SANDBOX, "cache-control": "no-cache"}
    return FileResponse(path, media_type="text/html", headers=headers)


def _talk(asked: Asked, project: Project) -> dict[str, Any]:
    """What people said last, or all of it where the query asks for that; and how much was said before."""
    said = comments(project, asked.number)
    shown = said if asked.request.query_params.get("comments") == "all" else said[-_TALK:]
    return {"comments": shown, "earlier": len(said) - len(shown)}


def _judged(project: Project, idea: Idea) -> tuple[Judged | None, str]:
    """The verdict, or why it cannot be told."""
    try:
        return read_judged(project, idea, read_lock(project, idea.key)), ""
    except ShipworthyError as error:
        return None, str(error)


def _data(answer: DataAnswer | None, currency: str) -> dict[str, Any]:
    if answer is None:
        return {}
    return {
        "rows": data_facts.rows(answer),
        "leaks": data_facts.leaks(answer),
        "power": data_facts.power(answer, currency),
        "broken": data_facts.broken(answer),
    }


def _moves(project: Project, idea: Idea) -> Sequence[Rollout]:
    """What the rollout of its problem did with it, the newest first."""
    return [move for move in reversed(rollout_history(project, idea.problem)) if move.idea == idea.key]


def _job(asked: Asked, project: Project, card: Card) -> Job | None:
    """What runs for it, else what ended last and is about the stage it still stands in."""
    now = running(asked, project.name).get(card.number)
    if now is not None:
        return now
    last = next((job for job in asked.desk.jobs[project.name].all() if idea_of(job) == card.number), None)
    return last if last is not None and last.error is not None else None


def _report(project: Project, idea: Idea) -> Path:
    return project.root / REPORTS_FOLDER / f"{idea.key}-{idea.slug}.html"
