"""The programme: over all ideas, what they were to earn and earned, how many ship, and how long each stage takes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from shipworthy.data.holdout import read_holdouts
from shipworthy.programme.course import MILESTONES, Course
from shipworthy.programme.facts import Facts
from shipworthy.programme.place import Stands
from shipworthy.programme.rates import between
from shipworthy.project import Project, Stage
from shipworthy.ship.rollout import Phase
from shipworthy.statistics import Calibration
from shipworthy.statistics.calibration import calibration
from shipworthy.statistics.proportion import Proportion

_FORECAST_WIDTH, _REALISED_WIDTH = 2.0 * 1.6449, 2.0 * 1.9600
_Z = 1.9600
_NAMES: Mapping[str, str] = {
    "testable": "data",
    "replayed": "research",
    "judged": "analysis",
    "tried": "ship",
    "live": "trial",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What shipped ideas come to in one currency, a year.

    Attributes:
        currency: The currency.
        ideas: How many ideas.
        forecast: What they were forecast to earn a year, together.
        forecast_low: Lower end of its 95 % interval.
        forecast_high: Upper end.
        realised_ideas: How many of them have an interval of what came in.
        realised: What those come to a year at the rate that was realised; None where there is none.
        realised_low: Lower end of its 95 % interval.
        realised_high: Upper end.
        earned: What came in so far.
    """

    currency: str
    ideas: int
    forecast: float
    forecast_low: float
    forecast_high: float
    realised_ideas: int
    realised: float | None
    realised_low: float | None
    realised_high: float | None
    earned: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """How long a stage takes, in days, of the ideas that came through it.

    Attributes:
        stage: The stage.
        ideas: How many came through.
        quarter: So long took the quickest quarter at most.
        median: So long took half of them at most.
        three_quarters: So long took three quarters at most.
    """

    stage: str
    ideas: int
    quarter: float | None
    median: float | None
    three_quarters: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What is spent of a problem's budget of errors.

    Attributes:
        project: The space of its project.
        problem: The problem.
        ideas: Ideas that were tried on its newest history.
        planned: Ideas that it is planned for.
        spent: The share that is spent.
        retirement: When that history retires, in words.
    """

    project: str
    problem: str
    ideas: int
    planned: int
    spent: float
    retirement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """All ideas of some projects.

    Attributes:
        ideas: How many there are.
        per_stage: How many stand at each stage, and of those that are done with, how each ended.
        testable: Of the ideas whose data were asked, how many can be tested.
        shipping: The hit rate: of the ideas that were judged, how many are to ship.
        staying: Of the ideas whose trial is over, how many stayed.
        cycles: How long each stage takes, and all of it up to the verdict.
        money: Forecast against realised, by currency; empty without the ledger.
        calibration: How the forecasts hold together; None for fewer than five.
        budgets: What is spent of each problem's budget of errors.
    """

    ideas: int
    per_stage: Mapping[str, int]
    testable: Proportion
    shipping: Proportion
    staying: Proportion
    cycles: tuple[Cycle, ...]
    money: tuple[Money, ...]
    calibration: Calibration | None
    budgets: tuple[Spent, ...]

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        shares = {name: {**asdict(one), "share": one.share} for name, one in self._rates.items()}
        return {**asdict(self), **shares}

    @property
    def _rates(self) -> Mapping[str, Proportion]:
        return {"testable": self.testable, "shipping": self.shipping, "staying": self.staying}


def programme(facts: Sequence[Facts], *, ledger: Mapping[str, Sequence[Mapping[str, Any]]] | None = None) -> Programme:
    """The statistics of all ideas of some projects.

    Args:
        facts: What is known of each project.
        ledger: By a project's space the lines of its ledger, as `Line.to_dict` gives them; without it there is no money.
    """
    found = [course for one in facts for course in one.courses()]
    per_stage = Counter(_standing(idea) for one in facts for idea in one.stands())
    asked = [one for one in found if one.testable is not None]
    judged = [one for one in found if one.decision not in (None, "invalid")]
    tried = [one for one in found if one.phase is not None and (one.was_live or one.phase.is_over)]
    lines = [line for one in facts for line in (ledger or {}).get(one.project.space, ())]
    return Programme(
        ideas=sum(per_stage.values()),
        per_stage={name: per_stage[name] for name in (*map(str, Stage), *_ENDS) if per_stage[name]},
        testable=Proportion.counted(sum(one.testable is True for one in asked), len(asked)),
        shipping=Proportion.counted(sum(one.decision == "ship" for one in judged), len(judged)),
        staying=Proportion.counted(
            sum(one.was_live and one.phase is not Phase.ROLLED_BACK for one in tried), len(tried)
        ),
        cycles=tuple(_cycles(found)),
        money=tuple(_money(lines)),
        calibration=_calibration(lines),
        budgets=tuple(_budgets(one.project for one in facts)),
    )


_ENDS = ("live", "was live", "rolled back", "retired", "stopped")


def _standing(one: Stands) -> str:
    """Where an idea is counted: at its stage, or how it ended."""
    if one.says.startswith("stop"):
        return "stopped"
    return one.says if one.says in _ENDS else str(one.stage)


def _cycles(found: Sequence[Course]) -> Iterable[Cycle]:
    for before, milestone in pairwise(MILESTONES):
        yield _cycle(_NAMES[milestone], between(found, before, milestone))
    yield _cycle("idea to verdict", between(found, "begun", "judged"))
    yield _cycle("idea to live", between(found, "begun", "live"))


def _cycle(stage: str, days: Sequence[float]) -> Cycle:
    quarters = [float(day) for day in np.quantile(days, (0.25, 0.5, 0.75))] if days else [None, None, None]
    return Cycle(stage=stage, ideas=len(days), quarter=quarters[0], median=quarters[1], three_quarters=quarters[2])


def _money(lines: Sequence[Mapping[str, Any]]) -> Iterable[Money]:
    """Sums by currency; errors of ideas are taken as independent, so their squares add up."""
    for currency in sorted({line["currency"] for line in lines}):
        mine = [line for line in lines if line["currency"] == currency]
        forecast = [(line["forecast"], line["periods_per_year"], _FORECAST_WIDTH) for line in mine]
        came = [
            (line["realised"], line["periods_per_year"], _REALISED_WIDTH) for line in mine if _bounded(line["realised"])
        ]
        expected, expected_low, expected_high = _sum(forecast)
        realised: tuple[float | None, ...] = _sum(came) if came else (None, None, None)
        yield Money(
            currency=currency,
            ideas=len(mine),
            forecast=expected,
            forecast_low=expected_low,
            forecast_high=expected_high,
            realised_ideas=len(came),
            realised=realised[0],
            realised_low=realised[1],
            realised_high=realised[2],
            earned=math.fsum(line["earned"] for line in mine),
        )


def _bounded(gain: Mapping[str, Any] | None) -> bool:
    """Whether a gain has an interval; an open end stands as null, or as infinity."""
    return gain is not None and all(gain[end] is not None and math.isfinite(gain[end]) for end in ("low", "high"))


def _sum(gains: Iterable[tuple[Mapping[str, Any], float, float]]) -> tuple[float, float, float]:
    total, variance = 0.0, 0.0
    for gain, a_year, width in gains:
        total += gain["gain"] * a_year
        if _bounded(gain):
            variance += ((gain["high"] - gain["low"]) / width * a_year) ** 2
    half = _Z * math.sqrt(variance)
    return total, total - half, total + half


def _calibration(lines: Sequence[Mapping[str, Any]]) -> Calibration | None:
    known = [line for line in lines if _bounded(line["realised"]) and _bounded(line["forecast"])]
    forecast, realised = ([line[name] for line in known] for name in ("forecast", "realised"))
    return calibration(
        [one["gain"] for one in forecast],
        [(one["high"] - one["low"]) / _FORECAST_WIDTH for one in forecast],
        [one["gain"] for one in realised],
        [(one["high"] - one["low"]) / _REALISED_WIDTH for one in realised],
    )


def _budgets(projects: Iterable[Project]) -> Iterable[Spent]:
    for project in projects:
        newest = {found.problem: found for found in read_holdouts(project)}
        for problem, found in newest.items():
            yield Spent(
                project=project.space,
                problem=problem,
                ideas=found.ideas,
                planned=found.planned,
                spent=found.spent,
                retirement=found.retirement,
            )
