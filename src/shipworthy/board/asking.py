"""Asking a gate: a request to move an idea on, which the gate answers with a job that does the work or with what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from shipworthy.board.form import field
from shipworthy.board.rendering import go, is_part, render_part
from shipworthy.board.running import running
from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.project import Gap, Project, Stage
from shipworthy.web.asked import Asked
from shipworthy.workspace.cards import Card
from shipworthy.workspace.job import Job, Task
from shipworthy.workspace.role import Permission

VERBS: Mapping[str, Permission] = {
    "data": Permission.EXAMINE,
    "research": Permission.RESEARCH,
    "analyse": Permission.ANALYSE,
    "ship": Permission.SHIP,
}
"""The verbs that a page asks for, and what whoever asks has to be allowed."""

DOES: Mapping[str, str] = {
    "data": "examine the data",
    "research": "replay the history",
    "analyse": "judge the evidence",
    "ship": "ask for the next step",
}
"""What each of them does, in the words of the pages."""

_RUNS: Mapping[str, str] = {
    "data": "The data are being examined",
    "research": "The history is being replayed",
    "analyse": "The evidence is being judged",
    "ship": "The next step is being taken",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a gate says to a request.

    Attributes:
        says: In a sentence.
        gaps: What it misses; empty where a job does the work now, or where nothing was asked for that could be.
        job: The job that does the work; None where there is none.
    """

    says: str
    gaps: Sequence[Gap] = ()
    job: Job | None = None


def ask_to_move_on(asked: Asked) -> Response:
    """Answers a card that was dropped on a column, or whose button was pressed."""
    project = asked.project(Permission.READ)
    card = asked.cards.get(asked.number)
    answer = _answer(asked, project, card, field(asked, "to"))
    if is_part(asked.request):
        return render_part("answered", project=project, card=card, answer=answer, jobs=running(asked, project.name))
    listed = "".join(f"\n{gap}" for gap in answer.gaps)
    return go(field(asked, "back") or f"/projects/{project.name}/", f"Idea {card.number}: {answer.says}{listed}")


def run_verb(asked: Asked) -> Response:
    """Runs a stage's verb for an idea, as its page asks; the verb asks its gate itself."""
    project = asked.project(Permission.READ)
    card = asked.cards.get(asked.number)
    verb = asked.request.path_params["verb"]
    if verb not in VERBS:
        raise NotFoundError.among("verb", verb, VERBS)
    start(asked, project, card.number, verb)
    return go(f"/projects/{project.name}/ideas/{card.number}")


def start(asked: Asked, project: Project, number: int, verb: str) -> Job:
    """Starts the job of a verb for an idea.

    Raises:
        DeniedError: whoever asks may not do that.
        InvalidInputError: something runs for the idea already.
    """
    asked.principal.require(VERBS[verb], project.squad)
    before = running(asked, project.name).get(number)
    if before is not None:
        raise InvalidInputError(f"{_is_running(before)} already. Wait until that has ended.")
    task = Task(verb=verb, words=[verb, "--json", "--", str(number)], given={"number": number})
    return asked.desk.jobs[project.name].start(task, asked.principal.name)


def _answer(asked: Asked, project: Project, card: Card, to: str) -> Answer:
    stages = [str(stage) for stage in Stage]
    if to in stages and stages.index(to) < stages.index(card.stage):
        return Answer(says="Nothing moves back by hand: each stage keeps what it found.")
    if to in stages and stages.index(to) > stages.index(card.stage.next):
        return Answer(
            says=f"Ideas pass one gate at a time: next is the one to {card.stage.next}.", gaps=tuple(card.gaps)
        )
    before = running(asked, project.name).get(card.number)
    if before is not None:
        return Answer(says=f"{_is_running(before)} already.", job=before)
    verb = card.stage.verb
    if verb in VERBS and card.next == f"shipworthy {verb} {card.number}":
        job = start(asked, project, card.number, verb)
        return Answer(says=f"{_RUNS[verb]}. The card moves when its gate opens.", job=job)
    if card.gaps:
        return Answer(says=f"The gate to {card.stage.next} is closed.", gaps=tuple(card.gaps))
    return Answer(says=f"It is {card.says}; there is no gate to ask.")


def _is_running(job: Job) -> str:
    return _RUNS.get(job.verb, f"{job.verb.capitalize()} runs for this idea")
