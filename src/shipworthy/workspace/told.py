"""What is told of figures that take long: the last answer, its age, and whether a newer one comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from shipworthy.errors import ShipworthyError
from shipworthy.project import Project
from shipworthy.project.clock import now
from shipworthy.workspace.desk import Desk
from shipworthy.workspace.reading import Question

_LASTS_S = 300
"""After so long all is reckoned again although nothing was recorded: deadlines come nearer."""

OverIdeas = Callable[..., Any]
"""`waits`, `backlog` or `programme`: takes what is known of projects, and the lines of their ledgers by the projects' space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A reading as it is told.

    Attributes:
        answer: What the verb said; None before it ever did.
        at: When that was read; None before.
        error: What was wrong the last time; empty where nothing was.
        is_waiting: Whether a newer reading is on its way.
        is_unread: Whether it says nothing of money yet because a ledger that it rests on was not read.
    """

    answer: Any
    at: datetime | None
    error: str
    is_waiting: bool
    is_unread: bool = False


def tell(desk: Desk, project: Project, *words: str, lasts_s: float | None = None) -> Told:
    """The last reading of a verb; where it is stale, a newer one is begun and not waited for."""
    found, is_waiting = desk.readings[project.name].last(Question(words=words, lasts_s=lasts_s))
    if found is None:
        return Told(answer=None, at=None, error="", is_waiting=is_waiting, is_unread=True)
    is_unread = found.answer is None
    return Told(answer=found.answer, at=found.at, error=found.error, is_waiting=is_waiting, is_unread=is_unread)


def reckon(desk: Desk, what: OverIdeas, projects: Sequence[Project], *, is_patient: bool = False) -> Told:
    """What is reckoned over all ideas of some projects, from their records and from the last readings of their ledgers.

    Args:
        desk: The open workspace.
        what: Reckons it.
        projects: Those that whoever asks may read.
        is_patient: Whether the first answer is waited for.

    Raises:
        ShipworthyError: it was waited for, and went wrong.
    """
    ledgers = {project.space: tell(desk, project, "ledger") for project in projects if project.records.find("rollout")}
    lines = {space: told.answer for space, told in ledgers.items() if told.answer}
    heads = tuple((project.space, project.records.head().seq) for project in projects)
    ages = tuple((space, told.at) for space, told in ledgers.items())
    stamp = (heads, ages, int(now().timestamp() // _LASTS_S))
    facts = [desk.facts[project.name] for project in projects]
    ask = desk.behind.answer if is_patient else desk.behind.ask
    found, is_waiting = ask(_key(what, projects), stamp, lambda: what(facts, ledger=lines))
    is_waiting = is_waiting or any(told.is_waiting for told in ledgers.values())
    is_unread = bool(ledgers) and (is_waiting or any(told.is_unread for told in ledgers.values()))
    if found is None:
        return Told(answer=None, at=None, error="", is_waiting=is_waiting, is_unread=is_unread)
    return Told(answer=found.answer, at=found.at, error=found.error, is_waiting=is_waiting, is_unread=is_unread)


def warm(desk: Desk, project: Project, reckonings: Sequence[OverIdeas]) -> None:
    """Reads a project's cards and facts, and reckons over them without any ledger, so that whoever asks first need not wait."""
    desk.cards[project.name].all()
    facts = desk.facts[project.name]
    for what in reckonings:
        with suppress(ShipworthyError):  # whoever asks is told
            desk.behind.answer(_key(what, [project]), "warm", partial(what, [facts]))


def _key(what: OverIdeas, projects: Sequence[Project]) -> tuple[str, tuple[str, ...]]:
    return what.__name__, tuple(project.space for project in projects)
