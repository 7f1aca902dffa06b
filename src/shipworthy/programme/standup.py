"""The standup: what moved since yesterday, what waits for whom, and what is at risk in money."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from shipworthy.analysis.analyse import read_analysis
from shipworthy.errors import InvalidInputError
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.register import list_ideas
from shipworthy.live.watch.book import open_alerts
from shipworthy.programme.happening import Happening, Teller, records_from
from shipworthy.programme.terms import Terms, expected_a_year, terms_of
from shipworthy.project import Gap, Project, Stage
from shipworthy.project.clock import now, read_instant
from shipworthy.ship.rollout import Phase
from shipworthy.ship.standing import standing

NEAR_DAYS = 7
"""From how many days before its end on a deadline is told of."""

_OVER = {str(Phase.ROLLED_BACK), str(Phase.RETIRED), "live", "was live", "stop", "stop, overridden"}
_WHO: Mapping[Stage, str] = {
    Stage.IDEA: "product manager",
    Stage.DATA: "analyst",
    Stage.RESEARCH: "data scientist",
    Stage.ANALYSIS: "analyst",
    Stage.SHIP: "ml engineer",
}
"""Whose turn it is at a stage, where no gap names a role."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits for somebody, or is at risk.

    Attributes:
        project: The space of its project.
        says: A sentence.
        whom: For whom it waits: a role, or who answers for the idea.
        idea: The idea that it is about; None where it is about a problem.
        problem: Its problem.
        money: What it is about, in money a year; None where no money can be named.
        currency: The currency of that.
        next: The command to type; None where only somebody's thought helps.
        deadline: Until when; None where nobody said.
    """

    project: str
    says: str
    whom: str
    idea: int | None
    problem: str
    money: float | None = None
    currency: str = ""
    next: str | None = None
    deadline: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standup:
    """What a squad says in the morning; in each part what is about the most money comes first.

    Attributes:
        since: From when on it tells what moved.
        at: When it was asked for.
        moved: What happened.
        waits: What waits for whom.
        at_risk: What may cost money.
        unwatched: The problems on which something is rolled out and no watch has reported; each names its project if several.
    """

    since: datetime
    at: datetime
    moved: tuple[Happening, ...]
    waits: tuple[Waiting, ...]
    at_risk: tuple[Waiting, ...]
    unwatched: tuple[str, ...] = ()

    @property
    def no_risk(self) -> str:
        """What is said where nothing is at risk: silence of a watch that has not reported is no good news."""
        if not self.unwatched:
            return "Nothing is known to be at risk."
        return f"No watch has reported yet on {', '.join(self.unwatched)}, so nothing is known: run `shipworthy watch`."

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        dated = [{**asdict(one), "deadline": one.deadline and one.deadline.isoformat()} for one in self.waits]
        return {
            "since": self.since.isoformat(),
            "at": self.at.isoformat(),
            "moved": [one.to_dict() for one in self.moved],
            "waits": dated,
            "at_risk": [{**asdict(one), "deadline": None} for one in self.at_risk],
            "unwatched": list(self.unwatched),
        }


def since_of(text: str, at: datetime) -> datetime:
    """The instant that "1d", "12h", "2w" before another one is, or that a text says itself.

    Raises:
        InvalidInputError: it says neither.

    >>> since_of("12h", datetime.fromisoformat("2026-01-02T00:00:00+00:00")).isoformat()
    '2026-01-01T12:00:00+00:00'
    """
    span = re.fullmatch(r"([1-9]\d{0,4})([hdw])", text.strip())
    if span is None:
        try:
            return read_instant(text, "--since")
        except InvalidInputError:
            raise InvalidInputError(
                f"--since {text!r} is neither a span, such as 1d, 12h or 2w, nor an instant, such as 2026-11-26T09:30:00Z."
            ) from None
    return at - int(span[1]) * {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}[span[2]]


def places(project: Project) -> list[Place]:
    """Where each idea of a project stands."""
    return [_place(project, idea) for idea in list_ideas(project)]


def standup(
    projects: Sequence[Project],
    since: datetime | None = None,
    *,
    ledger: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    stands: Callable[[Project], Iterable[Stands]] = places,
) -> Standup:
    """Tells what moved, what waits and what is at risk, over some projects.

    Args:
        projects: The projects.
        since: From when on; a day ago, if not given.
        ledger: By a project's space the lines of its ledger, as `Line.to_dict` gives them; without it, what runs below its
            forecast is known only as far as the watch has found it.
        stands: Gives where the ideas of a project stand; a board has that ready.
    """
    at = now()
    start = since or at - timedelta(days=1)
    moved: list[Happening] = []
    waits: list[Waiting] = []
    at_risk: list[Waiting] = []
    unwatched: list[str] = []
    for project in projects:
        teller, terms = Teller(project), terms_of(project)
        told = (teller.told(record) for record in records_from(project.records, start))
        moved += [happening for happening in told if happening is not None]
        worth = _worth(project, terms)
        waits += [_waiting(project, one, terms, worth, at.date()) for one in stands(project) if is_open(one)]
        at_risk += _alerts(project, terms)
        unwatched += [f"{project.space}: {one}" if len(projects) > 1 else one for one in _unwatched(project)]
        at_risk += _behind(project, (ledger or {}).get(project.space, ()))
    return Standup(
        since=start,
        at=at,
        moved=tuple(sorted(moved, key=lambda one: (-abs(one.money or 0.0), -one.at.timestamp()))),
        waits=tuple(
            sorted(waits, key=lambda one: (-(one.money or 0.0), one.deadline or date.max, one.project, one.idea))
        ),
        at_risk=tuple(sorted(at_risk, key=lambda one: -(one.money or 0.0))),
        unwatched=tuple(unwatched),
    )


def _place(project: Project, idea: Idea) -> Place:
    found = standing(project, idea)
    said = {name: getattr(idea, name) for name in ("number", "title", "problem", "owner", "deadline")}
    return Place(**said, stage=found.stage, says=found.says, gaps=found.gaps, next=found.next)


def is_open(one: Stands) -> bool:
    """Whether an idea still waits for something."""
    return one.says not in _OVER


def _worth(project: Project, terms: Mapping[str, Terms]) -> dict[int, tuple[float, str]]:
    """By idea what it is about a year: as judged, else as expected."""
    found: dict[int, tuple[float, str]] = {}
    for idea in list_ideas(project):
        known = terms.get(idea.problem, Terms())
        expected = expected_a_year(idea, known)
        if expected is not None:
            found[idea.number] = (expected[1], known.currency)
    for record in project.records.find("verdict"):
        analysis = read_analysis(record)
        verdict = analysis.verdict
        if verdict.probability_of_harm is not None and verdict.criteria.units_per_year:
            found[int(record.key)] = (verdict.per_year().gain, analysis.currency)
    return found


def _waiting(
    project: Project, one: Stands, terms: Mapping[str, Terms], worth: Mapping[int, tuple[float, str]], today: date
) -> Waiting:
    roles = dict.fromkeys(role for gap in one.gaps if (role := getattr(gap, "role", "")))
    whom = " and ".join(roles) or (one.owner if one.says in {"refused", "inconclusive", "invalid"} else _WHO[one.stage])
    if one.next is not None and one.next.endswith("--second"):
        whom = "a second person"
    why = one.gaps[0].what if one.gaps else "The verdict is to ship it." if one.says == "ship" else f"It is {one.says}."
    money, currency = worth.get(one.number, (None, ""))
    priced = "" if money is None else f" About {terms.get(one.problem, Terms(currency)).says(money)} a year."
    return Waiting(
        project=project.space,
        says=f"Idea {one.number} ({one.title or 'no title yet'}) waits for {whom or 'its owner'}: "
        f"{_sentence(why)}{priced}{_due(one.deadline, today)}",
        whom=whom,
        idea=one.number,
        problem=one.problem,
        money=money,
        currency=currency,
        next=one.next,
        deadline=one.deadline,
    )


def _due(deadline: date | None, today: date) -> str:
    """A deadline that is near or past.

    >>> _due(date(2026, 1, 5), date(2026, 1, 8)), _due(date(2026, 1, 9), date(2026, 1, 8))
    (' Its deadline was 3 days ago.', ' Its deadline is in 1 day.')
    """
    if deadline is None or (deadline - today).days > NEAR_DAYS:
        return ""
    days = (deadline - today).days
    if days == 0:
        return " Its deadline is today."
    counted = f"{abs(days)} day{'' if abs(days) == 1 else 's'}"
    return f" Its deadline is in {counted}." if days > 0 else f" Its deadline was {counted} ago."


def _alerts(project: Project, terms: Mapping[str, Terms]) -> Iterator[Waiting]:
    for record in project.records.find("alert"):
        known = terms.get(record.key, Terms())
        for alert in open_alerts(project, record.key):
            money = alert.money_at_risk
            priced = "" if money is None else f" Up to {known.says(money)} a period is at risk."
            yield Waiting(
                project=project.space,
                says=f"{record.key}: {_sentence(alert.what)}{priced} {alert.do}",
                whom="ml engineer",
                idea=None,
                problem=record.key,
                money=None if money is None else known.a_year(money, "period"),
                currency=known.currency,
            )


def _unwatched(project: Project) -> list[str]:
    """The problems that something is rolled out for and that have no record of a watch, which tells only of what it found."""
    rolled = [record.key for record in project.records.find("rollout")]
    return [problem for problem in rolled if project.records.get("alert", problem) is None]


def _behind(project: Project, lines: Iterable[Mapping[str, Any]]) -> Iterator[Waiting]:
    """Trials that lose beyond doubt, and live ideas that earn less than was forecast."""
    for line in lines:
        realised, forecast = line.get("realised"), line.get("forecast")
        if not realised or not forecast or realised.get("high") is None or line["phase"] in _OVER - {"live"}:
            continue
        known = Terms(line["currency"], line["periods_per_year"])
        found = (
            f"{known.says(realised['gain'])} a period ({known.says(realised['low'])} to {known.says(realised['high'])})"
        )
        if realised["high"] < 0.0:
            lost, why = -realised["gain"], f"loses beyond doubt: {found}"
        elif line["phase"] == "live" and realised["high"] < forecast["gain"]:
            lost, why = (
                forecast["gain"] - realised["gain"],
                f"earns {found}, where {known.says(forecast['gain'])} was forecast",
            )
        else:
            continue
        yield Waiting(
            project=project.space,
            says=f"Idea {line['idea']} ({line['title']}) {why}.",
            whom="product manager",
            idea=line["idea"],
            problem=line["problem"],
            money=known.a_year(lost, "period"),
            currency=line["currency"],
            next=f"shipworthy history {line['problem']}",
        )


def _sentence(text: str) -> str:
    """A text that ends as a sentence does."""
    first = text.strip().partition("\n")[0]
    return first if first.endswith((".", "!", "?")) else f"{first.rstrip(':')}."
