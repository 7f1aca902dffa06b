"""The long-run variance of an autocorrelated series, from equal-weighted cosines (EWC).

Projected on the first few slow cosines, a stationary series gives nearly independent numbers with one common
variance: the long-run variance. The mean of their squares estimates it, and Student's t with as many degrees of
    freedom as cosines is the
right reference, with no bandwidth table, no bootstrap and no seed (Müller 2004; Lazarus, Lewis, Stock and Watson
2018, "HAR
inference: recommendations for practice", JBES 36(4) 541-559).

How many cosines may be used is the only choice. Theirs grows with T^(2/3); it is cut here where an autoregression
fitted to the series says that its spectrum is no longer flat, and where too few refits of the model are in the
evidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import dct

from shipworthy.statistics.series import FloatArray

FEWEST_COSINES = 3
_FLATNESS = 0.9
_MOST_LAGS = 8
_PERIODS_PER_LAG = 12
_LARGEST_REFLECTION = 0.99
_REFIT_SHARE = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class LongRun:
    """A long-run variance with the degrees of freedom that stand behind it.

    Attributes:
        variance: Omega, in squared money per pair: the variance of the mean is Omega / T.
        nu: Cosines averaged. Below `FEWEST_COSINES` the series wanders too slowly for any verdict.
    """

    variance: float
    nu: int


def cosine_weights(series: FloatArray, count: int) -> FloatArray:
    """Returns the first `count` cosine weights of a series, shape (count,); the constant one is left out.

    Lambda_j = sqrt(2/T) sum_t u_t cos(pi j (t - 1/2) / T), the type-II discrete cosine transform.

    >>> cosine_weights(np.array([1.0, -1.0]), 1).round(6).tolist()
    [1.414214]
    """
    weights: FloatArray = dct(series, type=2, norm="ortho")[1 : count + 1]
    return weights


def planned_count(periods: int) -> int:
    """Returns nu0 = floor(0.4 T^(2/3)), how many cosines a flat spectrum would take.

    >>> [planned_count(periods) for periods in (28, 60, 120, 365)]
    [3, 6, 9, 20]
    """
    return int(0.4 * float(np.cbrt(periods)) ** 2 + 1e-9)


def refit_cap(periods: int, refit_periods: int) -> int:
    """Returns the most cosines that `periods` with a refit every `refit_periods` can feed; 0 is a frozen model.

    >>> refit_cap(120, 28), refit_cap(120, 0)
    (3, 120)
    """
    return int(_REFIT_SHARE * periods / refit_periods) if refit_periods else periods


def flat_count(series: FloatArray, most: int) -> int:
    """Returns the largest count <= most whose average spectrum is at least 0.9 of that at frequency 0.

    The spectrum is that of an autoregression fitted by Levinson-Durbin, its order chosen by AIC, its reflection
    coefficients freed of their downward bias (Kendall 1954). 0 where even the slowest cosine is too fast.

    >>> flat_count(np.random.default_rng(1).normal(size=120), 9)
    9
    >>> wandering = np.cumsum(np.random.default_rng(1).normal(size=120))
    >>> flat_count(wandering - wandering.mean(), 9)
    0
    """
    most = min(most, series.size - 1)
    coefficients = _autoregression(series)
    if most < 1 or not coefficients.size:
        return max(most, 0)
    frequencies = np.pi * np.arange(most + 1) / series.size
    lags = np.arange(1, coefficients.size + 1)
    spectrum = 1.0 / np.abs(1.0 - np.exp(-1j * np.outer(frequencies, lags)) @ coefficients) ** 2
    average = np.cumsum(spectrum[1:]) / np.arange(1, most + 1)
    flat = np.flatnonzero(average >= _FLATNESS * spectrum[0])
    return int(flat[-1]) + 1 if flat.size else 0


def long_run_variance(influence: FloatArray, *, refit_periods: int = 0) -> LongRun:
    """Estimates the long-run variance of an influence series.

    Args:
        influence: The series u, shape (periods,), with mean 0.
        refit_periods: A new fit every so many periods; 0 is a frozen model.

    Returns:
        The variance over nu cosines. Where nu is 0 the slowest cosine alone is shown, and nu says that it proves
        nothing.

    >>> found = long_run_variance(np.random.default_rng(0).normal(size=120))
    >>> found.nu, round(found.variance, 2)
    (9, 1.05)
    """
    periods = influence.size
    nu = min(flat_count(influence, planned_count(periods)), refit_cap(periods, refit_periods))
    weights = cosine_weights(influence, max(nu, 1))
    return LongRun(variance=float(np.mean(weights**2)), nu=nu)


def _autoregression(series: FloatArray) -> FloatArray:
    """Fits the autoregression of the AIC's order, shape (order,); order 0 is no dependence."""
    periods = series.size
    most = max(1, min(_MOST_LAGS, periods // _PERIODS_PER_LAG))
    covariances = np.array([series[: periods - lag] @ series[lag:] for lag in range(most + 1)])
    if covariances[0] <= 0.0:
        return np.zeros(0)
    correlations = covariances / covariances[0]
    coefficients, reflections = np.zeros(0), []
    innovation, lowest, best_order = 1.0, 0.0, 0
    for order in range(1, most + 1):
        explained = coefficients @ correlations[order - 1 : 0 : -1]
        reflections.append(float((correlations[order] - explained) / innovation))
        coefficients = _one_order_up(coefficients, reflections[-1])
        innovation *= max(1.0 - reflections[-1] ** 2, np.finfo(np.float64).tiny)
        criterion = periods * np.log(innovation) + 2.0 * order
        if criterion < lowest:
            lowest, best_order = criterion, order
    # Freed only after the recursion: fed back into it, a nearly unstable first coefficient makes the later ones
    # explode.
    freed = np.zeros(0)
    for order, reflection in enumerate(reflections[:best_order], start=1):
        freed = _one_order_up(freed, _freed(reflection, order, periods))
    return freed


def _one_order_up(coefficients: FloatArray, reflection: float) -> FloatArray:
    """Takes Levinson's step from the coefficients of one order to those of the next."""
    return np.append(coefficients - reflection * coefficients[::-1], reflection)


def _freed(reflection: float, order: int, periods: int) -> float:
    """Takes the downward bias of a short series out of a reflection coefficient."""
    first = (periods * reflection + 1.0) / (periods - 3.0)
    freed = first if order == 1 else periods * reflection / (periods - order)
    return min(max(freed, -_LARGEST_REFLECTION), _LARGEST_REFLECTION)
