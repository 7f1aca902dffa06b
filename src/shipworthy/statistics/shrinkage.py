"""What a gain will be worth once it is live: the estimate, shrunk by all ideas tried before.

An idea ships because its estimate was high, and part of that was luck: shipped estimates overstate by a third to a
half. The remedy is a posterior under a scale mixture of normals around zero, its weights learned from every past
idea, shipped or not (Stephens 2017, "False discovery rates: a new deal"). Prior weights worth ten ideas let it speak
before there is any past.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from shipworthy.statistics.moderation import moderated
from shipworthy.statistics.series import FloatArray

_SCALES = np.array([0.05, 0.25, 0.5, 1.0, 2.0, 4.0])
_PRIOR_WEIGHTS = np.array([0.3, 0.1, 0.15, 0.2, 0.15, 0.1])
_PRIOR_IDEAS = 10.0
_EM_STEPS = 500
_EM_TOLERANCE = 1e-9
_BISECTIONS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What an idea is expected to earn live, in the unit of its estimate.

    Attributes:
        mean: Posterior mean: the money to book.
        low: Lower end of the 90 % interval.
        high: Upper end of the 90 % interval.
        estimate: The raw estimate, to be shown beside it.
        kept: mean / estimate, the share that is expected to stay; 0 where the estimate is 0.
    """

    mean: float
    low: float
    high: float
    estimate: float
    kept: float


def forecast(
    estimate: float,
    se: float,
    *,
    df: float = math.inf,
    past_estimates: ArrayLike = (),
    past_ses: ArrayLike = (),
    past_dfs: ArrayLike | None = None,
    coverage: float = 0.9,
) -> Forecast:
    """Forecasts the realised gain of an idea from its estimate and from all past ideas.

    Args:
        estimate: The idea's own estimate.
        se: Its standard error, above 0.
        df: Degrees of freedom behind it, such as `Estimate.nu`; with them all standard errors steady one another.
        past_estimates: Estimates of all past ideas, shipped and not, shape (ideas,), in the same unit.
        past_ses: Their standard errors, shape (ideas,), all above 0.
        past_dfs: Degrees of freedom behind them, shape (ideas,); those of the idea by default.
        coverage: Of the interval.

    >>> alone = forecast(2.0, 1.0)
    >>> round(alone.mean, 2), round(alone.low, 2), round(alone.high, 2)
    (0.88, -0.13, 2.68)
    """
    estimates = np.asarray(past_estimates, dtype=np.float64)
    ses = np.asarray(past_ses, dtype=np.float64)
    if math.isfinite(df):
        dfs = np.full(ses.size, df) if past_dfs is None else np.asarray(past_dfs, dtype=np.float64)
        *steadied, se = moderated([*ses, se], [*dfs, df])
        ses = np.asarray(steadied)
    spreads = _SCALES * max(se, float(np.median(ses)) if ses.size else 0.0)
    weights = _learned_weights(estimates, ses, spreads)
    posterior = _responsibilities(np.array([estimate]), np.array([se]), spreads, weights)[0]
    shrink = spreads**2 / (spreads**2 + se**2)
    means, sds = shrink * estimate, np.sqrt(shrink) * se
    mean = float(posterior @ means)
    tail = (1.0 - coverage) / 2.0
    return Forecast(
        mean=mean,
        low=_quantile(tail, posterior, means, sds),
        high=_quantile(1.0 - tail, posterior, means, sds),
        estimate=estimate,
        kept=mean / estimate if estimate else 0.0,
    )


def _learned_weights(estimates: FloatArray, ses: FloatArray, spreads: FloatArray) -> FloatArray:
    """Runs EM for the mixture weights; with no past ideas they are the prior's."""
    weights = _PRIOR_WEIGHTS
    if not estimates.size:
        return weights
    for _ in range(_EM_STEPS):
        shares = _responsibilities(estimates, ses, spreads, weights).sum(axis=0) + _PRIOR_IDEAS * _PRIOR_WEIGHTS
        updated = shares / shares.sum()
        if float(np.abs(updated - weights).max()) < _EM_TOLERANCE:
            break
        weights = updated
    return weights


def _responsibilities(estimates: FloatArray, ses: FloatArray, spreads: FloatArray, weights: FloatArray) -> FloatArray:
    """Returns the probability of each mixture component for each idea, shape (ideas, components)."""
    variances = ses[:, None] ** 2 + spreads**2
    logs = np.log(weights) - 0.5 * np.log(variances) - 0.5 * estimates[:, None] ** 2 / variances
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    normalised: FloatArray = shares / shares.sum(axis=1, keepdims=True)
    return normalised


def _quantile(probability: float, weights: FloatArray, means: FloatArray, sds: FloatArray) -> float:
    """Bisects the mixture's distribution function."""
    low, high = float((means - 10.0 * sds).min()), float((means + 10.0 * sds).max())
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        below = float(weights @ ndtr((middle - means) / sds)) < probability
        low, high = (middle, high) if below else (low, middle)
    return (low + high) / 2.0
