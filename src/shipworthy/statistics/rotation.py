"""The joint chance of many statistics on one history, by rotating the fingerprints that they leave there.

An idea leaves a fingerprint on a history: its gain, scaled, and the cosine weights that its spread is estimated from. Where no
idea works, the entries of a fingerprint are alike, and turning all fingerprints in the same random direction gives one more
draw of all their t statistics at once, with the very correlation that the ideas have (Langsrud 2005, Rotation tests, Statistics
and Computing 15, 53-60; Solari, Finos and Goeman 2014). From such draws follow p-values of ideas that are judged together
(Romano and Wolf 2005, step-down max-T), intervals that hold for all segments at once, and the ledger of `budget`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from shipworthy.statistics.series import FloatArray, influence_series
from shipworthy.statistics.spectrum import cosine_weights

DRAWS = 20_000


def fingerprint(sums: ArrayLike, counts: ArrayLike, cosines: int, *, min_effect: float = 0.0) -> FloatArray:
    """Returns what an idea leaves on a history: sqrt(T) (m - min_effect) and its first cosine weights.

    Args:
        sums: Sum of the paired differences in each period, in order of time; shape (periods,).
        counts: Pairs in each period, all above 0; shape (periods,).
        cosines: How many weights, at least 1 and fewer than there are periods; the same for all that are judged together, such
            as `planned_count(periods)`. More than an idea's own are no harm: see `at_own_cosines`.
        min_effect: The mean per pair under the null hypothesis.

    Returns:
        Shape (cosines + 1,), in money per pair.

    >>> fingerprint([2.0, 4.0, 6.0, 4.0], [1, 1, 1, 1], 2, min_effect=1.0).round(3).tolist()
    [6.0, -1.848, -2.0]
    """
    mean, influence = influence_series(sums, counts)
    level = np.sqrt(influence.size) * (mean - min_effect)
    return np.concatenate(([level], cosine_weights(influence, cosines)))


def t_statistics(fingerprints: ArrayLike) -> FloatArray:
    """Returns the t statistic of each fingerprint, shape (ideas,): its level over the spread of its cosine weights.

    Args:
        fingerprints: Shape (ideas, cosines + 1).

    >>> t_statistics([[2.0, 1.0, -1.0]]).tolist()
    [2.0]
    """
    table = np.asarray(fingerprints, dtype=np.float64)
    return _over(table[:, 0], np.mean(table[:, 1:] ** 2, axis=1))


def null_draws(fingerprints: ArrayLike, *, draws: int = DRAWS, seed: int = 0) -> FloatArray:
    """Draws the t statistics of all ideas at once, as they fall where none of them works.

    The same seed turns all fingerprints of the same length by the same directions, in whichever call they come.

    Args:
        fingerprints: Shape (ideas, cosines + 1).
        draws: How many.
        seed: Of the directions.

    Returns:
        Shape (draws, ideas); each column follows Student's t with as many degrees of freedom as cosines.

    >>> drawn = null_draws([[1.0, 2.0, 2.0], [2.0, 4.0, 4.0]], draws=5)
    >>> bool(np.allclose(drawn[:, 0], drawn[:, 1]))
    True
    """
    table = np.asarray(fingerprints, dtype=np.float64)
    size = np.abs(table).max(axis=1, keepdims=True, initial=0.0)
    # A fingerprint's size drops out of t; scaled to 1, squares of the smallest and the largest money stay within a float.
    scaled = table / np.where(size > 0.0, size, 1.0)
    directions = np.random.default_rng(seed).standard_normal((draws, table.shape[1]))
    directions /= np.sqrt(np.sum(directions**2, axis=1, keepdims=True))
    levels = directions @ scaled.T
    return _over(levels, (np.sum(scaled**2, axis=1) - levels**2) / (table.shape[1] - 1))


def step_down_p_values(fingerprints: ArrayLike, *, draws: int = DRAWS, seed: int = 0) -> FloatArray:
    """Returns one-sided p-values of ideas that are judged together, shape (ideas,), each corrected for all of them.

    Step-down max-T: the largest t is held against the largest of all in each draw, the next against the largest of those
    not above it, and so on; the probability that any idea without effect falls below alpha is at most alpha.

    Args:
        fingerprints: Shape (ideas, cosines + 1), at least one idea.
        draws: How many; no p-value is below 1 / (draws + 1).
        seed: Of the draws.

    >>> quiet, loud = [0.5, 1.0, -1.0, 1.0, -1.0], [9.0, 1.0, 1.0, -1.0, -1.0]
    >>> step_down_p_values([quiet, loud], draws=999).round(2).tolist()
    [0.28, 0.0]
    """
    seen = t_statistics(fingerprints)
    falling = np.argsort(-seen, kind="stable")
    drawn = null_draws(fingerprints, draws=draws, seed=seed)[:, falling]
    largest = np.maximum.accumulate(drawn[:, ::-1], axis=1)[:, ::-1]
    alone = (1.0 + np.sum(largest >= seen[falling], axis=0)) / (draws + 1.0)
    p_values = np.empty_like(seen)
    p_values[falling] = np.maximum.accumulate(alone)
    return p_values


def simultaneous_critical(fingerprints: ArrayLike, *, alpha: float = 0.05, draws: int = DRAWS, seed: int = 0) -> float:
    """Returns c such that the intervals m -/+ c se of all fingerprints hold at once with probability 1 - alpha.

    The two-sided quantile of the largest |t|. It is that of Student's t where there is one fingerprint or all are alike, and
    at most Bonferroni's. It counts on as many cosines as the fingerprints have; see `at_own_cosines`.

    Args:
        fingerprints: Shape (segments, cosines + 1), at least one.
        alpha: Probability that any interval misses.
        draws: How many.
        seed: Of the draws.

    >>> alone = simultaneous_critical([[0.0, 1.0, 1.0, 1.0, 1.0, 1.0]])
    >>> round(alone, 1), round(float(stdtrit(5, 0.975)), 1)
    (2.6, 2.6)
    """
    largest = np.abs(null_draws(fingerprints, draws=draws, seed=seed)).max(axis=1)
    rank = min(int(np.ceil((1.0 - alpha) * (draws + 1))), draws)
    return float(np.partition(largest, rank - 1)[rank - 1])


def at_own_cosines(critical: float, cosines: int, df: float) -> float:
    """Returns the critical value with the same tail for an estimate with fewer degrees of freedom than the fingerprints.

    Args:
        critical: A critical value of t statistics over `cosines`.
        cosines: Of the fingerprints.
        df: Degrees of freedom of the estimate itself, `Estimate.df`; where it has as many or more, nothing changes.

    >>> round(at_own_cosines(2.262, 9, 4.0), 2), at_own_cosines(2.262, 9, 9.0)
    (2.78, 2.262)
    """
    if df >= cosines:
        return critical
    return -float(stdtrit(df, stdtr(cosines, -critical)))


def _over(levels: FloatArray, variances: FloatArray) -> FloatArray:
    """Divides by the root of variances; 0 where nothing varies and nothing is there, infinite where only a level is."""
    roots = np.sqrt(np.maximum(variances, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        quotients: FloatArray = np.where((levels == 0.0) & (roots == 0.0), 0.0, levels / roots)
    return quotients
