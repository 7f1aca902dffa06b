"""Signs what a gate is about, as it stands now, and takes a signature back."""

from __future__ import annotations

from collections.abc import Sequence

from shipworthy.analysis.gate import to_sign as verdict_to_sign
from shipworthy.analysis.gate import undecided
from shipworthy.data.gate import to_sign as criteria_to_sign
from shipworthy.data.gate import unproved
from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.register import find_idea
from shipworthy.ideas.signoff import (
    About,
    Gate,
    Signoff,
    Unsigned,
    is_same_person,
    note_signoff,
    signoffs,
    withdraw,
)
from shipworthy.project import Gap, Project, refuse_closed
from shipworthy.project.role import SQUAD, Role
from shipworthy.ship.gate import missing_signoffs
from shipworthy.ship.gate import to_sign as trial_to_sign
from shipworthy.ship.rollout import Phase, Rollout, read_rollout


def sign(project: Project, number: int, gate: str, role: str, *, proved: bool = False) -> Signoff:
    """Signs what a gate is about, in a role.

    Args:
        project: The project; whoever acts in it signs.
        number: The idea's number.
        gate: The gate: research, ship or live.
        role: In which role, such as "product manager"; whether the person has it is asked by whoever knows the people.
        proved: Whether a server let the person sign in.

    Raises:
        NotFoundError: there is no such idea.
        InvalidInputError: there is no such gate, or the role signs nothing.
        GateClosedError: what is to be signed is not there yet.
    """
    at, as_ = _gate(gate), _role(role)
    idea = find_idea(project, number)
    return note_signoff(project, idea, at, as_, _about(project, idea, at), proved=proved)


def offered(project: Project, idea: Idea, gaps: Sequence[Gap]) -> list[Unsigned]:
    """The sign-offs that would help: those that a gate misses, and those that it would miss if who signed alone went live.

    Args:
        project: The project; whoever acts in it looks.
        idea: The idea.
        gaps: What the gate misses that it stands before.
    """
    missing = [gap for gap in gaps if isinstance(gap, Unsigned)]
    serves = read_rollout(project, idea.problem)
    if serves is None or not _leads_to_live(serves, idea):
        return missing
    about = trial_to_sign(project, serves)
    signed = [one.by for one in signoffs(project, idea) if one.gate is Gate.LIVE and not one.changed(about)]
    if any(is_same_person(by, project.who) for by in signed):
        return missing
    alone = [gap for taker in signed or [project.who] for gap in missing_signoffs(project, idea, serves, taker)]
    return [*missing, *(gap for gap in alone if isinstance(gap, Unsigned))]


def withdraw_signoff(project: Project, number: int, gate: str, role: str) -> None:
    """Takes back what the same person signed in a role.

    Raises:
        NotFoundError: there is no such idea.
        InvalidInputError: there is no such gate, or the role signs nothing.
        PreconditionError: that person has not signed there in that role.
    """
    withdraw(project, find_idea(project, number), _gate(gate), _role(role))


def _gate(word: str) -> Gate:
    if word not in [*Gate]:
        raise InvalidInputError(str(NotFoundError.among("gate that is signed", word, Gate)))
    return Gate(word)


def _role(word: str) -> Role:
    if word not in SQUAD:
        raise InvalidInputError(f"A {word} signs nothing. Sign as one of: {', '.join(sorted(SQUAD))}.")
    return Role(word)


def _about(project: Project, idea: Idea, gate: Gate) -> About:
    """What is signed at a gate, refused as long as it is not there."""
    where = f"Idea {idea.number} to a signature for {gate}"
    if gate is Gate.RESEARCH:
        refuse_closed(where, unproved(project, idea))
        return criteria_to_sign(project, idea)
    refuse_closed(where, undecided(project, idea))
    if gate is Gate.SHIP:
        return verdict_to_sign(project, idea)
    serves = read_rollout(project, idea.problem)
    if serves is None or not _leads_to_live(serves, idea):
        what = "It is not in the trial that leads to live."
        refuse_closed(where, [Gap(what, f"Take it there with `shipworthy ship {idea.number}`, and sign then.")])
    assert serves is not None, "an idea on trial is in the rollout"
    return trial_to_sign(project, serves)


def _leads_to_live(serves: Rollout, idea: Idea) -> bool:
    """Whether an idea is in the trial whose next phase is live."""
    return serves.idea == idea.key and serves.phase.next is Phase.LIVE
