"""An interval for paired live differences which may be looked at after every period.

Challenger and champion both decide in shadow, so the difference x_n of each period is known. People look daily, so
the interval must hold for all looks at once: a normal-mixture boundary (Robbins 1970; Howard, Ramdas, McAuliffe and
Sekhon 2021; Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024). Periods are autocorrelated, so what counts is
their long-run variance, and a fresh stream cannot know it: the backtest lends its own, pooled with the live stream's
as that grows, and never less than itself.

Without a backtest, means of 14 periods are taken as independent draws with an anytime-valid t (Lindon et al. 2022).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit

from shipworthy.statistics.series import FloatArray, influence_series
from shipworthy.statistics.spectrum import FEWEST_COSINES, long_run_variance

BLOCK_PERIODS = 14
_FEWEST_TO_SHIP = 28
_FEWEST_TO_STOP = 7
_FEWEST_BLOCKS_TO_SHIP = 8
_TIGHTEST_AT = 60.0
_MOST_PERIODS = 3650
_ROBUST_SD = 1.4826


class LiveDecision(StrEnum):
    """What the live differences say so far."""

    SHIP = "ship"
    HARM = "harm"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What a backtest lends to its live successor, all in money per pair.

    Attributes:
        variance: Long-run variance of the differences.
        nu: Degrees of freedom behind it; below 3 the backtest lends nothing.
        periods: Periods of the backtest.
        worst_loss: Loss of its worst period, 0 if none lost.
        robust_sd: 1.4826 times the median absolute deviation of its periods.
    """

    variance: float
    nu: int
    periods: int
    worst_loss: float
    robust_sd: float

    @classmethod
    def from_sums(cls, sums: ArrayLike, counts: ArrayLike, *, refit_periods: int = 0) -> Self:
        """Reads a backtest's period sums and counts, both of shape (periods,).

        >>> draws = np.random.default_rng(0).normal(size=180)
        >>> found = Backtest.from_sums(draws, np.ones(180))
        >>> found.nu, round(found.worst_loss, 2)
        (12, 2.4)
        """
        _, influence = influence_series(sums, counts)
        found = long_run_variance(influence, refit_periods=refit_periods)
        means = np.asarray(sums, dtype=np.float64) / np.asarray(counts, dtype=np.float64)
        return cls(
            variance=found.variance,
            nu=found.nu,
            periods=means.size,
            worst_loss=max(0.0, -float(means.min())),
            robust_sd=_ROBUST_SD * float(np.median(np.abs(means - np.median(means)))),
        )


@dataclass(frozen=True, slots=True)
class Path:
    """The interval after each live period; every array has shape (periods,).

    Attributes:
        mean: Mean so far.
        low: Lower end.
        high: Upper end.
        sigma: Long-run standard deviation in use.
        df: Degrees of freedom behind sigma.
        can_ship: Whether there is enough to ship on.
        can_stop: Whether there is enough to stop on.
        least: Periods that it takes at least to ship; 0 where that is no plain count.
    """

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    sigma: FloatArray
    df: FloatArray
    can_ship: np.ndarray[tuple[int], np.dtype[np.bool_]]
    can_stop: np.ndarray[tuple[int], np.dtype[np.bool_]]
    least: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """Where a shadow run stands.

    Attributes:
        n: Live periods.
        mean: Mean difference per pair so far.
        low: Lower end of the interval now.
        high: Upper end of the interval now.
        decision: The first decision that the interval reached; it stays.
        decided_at: The period, counted from 1, which decided; None while undecided.
        path: The interval after each live period; None before the first.
    """

    n: int
    mean: float
    low: float
    high: float
    decision: LiveDecision
    decided_at: int | None
    path: Path | None = field(default=None, repr=False, compare=False)


def monitor(
    differences: ArrayLike,
    backtest: Backtest | None,
    *,
    min_effect: float = 0.0,
    harm_below: float | None = None,
    alpha: float = 0.05,
) -> Monitor:
    """Judges the live differences so far; fed period by period it decides exactly as when fed at once.

    Args:
        differences: Mean paired difference of each live period, in order, shape (periods,).
        backtest: What the backtest lends; None where there was none.
        min_effect: Ship where the interval lies above it.
        harm_below: Stop where the interval lies below it; `min_effect` by default.
        alpha: Two-sided error over all looks together.

    >>> rng = np.random.default_rng(0)
    >>> backtest = Backtest.from_sums(rng.normal(size=180), np.ones(180))
    >>> found = monitor(rng.normal(1.0, 1.0, size=90), backtest)
    >>> str(found.decision), found.decided_at
    ('ship', 28)
    """
    return read_path(confidence_path(differences, backtest, alpha=alpha), min_effect=min_effect, harm_below=harm_below)


def read_path(path: Path, *, min_effect: float = 0.0, harm_below: float | None = None) -> Monitor:
    """Returns where a path stands, with the first decision that it reached.

    >>> read_path(confidence_path(np.zeros(3), None)).n
    3
    """
    if not path.mean.size:
        return Monitor(n=0, mean=0.0, low=-math.inf, high=math.inf, decision=LiveDecision.UNDECIDED, decided_at=None)
    floor = min_effect if harm_below is None else harm_below
    shipped = first_where((path.low > min_effect) & path.can_ship)
    harmed = first_where((path.high < floor) & path.can_stop)
    decided = min((at for at in (shipped, harmed) if at is not None), default=None)
    decision = LiveDecision.UNDECIDED
    if decided is not None:
        decision = LiveDecision.SHIP if decided == shipped else LiveDecision.HARM
    return Monitor(
        n=path.mean.size,
        mean=float(path.mean[-1]),
        low=float(path.low[-1]),
        high=float(path.high[-1]),
        decision=decision,
        decided_at=decided,
        path=path,
    )


def confidence_path(differences: ArrayLike, backtest: Backtest | None, *, alpha: float = 0.05) -> Path:
    """Returns the interval after each live period, valid at all of them together.

    >>> path = confidence_path(np.zeros(3), None)
    >>> path.low.tolist()
    [-inf, -inf, -inf]
    """
    stream = np.asarray(differences, dtype=np.float64)
    if backtest is None or backtest.nu < FEWEST_COSINES:
        return _blocks_path(stream, alpha)
    n = np.arange(1, stream.size + 1)
    blocks = np.maximum(n // BLOCK_PERIODS, 1)
    live = BLOCK_PERIODS * _running_variance(_block_means(stream))[blocks - 1]
    df = backtest.nu + blocks - 1.0
    pooled = (backtest.nu * backtest.variance + (blocks - 1) * live) / df
    sigma = np.sqrt(np.maximum(pooled, backtest.variance))
    widening = stdtrit(df, 1.0 - alpha / 4.0) / ndtri(1.0 - alpha / 4.0)
    mean = np.cumsum(stream) / n
    half = widening * sigma * mixture_radius(n, alpha=alpha)
    can_ship, can_stop = n >= _FEWEST_TO_SHIP, n >= _FEWEST_TO_STOP
    return Path(mean, mean - half, mean + half, sigma, df, can_ship, can_stop, _FEWEST_TO_SHIP)


def periods_to_ship(backtest: Backtest, gain: float, *, alpha: float = 0.05, wanted: float = 0.8) -> int | None:
    """Returns the fewest live periods of a shadow that show a gain; None where ten years of days would not do.

    That is the first n, of at least 28, with k sigma r(n) + z(wanted) sigma / sqrt(n) at most the gain.

    >>> draws = np.random.default_rng(0).normal(size=180)
    >>> periods_to_ship(Backtest.from_sums(draws, np.ones(180)), 0.5)
    56
    """
    if backtest.nu < FEWEST_COSINES:
        return None
    n = np.arange(_FEWEST_TO_SHIP, _MOST_PERIODS + 1)
    df = backtest.nu + n // BLOCK_PERIODS - 1.0
    widening = stdtrit(df, 1.0 - alpha / 4.0) / ndtri(1.0 - alpha / 4.0)
    needed = math.sqrt(backtest.variance) * (
        widening * mixture_radius(n, alpha=alpha) + stdtrit(df, wanted) / np.sqrt(n)
    )
    at = first_where(needed <= gain)
    return None if at is None else at + _FEWEST_TO_SHIP - 1


def mixture_radius(n: ArrayLike, *, alpha: float = 0.05, tightest_at: float = _TIGHTEST_AT) -> FloatArray:
    """Returns r(n): mean -/+ sigma r(n) holds at all n together, with probability 1 - alpha.

    r(n) = sqrt((n + rho) log((n + rho) / (rho alpha^2))) / n.

    >>> mixture_radius([10, 60]).round(3).tolist()
    [1.095, 0.392]
    """
    counts = np.asarray(n, dtype=np.float64)
    rho = _mixture_weight(alpha, tightest_at)
    radius: FloatArray = np.sqrt((counts + rho) * np.log((counts + rho) / (rho * alpha**2))) / counts
    return radius


def anytime_t_half_width(
    n: ArrayLike, se: ArrayLike, *, alpha: float = 0.05, tightest_at: float | FloatArray = _TIGHTEST_AT
) -> FloatArray:
    """Returns half the width of a t interval that holds at all n together; inf while it cannot be bounded.

    With nu = n - 1, r = g / (g + n) and k = (r alpha^2)^(1/n) it is se sqrt(nu (1 - k) / (k - r)) (Lindon et al. 2022).

    Args:
        n: Independent draws so far.
        se: Standard error of their mean, same shape.
        alpha: Two-sided error over all looks together.
        tightest_at: Draws at which the interval is tightest; one number, or the same shape.

    >>> anytime_t_half_width([2, 45], [1.0, 1.0], tightest_at=45).round(2).tolist()
    [inf, 3.18]
    """
    counts = np.asarray(n, dtype=np.float64)
    weight = _mixture_weight(alpha, tightest_at)
    shrink = weight / (weight + counts)
    level = (shrink * alpha**2) ** (1.0 / counts)
    gap = np.where(level > shrink, level - shrink, 1.0)
    half = np.asarray(se, dtype=np.float64) * np.sqrt((counts - 1.0) * (1.0 - level) / gap)
    bounded: FloatArray = np.where((level > shrink) & (counts > 1.0), half, np.inf)
    return bounded


def first_where(condition: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int | None:
    """Returns the first period, counted from 1, where the condition holds; None where it never does.

    >>> first_where(np.array([False, True])), first_where(np.array([False]))
    (2, None)
    """
    found = np.flatnonzero(condition)
    return int(found[0]) + 1 if found.size else None


def _blocks_path(stream: FloatArray, alpha: float) -> Path:
    """The interval of a stream that has no backtest: anytime t over means of 14 periods."""
    means = _block_means(stream)
    n = np.arange(1, stream.size + 1)
    blocks = n // BLOCK_PERIODS
    index = np.maximum(blocks - 1, 0)
    spread = np.sqrt(_running_variance(means))
    order = np.arange(1, spread.size + 1)
    half = anytime_t_half_width(order, spread / np.sqrt(order), alpha=alpha, tightest_at=_TIGHTEST_AT / BLOCK_PERIODS)[
        index
    ]
    half = np.where(blocks > 0, half, np.inf)
    centres = np.cumsum(means) / np.arange(1, means.size + 1) if means.size else np.zeros(1)
    mean = np.where(blocks > 0, centres[index], np.cumsum(stream) / n)
    # Before two blocks nothing is known of the spread, so no period looks unusual.
    sigma = np.where(blocks > 1, spread[index] * math.sqrt(BLOCK_PERIODS), np.inf)
    df = np.maximum(blocks - 1.0, 1.0)
    can_ship, can_stop = blocks >= _FEWEST_BLOCKS_TO_SHIP, n >= _FEWEST_TO_STOP
    return Path(mean, mean - half, mean + half, sigma, df, can_ship, can_stop, _FEWEST_BLOCKS_TO_SHIP * BLOCK_PERIODS)


def _block_means(stream: FloatArray) -> FloatArray:
    """Means of the complete blocks, shape (blocks,)."""
    blocks = stream.size // BLOCK_PERIODS
    means: FloatArray = stream[: blocks * BLOCK_PERIODS].reshape(blocks, BLOCK_PERIODS).mean(axis=1)
    return means


def _running_variance(means: FloatArray) -> FloatArray:
    """Variance of the first 1, 2, ... block means, shape (max(blocks, 1),); 0 for the first."""
    return np.array([0.0] + [float(means[:count].var(ddof=1)) for count in range(2, means.size + 1)])


def _mixture_weight(alpha: float, tightest_at: float | FloatArray) -> float | FloatArray:
    """Returns rho, which makes the boundary tightest at so many draws."""
    level = -2.0 * math.log(alpha)
    return tightest_at / (level + math.log1p(level))
