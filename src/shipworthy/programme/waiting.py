"""What waits for whom, and what is at risk, in money."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from shipworthy.analysis.wording import sentence
from shipworthy.live.watch.book import open_alerts
from shipworthy.programme.facts import Facts
from shipworthy.programme.place import OVER, Stands, is_open
from shipworthy.programme.terms import Terms, expected_a_year, terms_about
from shipworthy.project import Project, Stage
from shipworthy.project.clock import now
from shipworthy.project.role import spoken

NEAR_DAYS = 7
"""From how many days before its end on a deadline is told of."""

_WHO: Mapping[Stage, str] = {
    Stage.IDEA: "product manager",
    Stage.DATA: "analyst",
    Stage.RESEARCH: "data scientist",
    Stage.ANALYSIS: "analyst",
    Stage.SHIP: "ml engineer",
}
"""Whose turn it is at a stage, where no gap names a role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits for somebody, or is at risk.

    Attributes:
        project: The space of its project.
        says: A sentence.
        why: What of that sentence comes after the idea or problem that it names, and for whom it waits.
        whom: For whom it waits: a role, or who answers for the idea.
        idea: The idea that it is about; None where it is about a problem.
        title: The title of that idea.
        problem: Its problem.
        money: What it is about, in money a year; None where no money can be named.
        currency: The currency of that.
        next: The command to type; None where only somebody's thought helps.
        deadline: Until when; None where nobody said.
    """

    project: str
    says: str
    why: str
    whom: str
    idea: int | None
    problem: str
    title: str = ""
    money: float | None = None
    currency: str = ""
    next: str | None = None
    deadline: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """All that waits or is at risk, over some projects; what is about the most money comes first.

    Attributes:
        open: What waits for somebody.
        at_risk: What is at risk.
        unwatched: Problems that something is rolled out for and no watch has reported on; each names its project if several.
    """

    open: tuple[Waiting, ...]
    at_risk: tuple[Waiting, ...]
    unwatched: tuple[str, ...]


def waits(facts: Sequence[Facts], *, ledger: Mapping[str, Sequence[Mapping[str, Any]]] | None = None) -> Waits:
    """Finds what waits and what is at risk.

    Args:
        facts: What is known of each project.
        ledger: By a project's space the lines of its ledger, as `Line.to_dict` gives them; without it, what runs below its
            forecast is known only as far as the watch has found it.
    """
    today = now().date()
    found: list[Waiting] = []
    at_risk: list[Waiting] = []
    unwatched: list[str] = []
    for one in facts:
        project, terms = one.project, one.terms()
        worth = _worth(one, terms)
        found += [
            _waiting(project.space, idea, worth.get(idea.number), today) for idea in one.stands() if is_open(idea)
        ]
        at_risk += _alerts(project, terms)
        at_risk += _behind(project, (ledger or {}).get(project.space, ()))
        unwatched += [f"{project.space}: {name}" if len(facts) > 1 else name for name in unwatched_problems(project)]
    return Waits(
        open=tuple(
            sorted(found, key=lambda one: (-(one.money or 0.0), one.deadline or date.max, one.project, one.idea))
        ),
        at_risk=tuple(sorted(at_risk, key=lambda one: -(one.money or 0.0))),
        unwatched=tuple(unwatched),
    )


def _worth(facts: Facts, terms: Mapping[str, Terms]) -> dict[int, tuple[float, str, float | None]]:
    """By idea what it is about a year, in which currency and rounded to what: as judged, else as expected."""
    found: dict[int, tuple[float, str, float | None]] = {}
    for idea in facts.ideas().values():
        known = terms_about(terms, idea.problem)
        expected = expected_a_year(idea, known)
        if expected is not None:
            found[idea.number] = (expected[1], known.currency, None)
    return found | {number: (one.year.gain, one.currency, one.step) for number, one in facts.measured().items()}


def _waiting(space: str, one: Stands, worth: tuple[float, str, float | None] | None, today: date) -> Waiting:
    roles = dict.fromkeys(role for gap in one.gaps if (role := getattr(gap, "role", "")))
    whom = " and ".join(roles) or (one.owner if one.says in {"refused", "inconclusive", "invalid"} else _WHO[one.stage])
    if one.next is not None and one.next.endswith("--second"):
        whom = "a second person"
    why = one.gaps[0].what if one.gaps else "The verdict is to ship it." if one.says == "ship" else f"It is {one.says}."
    money, currency, step = worth or (None, "", None)
    priced = (
        ""
        if money is None
        else f" About {Terms(currency).says(money, step)} a year{' hoped for' if step is None else ''}."
    )
    says = f"{sentence(why)}{priced}{_due(one.deadline, today)}"
    return Waiting(
        project=space,
        says=f"Idea {one.number} ({one.title or 'no title yet'}) waits for {spoken(whom) or 'its owner'}: {says}",
        why=says,
        whom=whom,
        idea=one.number,
        title=one.title,
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
            says = f"{sentence(alert.what)}{priced} {alert.do}"
            yield Waiting(
                project=project.space,
                says=f"{record.key}: {says}",
                why=says,
                whom="ml engineer",
                idea=None,
                problem=record.key,
                money=None if money is None else known.a_year(money, "period"),
                currency=known.currency,
            )


def unwatched_problems(project: Project) -> list[str]:
    """The problems that something is rolled out for and that have no record of a watch, which tells only of what it found."""
    watched = {record.key for record in project.records.find("alert")}
    return [record.key for record in project.records.find("rollout") if record.key not in watched]


def _behind(project: Project, lines: Iterable[Mapping[str, Any]]) -> Iterator[Waiting]:
    """Trials that lose beyond doubt, and live ideas that earn less than was forecast."""
    for line in lines:
        realised, forecast = line.get("realised"), line.get("forecast")
        if not realised or not forecast or realised.get("high") is None or line["phase"] in OVER - {"live"}:
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
            why=f"It {why}.",
            title=line["title"],
            whom="product manager",
            idea=line["idea"],
            problem=line["problem"],
            money=known.a_year(lost, "period"),
            currency=line["currency"],
            next=f"shipworthy history {line['problem']}",
        )
