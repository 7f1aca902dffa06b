"""Many ideas beside one another: how far each has come, and what of its verdict may be shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from shipworthy.analysis.analyse import Analysis, read_analysis
from shipworthy.analysis.decision import Decision
from shipworthy.analysis.gain import Gain
from shipworthy.errors import NotFoundError
from shipworthy.finite import finite
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.lock import locked_criteria
from shipworthy.ideas.register import find_idea, list_ideas
from shipworthy.project import Gap, Project
from shipworthy.research.research import Research, last_research
from shipworthy.step import Rung

Order = Literal["number", "gain", "harm", "title"]


class Stands(Protocol):
    """Where an idea stands, in a word or two, and what its closed gate misses."""

    @property
    def says(self) -> str: ...  # noqa: D102

    @property
    def gaps(self) -> Sequence[Gap]: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One idea among others; what is not known of it yet, or is sealed, is None.

    Attributes:
        idea: Its number.
        title: Its title.
        problem: Its problem.
        challenger: The policy that carries it.
        stands: Where it stands, in a word or two.
        misses: What it lacks before it can have a verdict; None where it has one.
        decision: The verdict on its newest evidence.
        gain: What it earns more in a year; an end of its interval that is not known is infinite.
        harm: How probable a true gain below zero is.
        currency: The currency of its gain.
        periods: How many periods its evidence has.
        repetitions: Under how many seeds they were replayed.
        looks: How many candidates the fits of champion and challenger chose among, where they search.
        regret: The challenger's regret as a share of what perfect foresight earned.
        falls: The share of periods that a fallback decided for the challenger.
        seconds: Median seconds of one decision of the challenger.
    """

    idea: int
    title: str
    problem: str
    challenger: str
    stands: str
    misses: str | None = None
    decision: Decision | None = None
    gain: Gain | None = None
    harm: float | None = None
    currency: str | None = None
    periods: int | None = None
    repetitions: int | None = None
    looks: int | None = None
    regret: float | None = None
    falls: float | None = None
    seconds: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The idea as plain values by `COLUMNS`; an end of an interval that is not known is None."""
        ends = {end: finite(getattr(self.gain, end, None)) for end in ("gain", "low", "high")}
        decision = None if self.decision is None else str(self.decision)
        return {name: getattr(self, name, None) for name in COLUMNS} | ends | {"decision": decision}


COLUMNS = (
    *("idea", "title", "problem", "challenger", "stands", "misses", "decision", "gain", "low", "high", "harm"),
    *("currency", "periods", "repetitions", "looks", "regret", "falls", "seconds"),
)
"""What `Compared.to_dict` holds, in this order: `gain`, `low` and `high` are money a year."""


def compare_ideas(
    project: Project,
    stands: Callable[[Project, Idea], Stands],
    numbers: Collection[int] = (),
    *,
    problem: str | None = None,
    decision: Decision | None = None,
) -> list[Compared]:
    """Reads what is on record of ideas; nothing is loaded and nothing is computed.

    Args:
        project: The project.
        stands: Says where an idea of the project stands.
        numbers: The ideas; all of them, if none is named.
        problem: Only ideas about this one.
        decision: Only ideas with this verdict.

    Raises:
        NotFoundError: there is no such idea, or none about that problem.
    """
    ideas = [find_idea(project, number) for number in sorted(set(numbers))] if numbers else list_ideas(project)
    problems = sorted({idea.problem for idea in ideas})
    if problem is not None and problem not in problems:
        raise NotFoundError.among("idea about problem", problem, problems)
    chosen = [idea for idea in ideas if problem in (None, idea.problem)]
    rows = [_compared(project, idea, stands(project, idea)) for idea in chosen]
    return [row for row in rows if decision in (None, row.decision)]


def in_order(rows: Sequence[Compared], by: Order = "number", *, reverse: bool = False) -> list[Compared]:
    """Sorts ideas: the largest gain or the smallest chance of harm first; gains of one currency stay together.

    Ideas for which it is not known come last, either way.
    """
    keys: Mapping[Order, Callable[[Compared], Any]] = {
        "number": lambda row: row.idea,
        "gain": lambda row: None if row.gain is None else -row.gain.gain,
        "harm": lambda row: row.harm,
        "title": lambda row: row.title.casefold(),
    }
    key = keys[by]
    known = sorted((row for row in rows if key(row) is not None), key=key, reverse=reverse)
    if by == "gain":
        known.sort(key=lambda row: str(row.currency))
    return [*known, *(row for row in rows if key(row) is None)]


def by_currency(rows: Sequence[Compared]) -> dict[str, list[Compared]]:
    """The ideas whose gain has an interval, parted by currency: two of them never lie on one axis."""
    found: dict[str, list[Compared]] = {}
    for row in rows:
        if row.gain is not None and math.isfinite(row.gain.low) and math.isfinite(row.gain.high):
            found.setdefault(str(row.currency), []).append(row)
    return dict(sorted(found.items()))


def _compared(project: Project, idea: Idea, stands: Stands) -> Compared:
    locked = locked_criteria(project, idea)
    row = Compared(
        idea=idea.number,
        title=idea.title,
        problem=idea.problem,
        challenger=idea.challenger,
        stands=stands.says,
        misses=" ".join(map(str, stands.gaps)) or None,
        currency=locked["currency"] if locked else None,
    )
    research = last_research(project, idea)
    if research is None or (research.problem, research.challenger) != (idea.problem, idea.challenger):
        return row
    row = replace(row, **_replayed(research))
    record = project.records.get("verdict", idea.key)
    if record is None or (record.body["evidence"], record.body["code"]) != (research.evidence, research.code):
        return row
    return replace(row, **_judged(read_analysis(record)))


def _replayed(research: Research) -> dict[str, Any]:
    falls = research.falls["challenger"]
    regret = (research.regret or {}).get("challenger")
    fallen = sum(count for rung, count in falls.items() if Rung(rung).is_fall)
    return {
        "periods": research.holdout["periods"] if research.holdout else research.periods,
        "repetitions": research.repetitions,
        "looks": sum(research.looks.values()),
        "regret": regret["share"] if regret else None,
        "falls": fallen / max(1, sum(falls.values())),
        "seconds": research.seconds["challenger"],
    }


def _judged(analysis: Analysis) -> dict[str, Any]:
    """What a verdict lets out: no gain where it is withheld, or where there was nothing to judge."""
    verdict = analysis.verdict
    is_known = verdict.exposure is not None and math.isfinite(verdict.gain)
    return {
        "misses": None,
        "decision": verdict.decision,
        "gain": verdict.per_year() if is_known else None,
        "harm": verdict.probability_of_harm,
        "currency": analysis.currency,
    }
