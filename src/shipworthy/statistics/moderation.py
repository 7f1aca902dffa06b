"""Standard errors of many ideas steady one another.

A standard error from nine cosines is itself uncertain by a quarter, and an idea ships not least because its own came out too
small. So each is drawn towards what all ideas have in common, the more so the less they differ beyond that uncertainty (Smyth
2004, "Linear models and empirical Bayes methods for assessing differential expression", section 6.2), and what stays unknown of
it widens it as Student's t does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, ndtri, polygamma, stdtrit

from shipworthy.statistics.series import FloatArray

_FEWEST_TO_COMPARE = 3
_MOST_PRIOR_DF = 1e6
_NEWTON_STEPS = 50
_LEVEL = 0.95


def moderated(ses: ArrayLike, dfs: ArrayLike) -> FloatArray:
    """Returns standard errors that may be taken as known, shape (ideas,).

    Args:
        ses: As estimated, all above 0, shape (ideas,).
        dfs: Degrees of freedom behind each, shape (ideas,).

    >>> moderated([1.0, 1.1, 0.3, 0.9], [9, 9, 9, 9]).round(2).tolist()
    [1.01, 1.11, 0.43, 0.92]
    """
    freedom = np.asarray(dfs, dtype=np.float64)
    variances = np.asarray(ses, dtype=np.float64) ** 2
    if variances.size >= _FEWEST_TO_COMPARE:
        prior_df, prior = _prior(variances, freedom)
        variances = (prior_df * prior + freedom * variances) / (prior_df + freedom)
        freedom = freedom + prior_df
    steadied: FloatArray = np.sqrt(variances) * stdtrit(freedom, _LEVEL) / ndtri(_LEVEL)
    return steadied


def _prior(variances: FloatArray, dfs: FloatArray) -> tuple[float, float]:
    """The degrees of freedom that the ideas lend one another, and the variance that they have in common."""
    logs = np.log(variances) - digamma(dfs / 2.0) + np.log(dfs / 2.0)
    beyond_chance = float(logs.var(ddof=1) - polygamma(1, dfs / 2.0).mean())
    if beyond_chance <= 2.0 / _MOST_PRIOR_DF:
        return _MOST_PRIOR_DF, float(np.exp(logs.mean()))
    half = _inverse_trigamma(beyond_chance)
    return 2.0 * half, float(np.exp(logs.mean() + digamma(half) - np.log(half)))


def _inverse_trigamma(value: float) -> float:
    """Solves trigamma(y) = value by Newton's method, on which 1 / trigamma is nearly linear."""
    found = 0.5 + 1.0 / value
    for _ in range(_NEWTON_STEPS):
        trigamma = float(polygamma(1, found))
        step = trigamma * (1.0 - trigamma / value) / float(polygamma(2, found))
        found += step
        if abs(step) < 1e-9 * found:
            break
    return found
