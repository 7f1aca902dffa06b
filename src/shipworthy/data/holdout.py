"""The history that ideas are judged on, as a ledger: which of them opened it, what that spent, and when it retires.

Estimates are made of luck too, and the luck of one history is shared by all ideas that are judged on it. So every opening is
kept, and what an idea is granted depends on all that were tried before it (`statistics.budget`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import polars as pl

from shipworthy.project import Project
from shipworthy.statistics import Grant, Spent, spent_share
from shipworthy.store import Change, Record

KIND = "holdout"
ABANDONED = "abandoned"
UNSEEN = 0.8
"""The share of a history that nobody may have seen for a new ledger to begin."""

_LEAST_LEFT = 0.1

Mark = int | str
"""A period as a record can hold it; marks of one problem are ordered as its periods are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One idea that opened the history.

    Attributes:
        idea: The idea's key.
        evidence: The object that was judged; of an abandoned idea, its newest.
        versions: All evidence of the idea that had a chance with it: what was researched on an open history before.
        criteria: The digest of what it was judged by; empty while it is abandoned.
        fingerprints: Of its versions, shape (versions, cosines + 1); empty where nothing could have been shipped.
        critical: What it was granted; None where nothing could have been shipped.
        decision: What the verdict said; "abandoned" where the idea was researched on an open history and not judged.
        looks: Candidates that its fits chose among.
        repetitions: Seeds under which it was replayed.
        at: When, in UTC.
    """

    idea: str
    evidence: str
    versions: tuple[str, ...]
    criteria: str
    fingerprints: tuple[tuple[float, ...], ...]
    critical: float | None
    decision: str
    looks: int = 0
    repetitions: int = 1
    at: str = ""

    @property
    def spent(self) -> Spent:
        """What it spent, to be counted again."""
        return Spent(fingerprints=self.fingerprints, critical=math.inf if self.critical is None else self.critical)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Reads what a record holds."""
        prints = tuple(tuple(one) for one in fields["fingerprints"])
        return cls(**{**fields, "versions": tuple(fields["versions"]), "fingerprints": prints})


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """One history's ledger.

    Attributes:
        problem: The problem's name.
        n: Which of its ledgers, from 1.
        first: The first period that any idea was judged on.
        last: The last one.
        periods: Periods of the newest evidence.
        planned: Ideas that share its budget of errors, as locked by the first of them.
        alpha: Two-sided error of a verdict; half of it is the budget.
        is_sealed: Whether only its decisions are shown.
        openings: The ideas, in order.
        version: Of its record; 0 where nothing is written yet.
    """

    problem: str
    n: int
    first: Mark
    last: Mark
    periods: int
    planned: int
    alpha: float
    is_sealed: bool = False
    openings: tuple[Opening, ...] = ()
    version: int = 0

    @property
    def key(self) -> str:
        """The key of its record."""
        return f"{self.problem}-{self.n}"

    def grant_of(self, opening: Opening) -> Grant | None:
        """What one of its openings was granted; None where nothing could have been shipped."""
        if opening.critical is None or not opening.fingerprints:
            return None
        cosines = len(opening.fingerprints[0]) - 1
        idea = self.openings.index(opening) + 1
        return Grant(critical=opening.critical, cosines=cosines, idea=idea, planned=self.planned)

    @property
    def ideas(self) -> int:
        """How many openings have been counted."""
        return len(self.openings)

    @property
    def spent(self) -> float:
        """The share of the budget that was spent."""
        return spent_share(self.ideas, self.planned) if self.ideas else 0.0

    @property
    def left(self) -> float:
        """The probability that is left for shipping an idea without effect."""
        return self.alpha / 2.0 * (1.0 - self.spent)

    @property
    def looks(self) -> int:
        """Candidates that all fits chose among."""
        return sum(one.looks for one in self.openings)

    @property
    def is_retired(self) -> bool:
        """Whether it answers no further idea."""
        return self.ideas >= self.planned or self.left < _LEAST_LEFT * self.alpha

    def find(self, idea: str, evidence: str) -> Opening | None:
        """The newest opening of that idea with that evidence, if any."""
        found = (one for one in reversed(self.openings) if one.idea == idea and evidence in one.versions)
        return next(found, None)

    def with_opening(self, opening: Opening) -> Holdout:
        """Returns it with one opening more, or with an abandoned one that is judged after all."""
        paid = self.find(opening.idea, opening.evidence)
        if paid is None or paid.decision != ABANDONED:
            return replace(self, openings=(*self.openings, opening))
        return replace(self, openings=tuple(opening if one is paid else one for one in self.openings))

    def seen(self, marks: Sequence[Mark]) -> int:
        """How many of some periods lie within it; all of them, where they are told in another way."""
        if any(type(mark) is not type(self.first) for mark in marks):
            return len(marks)
        return sum(self.first <= mark <= self.last for mark in marks)  # type: ignore[operator]

    def stretched(self, marks: Sequence[Mark]) -> Holdout:
        """Returns it with its ends where these periods are judged on it too."""
        if self.seen(marks) == len(marks):
            return replace(self, periods=len(marks))
        ends = [self.first, self.last, *marks]
        return replace(self, first=min(ends), last=max(ends), periods=len(marks))

    @property
    def change(self) -> Change:
        """What has to be written, as the version after the one that was read."""
        body = asdict(self) | {"openings": [asdict(one) for one in self.openings]}
        del body["version"]
        return Change(kind=KIND, key=self.key, body=body, expect=self.version)

    @property
    def retirement(self) -> str:
        """When it retires, or why it has, and when the next one can begin."""
        if not self.is_retired:
            left = self.planned - self.ideas
            return f"after {left} more idea{'' if left == 1 else 's'}"
        begins = (
            f"with {self.periods:,} sealed periods as now, {math.ceil(UNSEEN * self.periods):,} periods later"
            if self.is_sealed
            else "seal them with Problem(holdout=...)"
        )
        return (
            f"retired after {self.ideas} of {self.planned} planned ideas; the next history begins once {UNSEEN:.0%} of what "
            f"is judged is newer than {self.last}: {begins}"
        )


def marks_of(periods: pl.Series) -> list[Mark]:
    """Periods as a record can hold them, each once and in order.

    >>> marks_of(pl.Series([3, 1, 3]))
    [1, 3]
    """
    found = periods.unique().drop_nulls().sort().to_list()
    return [one if isinstance(one, int) else str(one) for one in found]


def read_holdouts(project: Project, problem: str | None = None) -> list[Holdout]:
    """All ledgers, or those of one problem, by problem and the oldest first."""
    found = [_read(record) for record in project.records.find(KIND)]
    kept = [one for one in found if problem in (None, one.problem)]
    return sorted(kept, key=lambda one: (one.problem, one.n))


def holdout_for(
    earlier: Sequence[Holdout],
    problem: str,
    marks: Sequence[Mark],
    *,
    planned: int,
    is_sealed: bool,
    alpha: float = 0.05,
) -> Holdout:
    """The ledger on which evidence over these periods is judged: the newest one, or a new one where enough is unseen.

    A new one begins only where at least four fifths of the periods lie outside every earlier one.
    """
    unseen = sum(not any(one.seen([mark]) for one in earlier) for mark in marks)
    if earlier and (unseen < UNSEEN * len(marks) or not marks):
        return earlier[-1].stretched(marks)
    ends = (marks[0], marks[-1]) if marks else (0, 0)
    return Holdout(
        problem=problem,
        n=len(earlier) + 1,
        first=ends[0],
        last=ends[1],
        periods=len(marks),
        planned=planned,
        alpha=alpha,
        is_sealed=is_sealed,
    )


def _read(record: Record) -> Holdout:
    openings = tuple(Opening.from_dict(one) for one in record.body["openings"])
    return Holdout(**{**record.body, "openings": openings, "version": record.version})
