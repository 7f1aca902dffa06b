"""What a page tells of figures that need the project's own code: the last reading, its age, and whether a newer one comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.responses import Response

from shipworthy.project import Project
from shipworthy.project.clock import now
from shipworthy.web.asked import Asked
from shipworthy.workspace.reading import Question

Ledger = Mapping[str, Sequence[Mapping[str, Any]]]
"""By a project's space the lines of its ledger, as they were read last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A reading as a page tells it.

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


def tell(asked: Asked, project: Project, *words: str, lasts_s: float | None = None) -> Told:
    """The last reading of a verb; where it is stale, a newer one is begun and not waited for."""
    found, is_waiting = asked.desk.readings[project.name].last(Question(words=words, lasts_s=lasts_s))
    if found is None:
        return Told(answer=None, at=None, error="", is_waiting=is_waiting, is_unread=True)
    is_unread = found.answer is None
    return Told(answer=found.answer, at=found.at, error=found.error, is_waiting=is_waiting, is_unread=is_unread)


def reckon(
    asked: Asked, what: str, projects: Sequence[Project], work: Callable[[Ledger], Any], lasts_s: float = 3600.0
) -> Told:
    """What is reckoned over projects from their records, and from the last readings of their ledgers.

    Args:
        asked: The request.
        what: What it is, with all that it depends on besides.
        projects: Those that whoever asks may read.
        work: Reckons it.
        lasts_s: After so long it is reckoned again although nothing was recorded.
    """
    ledgers = {project.space: tell(asked, project, "ledger") for project in projects if project.records.find("rollout")}
    lines: Ledger = {space: told.answer for space, told in ledgers.items() if told.answer}
    heads = tuple((project.space, project.records.head().seq) for project in projects)
    ages = tuple((space, told.at) for space, told in ledgers.items())
    stamp = (heads, ages, int(now().timestamp() // lasts_s))
    found, is_waiting = asked.desk.behind.ask((what, tuple(space for space, _ in heads)), stamp, lambda: work(lines))
    is_waiting = is_waiting or any(told.is_waiting for told in ledgers.values())
    is_unread = bool(ledgers) and (is_waiting or any(told.is_unread for told in ledgers.values()))
    if found is None:
        return Told(answer=None, at=None, error="", is_waiting=is_waiting, is_unread=is_unread)
    return Told(answer=found.answer, at=found.at, error=found.error, is_waiting=is_waiting, is_unread=is_unread)


def seen(*parts: object) -> str:
    """What an open page has seen already, in a word that it sends along when it asks again."""
    return "~".join(str(part) for part in parts).replace(" ", "_").replace("+", "_")


def is_news(asked: Asked, now: str) -> bool:
    """Whether a page that asks again would be told something else than it shows."""
    return asked.request.query_params.get("seen", "") != now


def nothing_new() -> Response:
    """The answer to a page that shows already all there is."""
    return Response(status_code=204)
