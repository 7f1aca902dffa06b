"""Where each idea stands, as whatever reckons over all ideas needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from shipworthy.ideas.idea import Idea
from shipworthy.ideas.register import list_ideas
from shipworthy.project import Gap, Project, Stage
from shipworthy.ship.rollout import Phase
from shipworthy.ship.standing import standing

OVER = {str(Phase.ROLLED_BACK), str(Phase.RETIRED), "live", "was live", "stop", "stop, overridden"}
"""What is said of ideas that wait for nothing any more."""


class Stands(Protocol):
    """An idea with where it stands; what a board keeps of it will do."""

    @property
    def number(self) -> int:
        """Its number."""

    @property
    def title(self) -> str:
        """Its title."""

    @property
    def problem(self) -> str:
        """Its problem."""

    @property
    def owner(self) -> str:
        """Who answers for it."""

    @property
    def deadline(self) -> date | None:
        """Until when."""

    @property
    def stage(self) -> Stage:
        """At which stage it is."""

    @property
    def says(self) -> str:
        """Where it stands there."""

    @property
    def gaps(self) -> Sequence[Gap]:
        """What its gate misses."""

    @property
    def next(self) -> str | None:
        """The command to type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one idea stands, as `Stands` wants it."""

    number: int
    title: str
    problem: str
    owner: str
    deadline: date | None
    stage: Stage
    says: str
    gaps: Sequence[Gap]
    next: str | None


def places(project: Project) -> list[Place]:
    """Where each idea of a project stands."""
    return [_place(project, idea) for idea in list_ideas(project)]


def is_open(one: Stands) -> bool:
    """Whether an idea still waits for something."""
    return one.says not in OVER


def _place(project: Project, idea: Idea) -> Place:
    found = standing(project, idea)
    said = {name: getattr(idea, name) for name in ("number", "title", "problem", "owner", "deadline")}
    return Place(**said, stage=found.stage, says=found.says, gaps=found.gaps, next=found.next)
