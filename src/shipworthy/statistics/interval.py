"""The mean per pair with its interval: what all verdicts are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from shipworthy.statistics.entities import entity_variance, satterthwaite
from shipworthy.statistics.series import influence_series, skew_shift
from shipworthy.statistics.spectrum import long_run_variance, planned_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean per pair with a two-sided interval.

    Attributes:
        mean: Money per pair.
        se: Standard error of the mean, over periods and, if they are sampled, units.
        nu: Cosines behind the variance over periods; below 3 the interval proves nothing.
        planned: Cosines that a flat spectrum and a frozen model would have allowed.
        df: Degrees of freedom of the t quantile: nu, or Satterthwaite's number with sampled units.
        low: Lower end, skew included.
        high: Upper end, skew included.
        skew: The skew shift; it lowers low if negative, raises high if positive.
        long_run_variance: Omega of the influence series.
        units_variance: The part of se squared that comes from sampled units; 0 where all units are seen.
        alpha: Two-sided error of the interval.
    """

    mean: float
    se: float
    nu: int
    planned: int
    df: float
    low: float
    high: float
    skew: float
    long_run_variance: float
    units_variance: float
    alpha: float


def estimate(
    sums: ArrayLike,
    counts: ArrayLike,
    *,
    alpha: float = 0.05,
    refit_periods: int = 0,
    units: tuple[ArrayLike, ArrayLike] | None = None,
) -> Estimate:
    """Estimates a mean per pair from period sums, honest about autocorrelation, shared shocks and skew.

    Args:
        sums: Sum of the paired differences in each period, in order of time; shape (periods,), at least 4 periods.
        counts: Pairs in each period, all above 0; shape (periods,).
        alpha: Two-sided error.
        refit_periods: A new fit every so many periods; 0 is a frozen model.
        units: Sums and counts of each unit where the units are a sample, shapes (units,); None where all are seen.

    >>> import numpy as np
    >>> draws = np.random.default_rng(0).normal(1.0, 1.0, size=120)
    >>> found = estimate(draws, np.ones(120))
    >>> round(found.low, 2), round(found.mean, 2), round(found.high, 2)
    (0.87, 1.08, 1.29)
    """
    mean, influence = influence_series(sums, counts)
    long_run = long_run_variance(influence, refit_periods=refit_periods)
    time_variance = long_run.variance / influence.size
    df = float(max(long_run.nu, 1))
    units_variance = entity_variance(*units) if units else 0.0
    if units_variance > 0.0:
        df = satterthwaite(time_variance, df, units_variance, len(units[0]))  # type: ignore[index, arg-type]
    bare = Estimate(
        mean=mean,
        se=math.sqrt(time_variance + units_variance),
        nu=long_run.nu,
        planned=planned_count(influence.size),
        df=df,
        low=mean,
        high=mean,
        skew=skew_shift(influence),
        long_run_variance=long_run.variance,
        units_variance=units_variance,
        alpha=alpha,
    )
    return widened(bare, 1.0)


def widened(found: Estimate, factor: float) -> Estimate:
    """Returns the estimate with its standard error multiplied, and the interval that follows.

    >>> import numpy as np
    >>> draws = np.random.default_rng(0).normal(size=120)
    >>> found = estimate(draws, np.ones(120))
    >>> widened(found, 2.0).se == 2.0 * found.se
    True
    """
    se = found.se * factor
    half = float(stdtrit(found.df, 1.0 - found.alpha / 2.0)) * se
    low = found.mean - half + min(0.0, found.skew)
    return replace(found, se=se, low=low, high=found.mean + half + max(0.0, found.skew))


def probability_below(found: Estimate, threshold: float) -> float:
    """Returns how probable a true mean below the threshold is, by the t distribution of the estimate.

    >>> import numpy as np
    >>> draws = np.random.default_rng(0).normal(size=120)
    >>> found = estimate(draws, np.ones(120))
    >>> round(probability_below(found, found.mean), 2)
    0.5
    """
    if found.se == 0.0:
        return 0.5 if found.mean == threshold else float(found.mean < threshold)
    return float(stdtr(found.df, (threshold - found.mean) / found.se))
