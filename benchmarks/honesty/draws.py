"""Random series with mean 0: what the differences of two equally good policies may look like."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Array: TypeAlias = NDArray[np.float64]

_WARM_UP = 100
_LOG_SPREAD = 1.0


def noise(rng: np.random.Generator, tail: str, shape: tuple[int, ...]) -> Array:
    """Draws mean 0, variance 1.

    Args:
        rng: The source of randomness.
        tail: "normal"; "heavy", Student's t with 3 degrees; "skew", rare big losses; "lottery", rare big gains.
        shape: Of what is drawn.
    """
    if tail == "heavy":
        return rng.standard_t(3, size=shape) / math.sqrt(3.0)
    if tail == "skew":
        return 1.0 - rng.exponential(size=shape)
    if tail == "lottery":
        drawn = rng.lognormal(0.0, _LOG_SPREAD, size=shape) - math.exp(_LOG_SPREAD**2 / 2.0)
        return drawn / math.sqrt(math.expm1(_LOG_SPREAD**2) * math.exp(_LOG_SPREAD**2))
    return rng.normal(size=shape)


def autoregression(
    rng: np.random.Generator, phi: float, shape: tuple[int, ...], *, theta: float = 0.0, tail: str = "normal"
) -> Array:
    """Draws ARMA(1, 1) series along the last axis, mean 0, variance 1."""
    fresh = noise(rng, tail, (*shape[:-1], shape[-1] + _WARM_UP))
    drawn: Array = lfilter([1.0, theta], [1.0, -phi], fresh, axis=-1)[..., _WARM_UP:]
    return drawn * math.sqrt((1.0 - phi**2) / (1.0 + 2.0 * phi * theta + theta**2))


def moving_sum(rng: np.random.Generator, span: int, shape: tuple[int, ...]) -> Array:
    """Draws sums over `span` days, as outcomes have whose horizons overlap; variance 1."""
    fresh = rng.normal(size=(*shape[:-1], shape[-1] + span - 1))
    drawn: Array = lfilter(np.ones(span), 1.0, fresh, axis=-1)[..., span - 1 :]
    return drawn / math.sqrt(span)


def refits(rng: np.random.Generator, every: int, periods: int, *, memory: float = 0.0) -> Array:
    """Draws the luck of each refit, held until the next one, shape (periods,); variance 1."""
    fits = autoregression(rng, memory, (math.ceil(periods / every),))
    return np.repeat(fits, every)[:periods]


def without_rows(rng: np.random.Generator, rows: Array, share: float) -> Array:
    """Takes a share of the rows away, at random."""
    return np.where(rng.random(size=rows.shape) < share, np.nan, rows)
