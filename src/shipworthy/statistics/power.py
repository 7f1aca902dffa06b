"""What a history can show, before anyone builds a challenger.

A difference series is needed first. In order of preference: placebo challengers (the champion against refits of
itself, or its previous version), an earlier challenger, or, failing both, the champion's regret to perfect foresight.
Its long-run variance is taken at its 80 % upper bound, because the pilot is short too; then the smallest gain that a
verdict over T periods finds with the wanted probability is MDE(T) = (t_nu(1 - tail) + t_nu(power)) sqrt(Omega+ / T),
with nu as the verdict will count it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import chdtri, stdtrit

from shipworthy.statistics.budget import IDEAS_PLANNED, spent_share
from shipworthy.statistics.series import FloatArray
from shipworthy.statistics.spectrum import FEWEST_COSINES, flat_count, long_run_variance, planned_count, refit_cap

_CONFIDENCE = 0.8
_LIKENESS = 0.9
_MOST_PERIODS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    """What a difference series says of the next one.

    Attributes:
        variance: Long-run variance to plan with.
        flat_share: Flat cosines of the pilot over its periods: how many a longer history would allow.
        periods: Periods of the pilot.
        units_variance: Part of the squared standard error that more periods do not shrink (sampled units).
    """

    variance: float
    flat_share: float
    periods: int
    units_variance: float = 0.0

    @classmethod
    def from_differences(cls, series: Sequence[FloatArray]) -> Self:
        """Plans with the influence series of placebos or earlier challengers, shape (periods,) each, mean 0.

        Three are better than one: the median is taken, its degrees of freedom counted as those of one, because
        placebos share their periods.

        >>> draws = np.random.default_rng(0).normal(size=(3, 120))
        >>> round(Pilot.from_differences(list(draws)).variance, 2)
        1.76
        """
        found = [long_run_variance(one) for one in series]
        nu = max(int(np.median([one.nu for one in found])), 1)
        variance = float(np.median([one.variance for one in found]))
        return cls(
            variance=variance * nu / float(chdtri(nu, _CONFIDENCE)),
            flat_share=float(np.median([flat_count(one, one.size - 1) / one.size for one in series])),
            periods=int(np.median([one.size for one in series])),
        )

    @classmethod
    def from_regret(cls, influence: FloatArray, *, likeness: float = _LIKENESS) -> Self:
        """Plans with the champion's regret to perfect foresight, where there has been no challenger at all.

        Args:
            influence: Influence series of the regret, shape (periods,), mean 0.
            likeness: Correlation expected between the champion's regret and a challenger's.

        >>> draws = np.random.default_rng(0).normal(size=120)
        >>> round(Pilot.from_regret(draws).variance, 2)
        0.35
        """
        return cls.from_differences([math.sqrt(2.0 * (1.0 - likeness)) * influence])


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """Whether a history of so many periods can show a gain.

    Attributes:
        periods: Periods of the history.
        smallest_gain: The gain per pair which a single verdict finds with the wanted probability.
        smallest_gain_last_idea: The same for the last idea planned on this history, which gets the smallest share of
            the error budget.
        uplift: The gain that the idea claims.
        ceiling: Mean regret per pair to perfect foresight, the most that any idea can gain; None where it is not known.
        periods_needed: Periods at which the claim can be told from nothing; None where no history would do.
    """

    periods: int
    smallest_gain: float
    smallest_gain_last_idea: float
    uplift: float
    ceiling: float | None
    periods_needed: int | None

    @property
    def is_impossible(self) -> bool:
        """Whether the claim is more than perfect foresight would gain."""
        return self.ceiling is not None and self.uplift > self.ceiling

    @property
    def is_hopeless(self) -> bool:
        """Whether not even perfect foresight could be proven with this history."""
        return self.ceiling is not None and self.smallest_gain > self.ceiling

    @property
    def is_provable(self) -> bool:
        """Whether the claim, if true, would be found (and, if false, be disproved) with the wanted probability."""
        return self.smallest_gain <= self.uplift and not self.is_impossible


def smallest_detectable_gain(
    pilot: Pilot, periods: int, *, alpha: float = 0.05, refit_periods: int = 0, wanted: float = 0.8, ideas: int = 1
) -> float:
    """Returns MDE(T), the gain per pair that a verdict over `periods` finds with probability `wanted`.

    Args:
        pilot: What is known of the differences.
        periods: Periods of the planned history; inf is returned where they cannot give a verdict at all.
        alpha: Two-sided error of the verdict.
        refit_periods: A new fit every so many periods; 0 is a frozen model.
        wanted: Power.
        ideas: Ideas that share the history's error budget; 1 is a verdict of its own.

    >>> pilot = Pilot(variance=1.0, flat_share=1.0, periods=60)
    >>> round(smallest_detectable_gain(pilot, 60), 3), round(smallest_detectable_gain(pilot, 365), 3)
    (0.433, 0.154)
    """
    cap = refit_cap(periods, refit_periods)
    if min(planned_count(periods), cap) < FEWEST_COSINES:
        return math.inf
    nu = max(min(planned_count(periods), int(pilot.flat_share * periods), cap), FEWEST_COSINES)
    tail = alpha / 2.0 * (spent_share(1, ideas) if ideas > 1 else 1.0)
    quantiles = float(stdtrit(nu, 1.0 - tail) + stdtrit(nu, wanted))
    return quantiles * math.sqrt(pilot.variance / periods + pilot.units_variance)


def periods_for(
    pilot: Pilot, uplift: float, *, alpha: float = 0.05, refit_periods: int = 0, wanted: float = 0.8
) -> int | None:
    """Returns the fewest periods whose smallest detectable gain is at most `uplift`; None where no history would do.

    >>> pilot = Pilot(variance=1.0, flat_share=1.0, periods=60)
    >>> periods_for(pilot, 0.2), periods_for(pilot, 0.0)
    (227, None)
    """

    def shows(periods: int) -> bool:
        found = smallest_detectable_gain(pilot, periods, alpha=alpha, refit_periods=refit_periods, wanted=wanted)
        return found <= uplift

    if uplift <= 0.0 or not shows(_MOST_PERIODS):
        return None
    below, enough = 0, _MOST_PERIODS
    while enough - below > 1:
        middle = (below + enough) // 2
        below, enough = (below, middle) if shows(middle) else (middle, enough)
    return enough


def power(
    pilot: Pilot,
    *,
    uplift: float,
    periods: int | None = None,
    ceiling: float | None = None,
    alpha: float = 0.05,
    refit_periods: int = 0,
    ideas: int = IDEAS_PLANNED,
) -> Power:
    """Says whether a history can show the gain that an idea claims.

    Args:
        pilot: What is known of the differences.
        uplift: The gain per pair that the idea claims.
        periods: Periods of the history; the pilot's own by default.
        ceiling: Mean regret per pair to perfect foresight, if known.
        alpha: Two-sided error of the verdict.
        refit_periods: A new fit every so many periods; 0 is a frozen model.
        ideas: Ideas planned on this history.

    >>> found = power(Pilot(variance=1.0, flat_share=1.0, periods=60), uplift=0.5)
    >>> found.is_provable, found.periods_needed
    (True, 49)
    """
    span = pilot.periods if periods is None else periods
    return Power(
        periods=span,
        smallest_gain=smallest_detectable_gain(pilot, span, alpha=alpha, refit_periods=refit_periods),
        smallest_gain_last_idea=smallest_detectable_gain(
            pilot, span, alpha=alpha, refit_periods=refit_periods, ideas=ideas
        ),
        uplift=uplift,
        ceiling=ceiling,
        periods_needed=periods_for(pilot, uplift, alpha=alpha, refit_periods=refit_periods),
    )
