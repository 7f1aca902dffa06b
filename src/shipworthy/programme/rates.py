"""Base rates: how often a squad's ideas pass each stage, as a Beta posterior, and how long that takes them.

A count of k among n ideas with a prior Beta(a, b) has the posterior Beta(a + k, b + n - k) (Gelman et al. 2013, Bayesian Data
Analysis, 2.1). The prior of the verdict is worth three ideas of which one ships: about a third of ideas improve what they were
meant to improve, another third does nothing (Kohavi et al. 2009, Online experimentation at Microsoft). Those of data and of the
trial are worth three ideas of which two pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod
from statistics import median

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from shipworthy.programme.course import MILESTONES, Course
from shipworthy.project import Stage
from shipworthy.ship.rollout import Phase

PRIORS: Mapping[Stage, tuple[float, float]] = {
    Stage.DATA: (2.0, 1.0),
    Stage.ANALYSIS: (1.0, 2.0),
    Stage.SHIP: (2.0, 1.0),
}
"""By the stage that an idea may fail at, what is believed before the squad's own ideas are counted."""

_AHEAD: Mapping[Stage, tuple[Stage, ...]] = {
    Stage.IDEA: (Stage.DATA, Stage.ANALYSIS, Stage.SHIP),
    Stage.DATA: (Stage.DATA, Stage.ANALYSIS, Stage.SHIP),
    Stage.RESEARCH: (Stage.ANALYSIS, Stage.SHIP),
    Stage.ANALYSIS: (Stage.ANALYSIS, Stage.SHIP),
    Stage.SHIP: (Stage.SHIP,),
}
"""What an idea at a stage has still to pass."""

DRAWS, SEED = 2000, 1
"""How often intervals are drawn, and from which seed."""

_DAYS = 14.0
"""How long a stage is taken to last while none of the squad's ideas has passed it."""

_FROM: Mapping[Stage, int] = {Stage.IDEA: 0, Stage.DATA: 0, Stage.RESEARCH: 1, Stage.ANALYSIS: 2, Stage.SHIP: 3}
"""The milestone that an idea at a stage has come to, as a place in `MILESTONES`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How often ideas pass a stage.

    Attributes:
        passed: How many did.
        of: Of how many that are decided.
        mean: The posterior mean.
        low: Lower end of its 90 % interval.
        high: Upper end.
    """

    passed: int
    of: int
    mean: float
    low: float
    high: float

    @classmethod
    def counted(cls, passed: int, of: int, prior: tuple[float, float]) -> Rate:
        """The rate of so many among so many.

        >>> found = Rate.counted(3, 9, (1.0, 2.0))
        >>> round(found.mean, 3), round(found.low, 3), round(found.high, 3)
        (0.333, 0.135, 0.564)
        """
        a, b = prior[0] + passed, prior[1] + of - passed
        ends = (float(betaincinv(a, b, share)) for share in (0.05, 0.95))
        return cls(passed=passed, of=of, mean=a / (a + b), low=next(ends), high=next(ends))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What a squad's own ideas say of the next one.

    Attributes:
        of: By stage how often it is passed.
        days: By milestone the median days from the one before, of the ideas that came to it.
        kept: What was drawn already.
    """

    of: Mapping[Stage, Rate]
    days: Mapping[str, float]
    kept: dict[Stage, NDArray[np.float64]] = field(default_factory=dict, compare=False, repr=False)

    def to_ship(self, stage: Stage) -> float:
        """How probable it is that an idea at a stage ships and stays, by the posterior means."""
        return prod(self.of[one].mean for one in _AHEAD[stage])

    def drawn(self, stage: Stage) -> NDArray[np.float64]:
        """That probability, drawn `DRAWS` times from the posteriors of what lies ahead; the same draws at every call."""
        if stage not in self.kept:
            rng = np.random.default_rng([SEED, *_AHEAD[stage][0].encode()])
            drawn = np.ones(DRAWS)
            for one in _AHEAD[stage]:
                (a, b), rate = PRIORS[one], self.of[one]
                drawn *= rng.beta(a + rate.passed, b + rate.of - rate.passed, DRAWS)
            self.kept[stage] = drawn
        return self.kept[stage]

    def days_to(self, stage: Stage, milestone: str) -> float:
        """The days from where an idea at a stage is to a milestone, by the squad's medians."""
        ahead = MILESTONES[_FROM[stage] + 1 : MILESTONES.index(milestone) + 1]
        return float(sum(self.days[one] for one in ahead))


def rates_of(found: Iterable[Course]) -> Rates:
    """The base rates of some ideas; one that is inconclusive counts as one that did not ship, until it does."""
    ideas = list(found)
    asked = [one for one in ideas if one.testable is not None]
    judged = [one for one in ideas if one.decision is not None and one.decision != "invalid"]
    tried = [one for one in ideas if one.phase is not None and (one.was_live or one.phase.is_over)]
    counts = {
        Stage.DATA: (sum(one.testable is True for one in asked), len(asked)),
        Stage.ANALYSIS: (sum(one.decision == "ship" for one in judged), len(judged)),
        Stage.SHIP: (sum(one.was_live and one.phase is not Phase.ROLLED_BACK for one in tried), len(tried)),
    }
    days = {}
    for before, milestone in pairwise(MILESTONES):
        known = between(ideas, before, milestone)
        days[milestone] = median(known) if known else _DAYS
    return Rates(of={stage: Rate.counted(*counts[stage], PRIORS[stage]) for stage in PRIORS}, days=days)


def between(ideas: Iterable[Course], first: str, last: str) -> Sequence[float]:
    """The days from one milestone to another, of the ideas that came to both, in order."""
    return sorted(days for one in ideas if (days := one.days(first, last)) is not None)
