"""One measure's estimate, or what stands in its way."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shipworthy.analysis.criteria import Criteria
from shipworthy.analysis.pairs import Pairs
from shipworthy.analysis.wording import periods
from shipworthy.statistics.entities import FEWEST_ENTITIES
from shipworthy.statistics.interval import Estimate, estimate, widened
from shipworthy.statistics.spectrum import FEWEST_COSINES, planned_count

FEWEST_PERIODS = 20
FEWEST_USABLE = 0.8
MOST_ONE_SIDED = 0.02
_CONSTANT = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What is known of a mean difference.

    Attributes:
        estimate: The estimate; None where there is too little for any interval.
        obstacle: A sentence saying why nothing can be decided on it; None where nothing stands in the way.
        constant: Whether every period has the same mean difference.
    """

    estimate: Estimate | None = None
    obstacle: str | None = None
    constant: bool = False

    @property
    def shown(self) -> Estimate | None:
        """The estimate if its interval keeps its promise.

        An interval from one or two cosines of a wandering series covers too seldom to be printed.
        """
        if self.estimate is None or self.estimate.nu < min(FEWEST_COSINES, self.estimate.planned):
            return None
        return self.estimate


def mean_of(pairs: Pairs) -> float:
    """Returns the mean difference per pair; 0 where there is no pair."""
    sums, counts = pairs.series
    return float(sums.sum() / counts.sum()) if counts.size else 0.0


def measured(pairs: Pairs, criteria: Criteria) -> Measurement:
    """Estimates a mean difference, stressed for overlapping refits where the criteria decide on that."""
    sums, counts = pairs.series
    obstacle = _missing(pairs, criteria)
    units = pairs.units if criteria.entities == "sample" else None
    if counts.size < FEWEST_PERIODS or (units and units[0].size < FEWEST_ENTITIES):
        return Measurement(obstacle=obstacle)
    found = estimate(sums, counts, alpha=criteria.alpha, refit_periods=criteria.refit_periods, units=units)
    if criteria.refit_stress:
        found = stressed(found, counts.size, criteria)
    if float(np.std(sums / counts)) <= _CONSTANT * abs(found.mean):
        return Measurement(estimate=found, obstacle=obstacle, constant=True)
    if found.nu < FEWEST_COSINES:
        obstacle = obstacle or _too_slow(counts.size, criteria)
    return Measurement(estimate=found, obstacle=obstacle)


def stressed(found: Estimate, seen: int, criteria: Criteria) -> Estimate:
    """Widens an estimate for refits that err together, as training windows overlap (Nadeau and Bengio 2003)."""
    return widened(found, math.sqrt(1.0 + seen / (criteria.training_periods or math.inf)))


def _missing(pairs: Pairs, criteria: Criteria) -> str | None:
    """Says what is missing for a verdict, if anything."""
    if not pairs.rows:
        return "There is no evidence: the frame holds no rows."
    if pairs.usable_share < FEWEST_USABLE:
        return (
            f"Only {pairs.usable_share:.1%} of the pairs have a number on both sides; at least {FEWEST_USABLE:.0%} "
            "must. Find out why the others are missing."
        )
    seen = pairs.series[1].size
    if seen < FEWEST_PERIODS:
        return (
            f"The evidence covers {periods(seen, criteria.cadence)}; nothing can be said of the future with fewer than "
            f"{FEWEST_PERIODS}."
        )
    units = pairs.units[0].size
    if criteria.entities == "sample" and units < FEWEST_ENTITIES:
        many = "1 unit" if units == 1 else f"{units} units"
        return f"{many} cannot speak for others; at least {FEWEST_ENTITIES} are needed."
    return None


def _too_slow(seen: int, criteria: Criteria) -> str:
    """Says why there are fewer than three cosines."""
    if criteria.refit_periods and 0.75 * seen / criteria.refit_periods < FEWEST_COSINES:
        refits = seen / criteria.refit_periods
        return f"The evidence holds {refits:.1f} refits of the challenger; at least 4 are needed, better 8."
    if planned_count(seen) < FEWEST_COSINES:
        return f"The evidence covers {periods(seen, criteria.cadence)}, one too few to judge how much they vary."
    return "There are too few independent periods: the difference wanders for weeks, so the mean may still turn."
