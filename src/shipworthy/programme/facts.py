"""What is known of all ideas of a project together, kept current from the feed of its records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock

from shipworthy.analysis.analyse import read_analysis
from shipworthy.analysis.decision import Decision
from shipworthy.analysis.gain import Gain
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.register import numbered_ideas
from shipworthy.programme.course import Course, went_on
from shipworthy.programme.happening import Happening, Teller, records_from
from shipworthy.programme.place import Stands, places
from shipworthy.programme.terms import Terms, terms_in
from shipworthy.project import Project
from shipworthy.project.clock import now
from shipworthy.store import Record, feed

_KEPT = timedelta(weeks=5)
"""For so long what happened is kept at hand, and a little longer than boards ask; earlier times are read from the feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the newest verdict of an idea measured.

    Attributes:
        decision: What it decides.
        year: The gain a year, with its interval.
        currency: In which money.
        step: What that gain is rounded to, wherever it is told.
    """

    decision: Decision
    year: Gain
    currency: str
    step: float


class Facts:
    """What a project's records say of all its ideas together; asking again costs what was recorded since.

    Attributes:
        project: The project.
        ideas: Gives its ideas by number.
        stands: Gives where each of them stands.
    """

    def __init__(
        self,
        project: Project,
        *,
        ideas: Callable[[], Mapping[int, Idea]] | None = None,
        stands: Callable[[], Iterable[Stands]] | None = None,
    ) -> None:
        """Reads nothing yet; a board hands in its cards, which know ideas and where they stand."""
        self.project = project
        self.ideas = ideas or (lambda: numbered_ideas(project))
        self.stands = stands or (lambda: places(project))
        self._courses: dict[int, Course] = {}
        self._measured: dict[int, Measured] = {}
        self._terms: dict[str, Terms] = {}
        self._happened: list[Happening] = []
        self._kept_from = now() - _KEPT
        self._seq = 0
        self._lock = RLock()

    def courses(self) -> Sequence[Course]:
        """How each idea went that a record speaks of."""
        with self._current():
            return list(self._courses.values())

    def measured(self) -> Mapping[int, Measured]:
        """By idea what its newest verdict measured, where that has an interval and a year can be reckoned."""
        with self._current():
            return dict(self._measured)

    def terms(self) -> Mapping[str, Terms]:
        """By problem in which money it is counted, as its newest locked idea says."""
        with self._current():
            return dict(self._terms)

    def happened(self, since: datetime) -> Sequence[Happening]:
        """What happened at an instant or later, the oldest first."""
        if since < self._kept_from:
            teller = Teller(self.project, self.ideas)
            told = (teller.told(record) for record in records_from(self.project.records, since))
            return [one for one in told if one is not None]
        with self._current():
            return [one for one in self._happened if one.at >= since]

    def _current(self) -> RLock:
        """The lock, with which everything recorded so far is known."""
        with self._lock:
            teller = Teller(self.project, self.ideas)
            for record in feed(self.project.records, self._seq):
                self._note(record, teller)
                self._seq = record.seq
            self._forget()
        return self._lock

    def _forget(self) -> None:
        kept_from = now() - _KEPT
        if self._happened and self._happened[0].at < kept_from:
            self._kept_from = kept_from
            self._happened = [one for one in self._happened if one.at >= kept_from]

    def _note(self, record: Record, teller: Teller) -> None:
        course = went_on(self._courses, record)
        if course is not None:
            self._courses[course.idea] = course
        if record.kind == "idea":
            self._terms |= terms_in(record)
        elif record.kind == "verdict":
            measured = _measured(record)
            self._measured.pop(int(record.key), None)
            self._measured |= {int(record.key): measured} if measured else {}
        if record.at >= self._kept_from:
            told = teller.told(record)
            self._happened += [told] if told else []


def _measured(record: Record) -> Measured | None:
    found = read_analysis(record)
    verdict = found.verdict
    if verdict.probability_of_harm is None or not verdict.criteria.units_per_year:
        return None
    year, step = verdict.per_year(), verdict.step_of_year()
    return Measured(decision=verdict.decision, year=year, currency=found.currency, step=step)
