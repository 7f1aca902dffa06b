"""Which release serves: an append-only history of moves, one record per problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from shipworthy.project import Project
from shipworthy.statistics.assignment import Arm, arm_of
from shipworthy.store import Change, Record


class Phase(StrEnum):
    """How far a challenger has come.

    >>> Phase.SHADOW.next, Phase.LIVE.next
    (<Phase.CANARY: 'canary'>, None)
    """

    SHADOW = "shadow"
    CANARY = "canary"
    LIVE = "live"
    ROLLED_BACK = "rolled back"

    @property
    def next(self) -> Phase | None:
        """The phase that evidence may lead to."""
        return {Phase.SHADOW: Phase.CANARY, Phase.CANARY: Phase.LIVE}.get(self)

    @property
    def is_trial(self) -> bool:
        """Whether a challenger is still being tried."""
        return self in {Phase.SHADOW, Phase.CANARY}


@dataclass(frozen=True, kw_only=True)
class Move:
    """One move: what is to serve, and why.

    Attributes:
        phase: How far the idea has come.
        champion: The release that answers, in canary for the rest of the periods.
        challenger: The release that is tried; once live, the old champion, which goes on deciding in its shadow.
        share: The share of periods in which the challenger answers.
        idea: The idea that is tried or live; None for the baseline.
        why: The reason, with the evidence it rests on.
    """

    phase: Phase
    champion: str
    challenger: str | None = None
    share: float = 0.0
    idea: str | None = None
    why: str


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

    def arm_of(self, period: object) -> Arm:
        """Who answers for a period: sticky, by a hash of idea and period, all its units together."""
        if self.challenger is None or self.share <= 0:
            return "champion"
        return arm_of(self.idea, period, share=self.share)


def read_rollout(project: Project, problem: str, at: datetime | None = None) -> Rollout | None:
    """What serves now, or served at an instant; None before the first move."""
    record = project.records.get("rollout", problem, at=at)
    return None if record is None else _rollout(record)


def rollout_history(project: Project, problem: str) -> Sequence[Rollout]:
    """Every move of a problem, the oldest first."""
    return [_rollout(record) for record in project.records.history("rollout", problem)]


def make_move(project: Project, problem: str, before: Rollout | None, move: Move) -> Rollout:
    """Makes one move, in one transaction, from exactly the rollout that was looked at.

    Raises:
        PreconditionError: somebody moved it meanwhile.
    """
    change = Change(kind="rollout", key=problem, body=asdict(move), expect=before.version if before else 0)
    [record] = project.records.add(change, by=project.who)
    return _rollout(record)


def _rollout(record: Record) -> Rollout:
    fields = {**record.body, "phase": Phase(record.body["phase"])}
    return Rollout(**fields, problem=record.key, version=record.version, at=record.at, by=record.by)
