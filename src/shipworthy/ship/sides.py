"""The two sides of an idea's rollout: the releases from before it, and those that carry it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from shipworthy.ship.rollout import Phase, Rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Which releases are on which side; a refit makes a new release of the same policy, so that each side is a set.

    Attributes:
        old: The releases that decided before the idea.
        new: Those that carry it.
        began: The move with which the evidence begins that still counts.
    """

    old: frozenset[str]
    new: frozenset[str]
    began: int


def moves_of(moves: Sequence[Rollout], idea: str) -> Sequence[Rollout]:
    """The moves of an idea as long as it is tried or live, its going into shadow first."""
    return [move for move in moves if move.idea == idea and not move.phase.is_over]


def sides_of(moves: Sequence[Rollout], idea: str, *, since_resumed: bool = False) -> Sides:
    """The sides of an idea by all of its moves.

    Args:
        moves: The history of the problem's rollout.
        idea: The idea's key.
        since_resumed: Whether the evidence begins with the last resumption, where there was one: what was lived through
            before that, somebody has looked at already, and found that it may not speak against the idea.
    """
    own = moves_of(moves, idea)
    new = {move.champion if move.phase is Phase.LIVE else move.challenger for move in own}
    old = {move.challenger if move.phase is Phase.LIVE else move.champion for move in own}
    resumed = [move.version for before, move in pairwise(own) if before.phase is Phase.PAUSED]
    return Sides(
        old=frozenset(release for release in old if release is not None),
        new=frozenset(release for release in new if release is not None),
        began=resumed[-1] if resumed and since_resumed else own[0].version if own else 0,
    )


def step_of(moves: Sequence[Rollout], idea: str) -> Sequence[Rollout]:
    """The moves of the last step in which both arms answer, or of the last step where there was none.

    A pause parts two steps, and so does another share; a refit does not.
    """
    own = moves_of(moves, idea)
    steps: list[list[Rollout]] = []
    for move in own:
        if not steps or steps[-1][-1].step != move.step:
            steps.append([])
        steps[-1].append(move)
    answering = [step for step in steps if step[0].phase in {Phase.CANARY, Phase.SWITCHBACK}]
    return answering[-1] if answering else steps[-1] if steps else []
