"""How long logs are kept: parts of the archive that are old, and that nothing rests on, can go.

What an idea's evidence or its line in the ledger rests on is kept however old it is: decisions made under a move in which one of
its releases served, all answers of the shadow, and outcomes and overrides noted since the first idea went into shadow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from shipworthy.errors import InvalidInputError
from shipworthy.live.serving import open_serving
from shipworthy.log.archive import DECISIONS, KIND, SHADOWS, Part, find_parts
from shipworthy.problem import Span
from shipworthy.project import Project
from shipworthy.project.clock import now
from shipworthy.ship.rollout import Rollout, read_rollout, rollout_history
from shipworthy.ship.sides import moves_of, sides_of
from shipworthy.store import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What of a problem's archive is older than it has to be kept.

    Attributes:
        old: The parts that can go.
        evidence: Parts as old, which are kept because an idea's evidence or ledger line rests on them.
    """

    old: Sequence[Part]
    evidence: Sequence[Part]


def find_old(project: Project, problem: str) -> Retention:
    """Looks which parts `[live] keep` lets go; none where it is empty.

    Raises:
        InvalidInputError: what is kept is less than what the policies that serve look back on.
        UnavailableError: a store does not answer.
    """
    keep = str(project.settings["live"]["keep"])
    if not keep:
        return Retention(old=(), evidence=())
    span = Span.of(keep)
    _refuse_shorter_than_memory(project, problem, span)
    before = (now() - timedelta(seconds=span.seconds)).isoformat(timespec="microseconds")
    parts = [part for part in find_parts(project.records, problem) if part.dropped is None and part.last < before]
    moves = rollout_history(project, problem)
    evidence = [part for part in parts if _is_evidence(part, moves)]
    return Retention(old=[part for part in parts if part not in evidence], evidence=evidence)


def drop(project: Project, parts: Sequence[Part]) -> None:
    """Drops parts: each record says so first, then its object is deleted; what a kill leaves is deleted by the next call.

    Raises:
        UnavailableError: a store does not answer.
    """
    at = now().isoformat(timespec="microseconds")
    for part in parts:
        change = Change(kind=KIND, key=part.key, body=replace(part, dropped=at).body, expect=1)
        project.records.add(change, by=project.who)
    for problem in {part.problem for part in parts}:
        for part in find_parts(project.records, problem):
            if part.dropped is not None:
                project.objects.delete(part.object)


def _is_evidence(part: Part, moves: Sequence[Rollout]) -> bool:
    ideas = {move.idea for move in moves if move.idea is not None and moves_of(moves, move.idea)}
    if not ideas:
        return False
    if part.noun == SHADOWS:
        return True
    if part.noun != DECISIONS:
        first = min(moves_of(moves, idea)[0].at for idea in ideas)
        return part.last >= first.isoformat(timespec="microseconds")
    under = [move for move in moves if move.version in part.rollouts]
    for idea in ideas:
        sides = sides_of(moves, idea)
        ours = sides.old | sides.new
        if any(move.version >= sides.began and {move.champion, move.challenger} & ours for move in under):
            return True
    return False


def _refuse_shorter_than_memory(project: Project, problem: str, span: Span) -> None:
    if read_rollout(project, problem) is None:
        return
    serving = open_serving(project, problem)
    for served in (serving.champion, serving.challenger):
        if served is None or served.memory_s is None:
            continue
        needed = served.memory_s + Span.of(served.release.problem.outcome_delay).seconds
        if span.seconds < needed:
            raise InvalidInputError(
                f"[live] keep is {span.text!r}, but release {served.release.id} looks back {needed / 86_400:g} days. Keep at "
                "least that, or leave it empty to keep logs for ever."
            )
