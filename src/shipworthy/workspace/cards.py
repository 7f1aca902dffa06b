"""Cards: what a board shows of every idea, kept current from the feed of the project's records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from threading import RLock, Thread
from time import monotonic
from typing import Any

from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.register import find_idea, readable_ideas
from shipworthy.project import Gap, Project, Stage
from shipworthy.ship.standing import standing
from shipworthy.store import Record
from shipworthy.workspace.bulk import in_bulk
from shipworthy.workspace.expected import Expected, expected_of

_ABOUT_IDEAS = ("idea", "data", "research", "verdict", "override", "signoff", "comment", "rollout")
"""The kinds of record that change what a card shows; but for the rollout's, their keys are those of ideas."""

_MANY = 50
"""From so many cards on records are read in bulk."""

_REST = 10.0
"""So many times as long as looking at all files took they are not looked at again: ten thousand take a while, ten none."""

_QUICK_S = 0.02
"""What took longer than this the last time, no question waits for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a board shows of an idea.

    Attributes:
        number: Its number.
        title: Its title.
        problem: Its problem.
        owner: Who answers for it.
        deadline: Until when; None where nobody said.
        stage: The stage whose work is to be done, or was done last.
        says: Where it stands there, in a word or two.
        gaps: What its gate still misses.
        next: The command to type; None where only somebody's thought helps.
        expected: What it is expected to earn; None where nobody says.
        seq: The newest record about it; it is the card's version.
        at: When that was written.
    """

    number: int
    title: str
    problem: str
    owner: str
    deadline: date | None
    stage: Stage
    says: str
    gaps: Sequence[Gap]
    next: str | None
    expected: Expected | None
    seq: int
    at: datetime | None


class Cards:
    """The cards of a project; reading them costs what changed since they were read last.

    Attributes:
        troubles: Why ideas have no card: a file of theirs that cannot be read, each in a sentence.
    """

    def __init__(self, project: Project) -> None:
        """Names the project; its records are read at the first question."""
        self.troubles: list[str] = []
        self._project = project
        self._cards: dict[int, Card] = {}
        self._ideas: dict[int, Idea] = {}
        self._newest: dict[int, tuple[int, datetime | None]] = {}
        self._terms: dict[str, Mapping[str, Any]] = {}
        self._due: set[int] = set()
        self._seq = -1
        self._look_again = 0.0
        self._look_took_s = 0.0
        self._is_looking = False
        self._lock = RLock()

    @property
    def seq(self) -> int:
        """The newest record that the cards know of."""
        return max(self._seq, 0)

    def all(self) -> Sequence[Card]:
        """Every card, by number, as of now."""
        with self._lock:
            self._refresh()
            return [self._cards[number] for number in sorted(self._cards)]

    def ideas(self) -> Mapping[int, Idea]:
        """The ideas themselves, by number, as of now."""
        with self._lock:
            self._refresh()
            return dict(self._ideas)

    def get(self, number: int) -> Card:
        """One card, as of now.

        Raises:
            NotFoundError: there is no such idea.
        """
        with self._lock:
            self._refresh()
            if number not in self._cards:
                raise NotFoundError.among("idea", number, self._cards)
            return self._cards[number]

    def changed(self, seq: int) -> tuple[int, Sequence[Card]]:
        """The newest record there is, and the cards that records after a given one are about; cheap where there are none."""
        with self._lock:
            if self._seq <= seq and self._project.records.head().seq <= seq:
                return seq, ()
            self._refresh()
            return self._seq, [card for card in self._cards.values() if card.seq > seq]

    def _refresh(self) -> None:
        project = self._project
        if self._seq < 0:
            head, project = project.records.head().seq, in_bulk(project)
            self._look()
            newest = (record for kind in _ABOUT_IDEAS for record in project.records.find(kind))
            self._touched(sorted(newest, key=lambda record: record.seq))
            self._seq = head  # last: after an error all is asked again
        elif monotonic() >= self._look_again:
            self._look_soon()
        while records := self._project.records.since(self._seq):
            self._read_again({int(record.key) for record in records if record.kind == "idea"})
            self._due |= self._touched(records)
            self._seq = records[-1].seq
        self._due &= self._ideas.keys()
        if len(self._due) > _MANY and project is self._project:
            project = in_bulk(project)
        for number in sorted(self._due):
            self._cards[number] = self._card(project, self._ideas[number])
            self._due.discard(number)
        for number in self._cards.keys() - self._ideas.keys():
            del self._cards[number]

    def _look_soon(self) -> None:
        """Looks at the files of all ideas: at once, or where that took long the last time, behind the question."""
        if self._look_took_s < _QUICK_S:
            self._look()
        elif not self._is_looking:
            self._is_looking = True
            Thread(target=self._look_behind, name="looking at files of ideas", daemon=True).start()

    def _look_behind(self) -> None:
        try:
            seq, begun = self._seq, monotonic()
            found = readable_ideas(self._project)
            took_s = monotonic() - begun
            with self._lock:
                self._take(*found, took_s)
                if self._seq > seq:  # what was recorded meanwhile may be newer than what was read
                    self._look_again, rested = 0.0, self._look_again
                    meanwhile = self._project.records.since(seq, self._seq - seq)
                    self._read_again({int(record.key) for record in meanwhile if record.kind == "idea"})
                    self._look_again = rested
        finally:
            self._is_looking = False

    def _look(self) -> None:
        begun = monotonic()
        found = readable_ideas(self._project)
        self._take(*found, monotonic() - begun)

    def _take(self, readable: Sequence[Idea], refusals: Sequence[InvalidInputError], took_s: float) -> None:
        self.troubles = [str(refusal) for refusal in refusals]
        ideas = {idea.number: idea for idea in readable}
        self._due |= {number for number, idea in ideas.items() if self._ideas.get(number) is not idea}
        self._ideas = ideas
        self._look_took_s = took_s
        self._look_again = monotonic() + _REST * took_s

    def _read_again(self, numbers: Collection[int]) -> None:
        """Reads the ideas that were just recorded, however lately all files were looked at."""
        if len(numbers) > _MANY:
            return self._look()
        for number in numbers:
            try:
                self._ideas[number] = find_idea(self._project, number)
                self._due.add(number)
            except (NotFoundError, InvalidInputError):
                return self._look()
        return None

    def _touched(self, records: Iterable[Record]) -> set[int]:
        """The ideas that records are about; each is the newest one so far."""
        by_problem = _by_problem(self._ideas.values())
        touched: set[int] = set()
        for record in records:
            lock = record.body.get("lock") if record.kind == "idea" else None
            if lock:
                self._terms[lock["criteria"]["problem"]] = lock["criteria"]
            about = _numbers(record, by_problem)
            self._newest.update(dict.fromkeys(about, (record.seq, record.at)))
            touched |= set(about)
        return touched

    def _card(self, project: Project, idea: Idea) -> Card:
        stands = standing(project, idea)
        seq, at = self._newest.get(idea.number, (0, None))
        return Card(
            number=idea.number,
            title=idea.title,
            problem=idea.problem,
            owner=idea.owner,
            deadline=idea.deadline,
            stage=stands.stage,
            says=stands.says,
            gaps=stands.gaps,
            next=stands.next,
            expected=expected_of(project, idea, self._terms.get(idea.problem)),
            seq=seq,
            at=at,
        )


def _numbers(record: Record, by_problem: Mapping[str, Sequence[int]]) -> Sequence[int]:
    """The ideas that a record is about."""
    if record.kind == "rollout":
        return by_problem.get(record.key, ())
    if record.kind == "job":
        given = record.body.get("given")
        number = given.get("number") if isinstance(given, Mapping) else None
        return [number] if isinstance(number, int) else []
    return [int(record.key)] if record.kind in _ABOUT_IDEAS else []


def _by_problem(ideas: Iterable[Idea]) -> Mapping[str, Sequence[int]]:
    found: dict[str, list[int]] = {}
    for idea in ideas:
        found.setdefault(idea.problem, []).append(idea.number)
    return found
