"""A canary: the challenger decides for a random part of the units, and only what was decided is known.

Two designs, both safe to be read after every period:

drawn anew   each unit's arm is drawn anew each period. (y - f)(A / p - (1 - A) / (1 - p)), with f any forecast made
             before the period, has the effect as its mean whatever the units do; the means over units are martingale
             differences by design, and an anytime-valid t judges them (Ham, Bojinov, Lindon and Tingley 2023,
             "Design-based confidence sequences"). For decisions that leave nothing behind for the next period.
for good     each unit keeps its arm, where yesterday's decision matters today. At each look units are compared by
             their means since the start, freed of what their past explains (CUPED: Deng, Xu, Kohavi and Walker
             2013), within the mixture boundary of `sequential`, on the clock of information gathered.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit

from shipworthy.statistics.sequential import Path, anytime_t_half_width, mixture_radius
from shipworthy.statistics.series import FloatArray

FEWEST_LOOKS = 5
FEWEST_UNITS_AN_ARM = 10
FEWEST_PERIODS_BEFORE = 28
TIGHTEST_AT = 45.0


def period_effects(
    values: ArrayLike, forecasts: ArrayLike, challenged: ArrayLike, periods: ArrayLike, share: float
) -> FloatArray:
    """Returns the mean effect per unit of each period, unbiased by the design, shape (periods,).

    Args:
        values: What each (unit, period) came to, shape (rows,).
        forecasts: What it was expected to come to, known before its arm was drawn, shape (rows,).
        challenged: Whether the challenger decided, shape (rows,).
        periods: Index of the period, from 0 without gaps, shape (rows,).
        share: Probability that the challenger decided, between 0 and 1.

    >>> period_effects([12.0, 9.0], [10.0, 10.0], [True, False], [0, 0], 0.5).tolist()
    [3.0]
    """
    weights = np.where(np.asarray(challenged, dtype=np.bool_), 1.0 / share, -1.0 / (1.0 - share))
    effects = (np.asarray(values, dtype=np.float64) - np.asarray(forecasts, dtype=np.float64)) * weights
    index = np.asarray(periods, dtype=np.intp)
    means: FloatArray = np.bincount(index, effects) / np.bincount(index)
    return means


def means_before(values: ArrayLike, units: ArrayLike, periods: ArrayLike) -> FloatArray:
    """Returns each unit's mean over earlier periods, the plainest forecast; NaN in a unit's first, shape (rows,).

    >>> means_before([1.0, 3.0, 5.0], [0, 0, 0], [0, 1, 2]).tolist()
    [nan, 1.0, 2.0]
    """
    known, who = np.asarray(values, dtype=np.float64), np.asarray(units)
    order = np.lexsort((np.asarray(periods), who))
    first = np.r_[True, who[order][1:] != who[order][:-1]] if order.size else np.zeros(0, dtype=np.bool_)
    starts = np.flatnonzero(first)
    group = np.cumsum(first) - 1
    sums = np.cumsum(known[order]) - known[order]
    seen = np.arange(order.size) - starts[group] if order.size else np.zeros(0)
    earlier = sums - sums[starts][group] if order.size else sums
    found = np.full(order.size, np.nan)
    found[order] = np.divide(earlier, seen, out=np.full(order.size, np.nan), where=seen > 0)
    return found


def randomised_path(effects: ArrayLike, *, alpha: float = 0.05, tightest_at: float = TIGHTEST_AT) -> Path:
    """Returns the interval of the mean effect after each period, where arms were drawn anew; from 5 periods on.

    Args:
        effects: What `period_effects` returned, in order of time, shape (periods,).
        alpha: Two-sided error over all looks together.
        tightest_at: Periods at which the interval is tightest.

    >>> path = randomised_path(np.random.default_rng(0).normal(1.0, 1.0, size=40))
    >>> round(float(path.low[-1]), 2), round(float(path.high[-1]), 2)
    (0.54, 1.34)
    """
    stream = np.asarray(effects, dtype=np.float64)
    n = np.arange(1, stream.size + 1)
    # Freed of the first one, sums of squares lose no digits to a large common level.
    moved = stream - stream[0] if stream.size else stream
    centre = np.cumsum(moved) / n
    squares = np.maximum(np.cumsum(moved**2) - n * centre**2, 0.0)
    spread = np.sqrt(squares / np.maximum(n - 1, 1))
    mean = centre + (stream[0] if stream.size else 0.0)
    known = n >= FEWEST_LOOKS
    half = anytime_t_half_width(n, spread / np.sqrt(n), alpha=alpha, tightest_at=tightest_at)
    half = np.where(known & (spread > 0.0), half, np.inf)
    return Path(mean, mean - half, mean + half, spread, np.maximum(n - 1.0, 1.0), known, known)


def sticky_path(
    sums: FloatArray,
    counts: FloatArray,
    challenged: ArrayLike,
    *,
    before: ArrayLike | None = None,
    planned: int = 90,
    alpha: float = 0.05,
) -> Path:
    """Returns the interval of the mean effect per unit and period after each period, where units keep their arm.

    Args:
        sums: What each unit came to in each period, 0 where it has no row, shape (periods, units).
        counts: Its rows in each period, shape (periods, units).
        challenged: Whether the unit is the challenger's, shape (units,).
        before: Each unit's mean over at least 28 periods before the start, shape (units,); None compares bare means,
            which sees little where units are of unlike size.
        planned: Periods that the trial was planned for; the interval is tightest there.
        alpha: Two-sided error over all looks together.

    >>> rng = np.random.default_rng(0)
    >>> size, arms = rng.normal(100.0, 30.0, size=40), np.arange(40) % 2 == 0
    >>> days = size + rng.normal(size=(60, 40)) + 2.0 * arms
    >>> path = sticky_path(days, np.ones((60, 40)), arms, before=size)
    >>> round(float(path.low[-1]), 2), round(float(path.high[-1]), 2)
    (1.84, 2.12)
    """
    arms = np.asarray(challenged, dtype=np.bool_)
    past = None if before is None else np.asarray(before, dtype=np.float64)
    totals, seen = np.cumsum(sums, axis=0), np.cumsum(counts, axis=0)
    compared = [
        _compared(total[rows > 0] / rows[rows > 0], arms[rows > 0], None if past is None else past[rows > 0])
        for total, rows in zip(totals, seen, strict=True)
    ]
    mean, se, df = (np.array([one[i] for one in compared], dtype=np.float64) for i in range(3))
    n = np.arange(1, mean.size + 1)
    known = (n >= FEWEST_LOOKS) & np.isfinite(se) & (se > 0.0)
    half = np.full(mean.size, np.inf)
    if known.any():
        tail = 1.0 - alpha / 2.0
        spread = stdtrit(np.maximum(df[known], 1.0), tail) / ndtri(tail) * se[known]
        information = 1.0 / spread**2
        # The end is foreseen from the first look alone, so that later ones cannot move the boundary.
        at_end = information[0] * max(planned / n[known][0], 1.0)
        half[known] = mixture_radius(information, alpha=alpha, tightest_at=float(at_end))
    return Path(mean, mean - half, mean + half, se, df, known, known)


def _compared(
    means: FloatArray, arms: np.ndarray[tuple[int], np.dtype[np.bool_]], past: FloatArray | None
) -> _Compared:
    """Difference of two arms' means, its standard error (Neyman), and N - 3 degrees of freedom."""
    tried, kept = int(arms.sum()), int((~arms).sum())
    if min(tried, kept) < FEWEST_UNITS_AN_ARM:
        return math.nan, math.inf, 1.0
    freed = means
    if past is not None:
        explained, left = _within(past, arms), _within(means, arms)
        spread = float(explained @ explained)
        theta = float(explained @ left) / spread if spread > 0.0 else 0.0
        freed = means - theta * (past - past.mean())
    difference = float(freed[arms].mean() - freed[~arms].mean())
    return difference, math.sqrt(freed[arms].var(ddof=1) / tried + freed[~arms].var(ddof=1) / kept), tried + kept - 3.0


_Compared = tuple[float, float, float]


def _within(values: FloatArray, arms: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> FloatArray:
    """Values less the mean of their own arm."""
    freed: FloatArray = values - np.where(arms, values[arms].mean(), values[~arms].mean())
    return freed
