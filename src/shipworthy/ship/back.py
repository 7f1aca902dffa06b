"""Back: what is on trial or live is taken back for good, retired, or paused until somebody has looked at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.ideas.register import find_idea
from shipworthy.project import Project, clock
from shipworthy.ship.published import end_of
from shipworthy.ship.rollout import Move, Phase, Rollout, made_live, make_move, read_rollout, rollout_history


def roll_back(project: Project, problem: str, why: str) -> Rollout:
    """Takes back whatever idea is on trial or live: the release from before it serves again.

    A rollback is sticky: the idea cannot be shipped again.

    Raises:
        NotFoundError: nothing is rolled out for this problem.
        InvalidInputError: there is no idea to take back.
        PreconditionError: somebody else moved the rollout meanwhile.
    """
    serves = _serving(project, problem)
    taken = serves if serves.challenger is not None else made_live(rollout_history(project, problem))
    if taken is None or taken.challenger is None:
        raise InvalidInputError(
            f"Nothing to take back: problem {problem!r} is served by {serves.champion} alone ({serves.phase})."
        )
    return take_back(project, serves, taken, why)


def take_back(
    project: Project,
    serves: Rollout,
    taken: Rollout,
    why: str,
    *,
    phase: Phase = Phase.ROLLED_BACK,
    trigger: str | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> Rollout:
    """Lets the release from before an idea serve again.

    Args:
        project: The project.
        serves: What serves now.
        taken: The move that brought the idea to where it is.
        why: The reason.
        phase: Rolled back, or retired.
        trigger: What does it by itself; None where somebody asked for it.
        evidence: The numbers it rests on.

    Raises:
        PreconditionError: somebody else moved the rollout meanwhile.
    """
    before = taken.challenger if taken.phase is Phase.LIVE else taken.champion
    assert before is not None, "what was made live has its predecessor in its shadow"
    move = Move(phase=phase, champion=before, idea=taken.idea, why=why, trigger=trigger, evidence=evidence)
    return make_move(project, serves.problem, serves, move)


def retire_idea(project: Project, number: int, why: str) -> Rollout:
    """Retires an idea that is live: it has served its time, and the release from before it serves again.

    Raises:
        NotFoundError: nothing is rolled out for its problem.
        InvalidInputError: the idea is not live.
        PreconditionError: somebody else moved the rollout meanwhile.
    """
    idea = find_idea(project, number)
    serves = _serving(project, idea.problem)
    live = made_live(rollout_history(project, idea.problem))
    if live is None or live.idea != idea.key or live.challenger is None or serves.phase.is_trial:
        at = f"{serves.phase}, idea {int(serves.idea)}" if serves.idea else str(serves.phase)
        raise InvalidInputError(f"Idea {number} cannot be retired: it is not live alone (now: {at}).")
    return take_back(project, serves, live, why, phase=Phase.RETIRED)


def pause_idea(project: Project, number: int, why: str) -> Rollout:
    """Lets the champion from before an idea answer alone, and keeps the idea's trial for whoever looks into it.

    Raises:
        NotFoundError: nothing is rolled out for its problem.
        InvalidInputError: the idea is neither on trial nor live.
        PreconditionError: somebody else moved the rollout meanwhile.
    """
    serves = _serving_idea(project, number)
    if serves.phase is Phase.PAUSED or serves.challenger is None:
        raise InvalidInputError(f"Idea {number} cannot be paused: it is {serves.phase}.")
    return pause(project, serves, why)


def pause(
    project: Project,
    serves: Rollout,
    why: str,
    *,
    trigger: str | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> Rollout:
    """Pauses what is on trial or live; the arguments are those of `take_back`.

    Raises:
        PreconditionError: somebody else moved the rollout meanwhile.
    """
    champion, challenger = _releases(serves, turned=serves.phase is Phase.LIVE)
    move = Move(
        phase=Phase.PAUSED,
        champion=champion,
        challenger=challenger,
        idea=serves.idea,
        why=why,
        trigger=trigger,
        evidence=evidence,
    )
    return make_move(project, serves.problem, serves, move)


def resume_idea(project: Project, number: int, why: str) -> Rollout:
    """Goes on where a paused idea stood, with the releases of today; what was lived through before is no evidence any more.

    Raises:
        NotFoundError: nothing is rolled out for its problem.
        InvalidInputError: the idea is not paused, or its switchback is over.
        PreconditionError: somebody else moved the rollout meanwhile.
    """
    serves = _serving_idea(project, number)
    if serves.phase is not Phase.PAUSED:
        raise InvalidInputError(f"Idea {number} is not paused but {serves.phase}: there is nothing to resume.")
    moves = rollout_history(project, serves.problem)
    before = next(move for move in reversed(moves) if move.phase is not Phase.PAUSED)
    if before.plan is not None and end_of(before.plan) <= clock.now():
        raise InvalidInputError(
            f"Idea {number} cannot be resumed: its switchback is over since {end_of(before.plan):%Y-%m-%d %H:%M} UTC, so that "
            f"nothing is left to prove its gain. Take it back with `shipworthy rollback {serves.problem}`, and begin a new idea."
        )
    champion, challenger = _releases(serves, turned=before.phase is Phase.LIVE)
    again = Move(
        phase=before.phase,
        champion=champion,
        challenger=challenger,
        share=before.share,
        draw=before.draw,
        schedule=before.schedule,
        idea=serves.idea,
        why=why,
    )
    return make_move(project, serves.problem, serves, again)


def _releases(serves: Rollout, *, turned: bool) -> tuple[str, str | None]:
    """Champion and challenger of today, which a refit may have replaced; turned where live and paused change over."""
    if not turned:
        return serves.champion, serves.challenger
    assert serves.challenger is not None, "what is live has its predecessor in its shadow, and a pause keeps both"
    return serves.challenger, serves.champion


def _serving(project: Project, problem: str) -> Rollout:
    serves = read_rollout(project, problem)
    if serves is None:
        known = [record.key for record in project.records.find("rollout")]
        raise NotFoundError.among("rollout of problem", problem, known)
    return serves


def _serving_idea(project: Project, number: int) -> Rollout:
    idea = find_idea(project, number)
    serves = _serving(project, idea.problem)
    if serves.idea != idea.key or serves.phase.is_over:
        raise InvalidInputError(f"Idea {number} is neither on trial nor live: nothing of it serves.")
    return serves
