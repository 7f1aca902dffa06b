"""Which release serves: an append-only history of moves, one record per problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from shipworthy.analysis.trials.schedule import SwitchbackPlan
from shipworthy.errors import NotFoundError
from shipworthy.project import Project
from shipworthy.statistics.assignment import Arm, arm_of
from shipworthy.store import Change, Record

AUTOMATIC = "shipworthy (automatic)"
"""Who makes a move that nobody asked for."""


class Phase(StrEnum):
    """How far a challenger has come.

    >>> Phase.SHADOW.next, Phase.LIVE.next
    (<Phase.CANARY: 'canary'>, None)
    """

    SHADOW = "shadow"
    CANARY = "canary"
    SWITCHBACK = "switchback"
    LIVE = "live"
    PAUSED = "paused"
    ROLLED_BACK = "rolled back"
    RETIRED = "retired"

    @property
    def next(self) -> Phase | None:
        """The phase that evidence may lead to; in place of a canary there may be a switchback."""
        return {Phase.SHADOW: Phase.CANARY, Phase.CANARY: Phase.LIVE, Phase.SWITCHBACK: Phase.LIVE}.get(self)

    @property
    def is_trial(self) -> bool:
        """Whether a challenger is still being tried; one whose trial is paused is."""
        return self in {Phase.SHADOW, Phase.CANARY, Phase.SWITCHBACK, Phase.PAUSED}

    @property
    def is_over(self) -> bool:
        """Whether the idea has had its turn: it is not shipped again."""
        return self in {Phase.ROLLED_BACK, Phase.RETIRED}


class Draw(StrEnum):
    """What a canary draws an arm for: a period with all its units, a unit for good, or each unit anew each period.

    >>> Draw.UNIT_PERIOD.mixes, Draw.PERIOD.mixes
    (True, False)
    """

    PERIOD = "period"
    UNIT = "unit"
    UNIT_PERIOD = "unit-period"

    @property
    def mixes(self) -> bool:
        """Whether both arms may decide units of one period."""
        return self is not Draw.PERIOD


@dataclass(frozen=True, kw_only=True)
class Move:
    """One move: what is to serve, and why.

    Attributes:
        phase: How far the idea has come.
        champion: The release that answers, in a trial wherever the challenger does not.
        challenger: The release that is tried; once live, the old champion, which goes on deciding in its shadow.
        share: The challenger's share of what a canary draws.
        draw: What a canary draws arms for.
        schedule: The plan of a switchback, as `SwitchbackPlan.to_dict` gives it; published here before it starts.
        idea: The idea that is tried or live; None for the baseline.
        why: The reason, with the evidence it rests on.
        trigger: What made the move by itself, such as "gain", "interval" or "cusum"; None where somebody asked for it.
        evidence: The numbers it rests on.
    """

    phase: Phase
    champion: str
    challenger: str | None = None
    share: float = 0.0
    draw: Draw = Draw.PERIOD
    schedule: Mapping[str, Any] | None = None
    idea: str | None = None
    why: str
    trigger: str | None = None
    evidence: Mapping[str, Any] | None = None

    @property
    def step(self) -> tuple[object, ...]:
        """What stays the same as long as a trial is the same one: its kind, its share and its coins."""
        return self.idea, self.phase, self.share, self.draw, self.schedule


@dataclass(frozen=True, kw_only=True)
class Rollout(Move):
    """What serves a problem from one move to the next.

    Attributes:
        problem: The problem's name.
        version: The number of the move, from 1.
        at: When it was made.
        by: Who made it.
    """

    problem: str
    version: int
    at: datetime
    by: str

    def arms_of(self, period: object, units: Sequence[object]) -> Arm | list[Arm]:
        """Who answers for a period: one arm for all its units, or one for each, by a hash of the idea and what is drawn.

        Args:
            period: The period, as the rows have it.
            units: Its units, in the order of the request.
        """
        if self.challenger is None:
            return "champion"
        if self.plan is not None:
            return self.plan.arm_at(period)
        if self.share <= 0:
            return "champion"
        if self.draw is Draw.PERIOD:
            return arm_of(self.idea, period, share=self.share)
        keys = [(unit,) if self.draw is Draw.UNIT else (unit, period) for unit in units]
        arms = [arm_of(self.idea, *key, share=self.share) for key in keys]
        return arms if len(set(arms)) > 1 else arms[0] if arms else "champion"

    @cached_property
    def plan(self) -> SwitchbackPlan | None:
        """The plan of a switchback; None in any other phase."""
        is_one = self.phase is Phase.SWITCHBACK and self.schedule is not None
        return SwitchbackPlan.from_dict(self.schedule or {}) if is_one else None


def read_rollout(project: Project, problem: str, at: datetime | None = None) -> Rollout | None:
    """What serves now, or served at an instant; None before the first move."""
    record = project.records.get("rollout", problem, at=at)
    return None if record is None else _rollout(record)


def rollout_history(project: Project, problem: str) -> Sequence[Rollout]:
    """Every move of a problem, the oldest first."""
    return [_rollout(record) for record in project.records.history("rollout", problem)]


def rolled_out(project: Project, problem: str) -> Sequence[Rollout]:
    """Every move of a problem that was rolled out, the oldest first.

    Raises:
        NotFoundError: nothing of it was.
    """
    moves = rollout_history(project, problem)
    if not moves:
        known = [record.key for record in project.records.find("rollout")]
        raise NotFoundError.among("rollout of problem", problem, known, "Ship an idea of it: `shipworthy ship IDEA`.")
    return moves


def made_live(moves: Sequence[Rollout]) -> Rollout | None:
    """The newest move of the idea that is live, through later ideas that came and went; the baseline's where none is.

    Ideas are told by the moves, not by releases, which a refit replaces.

    Args:
        moves: The history of the problem's rollout.
    """
    lives: list[Rollout] = []
    for move in moves:
        if lives and lives[-1].idea == move.idea:
            lives.pop()
        if move.phase is Phase.LIVE:
            lives.append(move)
    return lives[-1] if lives else None


def make_move(project: Project, problem: str, before: Rollout | None, move: Move) -> Rollout:
    """Makes one move, in one transaction, from exactly the rollout that was looked at.

    Raises:
        PreconditionError: somebody moved it meanwhile.
    """
    change = Change(kind="rollout", key=problem, body=asdict(move), expect=before.version if before else 0)
    [record] = project.records.add(change, by=project.who if move.trigger is None else AUTOMATIC)
    return _rollout(record)


def _rollout(record: Record) -> Rollout:
    fields = {**record.body, "phase": Phase(record.body["phase"]), "draw": Draw(record.body.get("draw", Draw.PERIOD))}
    return Rollout(**fields, problem=record.key, version=record.version, at=record.at, by=record.by)
