"""The backlog: ideas that are not over, ranked by expected value over cost, by what the squad's own ideas came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import mean, median
from typing import Any

import numpy as np

from shipworthy.analysis.analyse import read_analysis
from shipworthy.analysis.decision import Decision
from shipworthy.analysis.verdicts import Verdict
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.register import list_ideas
from shipworthy.programme.claims import Claims, claims_of
from shipworthy.programme.course import Course, courses
from shipworthy.programme.rates import DRAWS, SEED, Rates, rates_of
from shipworthy.programme.standup import Stands, is_open, places
from shipworthy.programme.terms import Terms, expected_a_year, terms_of
from shipworthy.project import Project, Stage

EFFORT_DAYS = 10.0
"""What an idea is taken to cost in person-days where no idea of the squad says."""

LEFT: Mapping[Stage, float] = {
    Stage.IDEA: 1.0,
    Stage.DATA: 1.0,
    Stage.RESEARCH: 0.75,
    Stage.ANALYSIS: 0.25,
    Stage.SHIP: 0.25,
}
"""The share of an idea's cost that is still to be spent at a stage: what is spent says nothing of what to do next."""

_MEASURED_SHARE, _MEASURED_SD = 1.0, 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What is needed of an idea to rank it.

    Attributes:
        number: Its number.
        stage: Where it stands.
        gain: What it is expected to gain a year, should it ship: low, likely, high.
        effort: Person-days for all of it.
        cost: Money besides.
        measured: Whether the gain was measured by a verdict, and is no claim.
    """

    number: int
    stage: Stage
    gain: tuple[float, float, float]
    effort: float
    cost: float = 0.0
    measured: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What working on an idea is worth.

    Attributes:
        to_ship: How probable it is that it ships and stays.
        gain: What it gains a year, should it ship, as far as claims come true.
        days: Days until it would earn, by the squad's own times.
        value: What it is expected to earn within a year from today.
        low: Lower end of the 90 % interval of that expectation.
        high: Upper end.
        cost: What is still to be spent: money, or person-days where no day rate is set.
        ratio: The value over the cost.
        in_money: Whether the cost is money; else it is person-days.
    """

    to_ship: float
    gain: float
    days: float
    value: float
    low: float
    high: float
    cost: float
    ratio: float
    in_money: bool = False

    def cost_says(self, currency: str) -> str:
        """The cost with its unit."""
        return Terms(currency).says(self.cost) if self.in_money else f"{self.cost:,.3g} days"

    def ratio_says(self, currency: str) -> str:
        """The value over the cost with its unit."""
        return f"{self.ratio:,.3g}" if self.in_money else f"{Terms(currency).says(self.ratio)} a day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An idea in the backlog.

    Attributes:
        project: The space of its project.
        squad: Its squad.
        idea: Its number.
        title: Its title.
        problem: Its problem.
        owner: Who answers for it.
        stage: Where it stands.
        currency: The currency of all money.
        worth: What working on it is worth; None where nobody knows what it would gain.
        why: Why it stands where it stands, in sentences.
    """

    project: str
    squad: str
    idea: int
    title: str
    problem: str
    owner: str
    stage: str
    currency: str
    worth: Worth | None
    why: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "why": list(self.why)}


def worth(candidate: Candidate, rates: Rates, claims: Claims, *, day_rate: float = 0.0) -> Worth:
    """What working on an idea is worth.

    Value is what it earns within a year from today: the probability that it ships, times its gain a year, times the share of the
    year that is left once it is live. Gains are drawn from a triangle, rates and shares from their posteriors.
    """
    low, likely, high = candidate.gain
    share, sd = (_MEASURED_SHARE, _MEASURED_SD) if candidate.measured else (claims.share, claims.sd)
    days = rates.days_to(candidate.stage, "live")
    earning = max(0.0, 1.0 - days / 365.0)
    to_ship = rates.to_ship(candidate.stage)
    gain = share * (low + likely + high) / 3.0
    rng = np.random.default_rng([SEED, candidate.number])
    gains = rng.triangular(low, likely, high, DRAWS) if low < high else np.full(DRAWS, likely)
    drawn = rates.drawn(candidate.stage) * gains * np.maximum(0.0, rng.normal(share, sd, DRAWS)) * earning
    ends = np.quantile(drawn, (0.05, 0.95))
    left = LEFT[candidate.stage]
    cost = max(left * (candidate.effort * (day_rate or 1.0) + (candidate.cost if day_rate else 0.0)), 1e-9)
    value = to_ship * gain * earning
    return Worth(
        to_ship=to_ship,
        gain=gain,
        days=days,
        value=value,
        low=float(ends[0]),
        high=float(ends[1]),
        cost=cost,
        ratio=value / cost,
        in_money=bool(day_rate),
    )


def backlog(
    projects: Sequence[Project],
    *,
    ledger: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    stands: Callable[[Project], Iterable[Stands]] = places,
) -> list[Line]:
    """The ideas that are not over, the best first; each is held against its own squad's ideas.

    Args:
        projects: The projects.
        ledger: By a project's space the lines of its ledger, as `Line.to_dict` gives them: what claims came to. Without it,
            claims are held against what verdicts measured.
        stands: Gives where the ideas of a project stand.
    """
    lines: list[Line] = []
    for squad in sorted({project.squad for project in projects}):
        mine = [project for project in projects if project.squad == squad]
        lines += _of_squad(mine, ledger or {}, stands)
    return sorted(lines, key=lambda line: (-(line.worth.ratio if line.worth else -1.0), line.project, line.idea))


def _of_squad(
    projects: Sequence[Project],
    ledger: Mapping[str, Sequence[Mapping[str, Any]]],
    stands: Callable[[Project], Iterable[Stands]],
) -> list[Line]:
    terms = {project.space: terms_of(project) for project in projects}
    ideas = {project.space: {idea.number: idea for idea in list_ideas(project)} for project in projects}
    found: list[Course] = [course for project in projects for course in courses(project).values()]
    rates = rates_of(found)
    verdicts = {project.space: _verdicts(project) for project in projects}
    measured = {space: {number: _a_year(found) for number, found in own.items()} for space, own in verdicts.items()}
    shipped = {
        space: {number: _a_year(found) for number, found in own.items() if found.decision is Decision.SHIP}
        for space, own in verdicts.items()
    }
    expected = {
        (space, number): gain
        for space, own in ideas.items()
        for number, idea in own.items()
        if (gain := expected_a_year(idea, terms[space].get(idea.problem, Terms()))) is not None
    }
    claims = _claims(expected, shipped, ledger)
    efforts = [effort for own in ideas.values() for idea in own.values() if (effort := idea.effort)]
    usual_effort = median(efforts) if efforts else EFFORT_DAYS
    usual_gain = tuple(mean(gain[i] for gain in expected.values()) for i in range(3)) if expected else None
    lines = []
    for project in projects:
        for one in filter(is_open, stands(project)):
            idea = ideas[project.space].get(one.number)
            if idea is None:
                continue
            known = terms[project.space].get(idea.problem, Terms())
            gain, why = _gain(idea, expected.get((project.space, idea.number)), measured[project.space], usual_gain)
            effort = idea.effort
            if effort is None:
                why.append(
                    f"Nobody said what it takes, so {usual_effort:g} person-days, the squad's median, are taken."
                )
            found_worth = None
            if gain is not None:
                candidate = Candidate(
                    number=idea.number,
                    stage=one.stage,
                    gain=gain,
                    effort=effort or usual_effort,
                    cost=idea.cost or 0.0,
                    measured=idea.number in measured[project.space],
                )
                found_worth = worth(candidate, rates, claims, day_rate=float(project.settings["programme"]["day_rate"]))
                why = _why(candidate, found_worth, rates, claims, known) + why
            lines.append(
                Line(
                    project=project.space,
                    squad=project.squad,
                    idea=idea.number,
                    title=idea.title,
                    problem=idea.problem,
                    owner=idea.owner,
                    stage=str(one.stage),
                    currency=known.currency,
                    worth=found_worth,
                    why=tuple(why),
                )
            )
    return lines


def _gain(
    idea: Idea,
    expected: tuple[float, float, float] | None,
    measured: Mapping[int, tuple[float, float, float]],
    usual: tuple[float, ...] | None,
) -> tuple[tuple[float, float, float] | None, list[str]]:
    """What an idea gains a year, and what has to be said of that."""
    if idea.number in measured:
        return measured[idea.number], []
    if expected is not None:
        return expected, []
    if usual is not None:
        return (usual[0], usual[1], usual[2]), [
            "Nobody said what it would gain, so the mean of the squad's ideas is taken."
        ]
    return None, ["Nobody said what it, or any other idea of the squad, would gain: write expected_gain under [worth]."]


def _verdicts(project: Project) -> dict[int, Verdict]:
    """By idea the verdict that measured a gain a year with an interval, whatever it decides."""
    found = {int(record.key): read_analysis(record).verdict for record in project.records.find("verdict")}
    return {
        number: verdict
        for number, verdict in found.items()
        if verdict.criteria.units_per_year and np.isfinite(verdict.high - verdict.low)
    }


def _a_year(verdict: Verdict) -> tuple[float, float, float]:
    year = verdict.per_year()
    return year.low, year.gain, year.high


def _claims(
    expected: Mapping[tuple[str, int], tuple[float, float, float]],
    shipped: Mapping[str, Mapping[int, tuple[float, float, float]]],
    ledger: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Claims:
    """How far claims came true: by the ledger where it has any, else by what verdicts to ship measured."""
    realised = [
        (expected[space, line["idea"]][1], line["realised"]["gain"] * line["periods_per_year"])
        for space, lines in ledger.items()
        for line in lines
        if line.get("realised") and (space, line["idea"]) in expected
    ]
    if realised:
        return claims_of(realised, "realised")
    known = [
        (gain[1], shipped[space][number][1]) for (space, number), gain in expected.items() if number in shipped[space]
    ]
    return claims_of(known, "measured")


def _why(candidate: Candidate, found: Worth, rates: Rates, claims: Claims, terms: Terms) -> list[str]:
    tried = candidate.stage is Stage.SHIP
    counted, did = (
        (rates.of[Stage.SHIP], "tried that stayed") if tried else (rates.of[Stage.ANALYSIS], "judged to ship")
    )
    says = [
        f"{found.to_ship:.0%} of ideas at this stage ship and stay, going by {counted.passed} of {counted.of} {did}."
    ]
    if candidate.measured:
        says.append(f"Its verdict measured {terms.says(found.gain)} a year.")
    else:
        by = f", as {claims.ideas} of the squad's ideas were {claims.source}" if claims.ideas else ""
        says.append(f"Expected {terms.says(candidate.gain[1])} a year, of which {claims.share:.0%} is believed{by}.")
    says.append(f"It would earn in about {found.days:.0f} days; {terms.says(found.value)} within a year from today.")
    return says
