"""A switchback: one market, in which champion and challenger take turns, block by block.

Where units share a resource, or are too few, arms side by side disturb one another; so the whole market switches.
Blocks come in pairs, the same hours of adjacent days; a fair coin per pair decides who comes first, so the difference
of a pair has the effect as its mean whatever the days do. The beginning of each block, in which the other's decisions
are still felt, is dropped (Bojinov, Simchi-Levi and Zhao 2023, "Design and analysis of switchback experiments").
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from shipworthy.statistics.canary import TIGHTEST_AT
from shipworthy.statistics.sequential import Path, anytime_t_half_width
from shipworthy.statistics.series import FloatArray

FEWEST_PAIRS = 5
FEWEST_FOR_T = 12
_MOST_DRAWS = 100_000


def pairs_path(differences: ArrayLike, *, planned: int | None = None, alpha: float = 0.05) -> Path:
    """Returns the interval of the mean effect after each pair, valid at all of them together where a fair coin ordered each.

    Args:
        differences: Challenger less champion of each complete pair, in order of completion, shape (pairs,).
        planned: Pairs that the trial was planned for; the interval is tightest there.
        alpha: Two-sided error over all looks together.

    >>> path = pairs_path(np.random.default_rng(0).normal(1.0, 1.0, size=40), planned=40)
    >>> round(float(path.low[-1]), 2), round(float(path.high[-1]), 2)
    (0.54, 1.34)
    """
    stream = np.asarray(differences, dtype=np.float64)
    n = np.arange(1, stream.size + 1)
    mean = np.cumsum(stream) / n
    spread = np.array([0.0, *(float(stream[:count].std(ddof=1)) for count in range(2, stream.size + 1))])[: stream.size]
    known = (n >= FEWEST_PAIRS) & (spread > 0.0)
    half = anytime_t_half_width(n, spread / np.sqrt(n), alpha=alpha, tightest_at=float(planned or TIGHTEST_AT))
    half = np.where(known, half, np.inf)
    return Path(mean, mean - half, mean + half, spread, np.maximum(n - 1.0, 1.0), known, known)


def pairs_interval(differences: ArrayLike, *, alpha: float = 0.05) -> tuple[float, float, float]:
    """Returns mean, low and high of a t interval over pairs, to be read once, at the end.

    >>> [round(end, 2) for end in pairs_interval([1.0, 2.0, 3.0])]
    [2.0, -0.48, 4.48]
    """
    pairs = np.asarray(differences, dtype=np.float64)
    if pairs.size < 2:
        return (float(pairs.mean()) if pairs.size else 0.0), -math.inf, math.inf
    half = float(stdtrit(pairs.size - 1, 1.0 - alpha / 2.0)) * float(pairs.std(ddof=1)) / math.sqrt(pairs.size)
    mean = float(pairs.mean())
    return mean, mean - half, mean + half


def sign_flip_p(differences: ArrayLike, *, null: float = 0.0) -> float | None:
    """Returns the exact two-sided p-value of fair coins, for fewer than 12 pairs; None from 12 on, where t does.

    Args:
        differences: Challenger less champion of each complete pair, shape (pairs,).
        null: The effect that is doubted, the same in all pairs.

    >>> sign_flip_p([1.0, 2.0, 3.0]), sign_flip_p(np.ones(12))
    (0.25, None)
    """
    pairs = np.asarray(differences, dtype=np.float64) - null
    if pairs.size >= FEWEST_FOR_T:
        return None
    coins = 1.0 - 2.0 * ((np.arange(2**pairs.size)[:, None] >> np.arange(pairs.size)) & 1)
    sums = np.abs(coins @ pairs)
    observed = abs(float(pairs.sum()))
    return float(np.mean(sums >= observed * (1.0 - 1e-12)))


def draws_for(
    sd: float, gain: float, *, alpha: float = 0.05, wanted: float = 0.8, tightest_at: float | None = None
) -> int | None:
    """Returns the fewest independent draws after which anytime t shows a gain; None where 100,000 would not do.

    That is the first n with half(n) + t(wanted) sd / sqrt(n) at most the gain; who looks at every draw is often
    earlier.

    Args:
        sd: Standard deviation of one draw: of a period's effect, or of a pair's difference.
        gain: The gain to be told from nothing.
        alpha: Two-sided error over all looks together.
        wanted: Probability of showing a gain that is there.
        tightest_at: Draws at which the interval is tightest; the answer itself by default.

    >>> draws_for(1.0, 0.5), draws_for(1.0, 0.5, tightest_at=45.0), draws_for(1.0, 0.0)
    (64, 64, None)
    """
    if not gain > 0.0:
        return None
    n = np.unique(np.r_[np.arange(FEWEST_PAIRS, 5000), np.geomspace(5000, _MOST_DRAWS, 2000).astype(np.int64)])
    weights: FloatArray | float = n.astype(np.float64) if tightest_at is None else tightest_at
    se = sd / np.sqrt(n)
    needed = anytime_t_half_width(n, se, alpha=alpha, tightest_at=weights) + stdtrit(n - 1, wanted) * se
    found = np.flatnonzero(needed <= gain)
    return int(n[found[0]]) if found.size else None
