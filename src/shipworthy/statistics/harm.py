"""Three triggers that take a challenger back; the first wins.

interval   the shadow interval lies below the margin                         slow harm from the start
cusum      losses add up faster than chance would, once a year in 20 years   harm that begins late
breaker    one period lost more than anything the backtest ever saw          pause, and ask a human
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from shipworthy.statistics.sequential import Backtest, Path, confidence_path, first_where
from shipworthy.statistics.series import FloatArray

_DRIFT = 0.25
_LARGEST_LOSS = 3.0
_FALSE_ALARMS = 0.04
_BOUNDARY_OVERSHOOT = 1.166
_WORST_LOSSES = 3.0
_ROBUST_SDS = 8.0
_FEWEST_BACKTEST_PERIODS = 180


class Trigger(StrEnum):
    """What raised an alarm."""

    INTERVAL = "interval"
    CUSUM = "cusum"
    BREAKER = "breaker"

    @property
    def is_pause(self) -> bool:
        """Whether a human is asked; the other triggers take the challenger back by themselves."""
        return self is Trigger.BREAKER


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """The first trigger that fired.

    Attributes:
        trigger: Which.
        n: The live period, counted from 1.
        value: Its own number: the upper end of the interval, the CUSUM, the difference of the period.
        threshold: What that number passed.
    """

    trigger: Trigger
    n: int
    value: float
    threshold: float


def first_alarm(
    differences: ArrayLike,
    backtest: Backtest | None,
    *,
    margin: float = 0.0,
    alpha: float = 0.05,
    periods_per_year: float = 365.0,
) -> Alarm | None:
    """Returns the first alarm in the live differences, None where all is well.

    Args:
        differences: Mean paired difference of each live period, in order, shape (periods,); more is better.
        backtest: What the backtest lends; None where there was none.
        margin: How much worse is tolerated, per pair, at least 0.
        alpha: Two-sided error of the interval over all looks together.
        periods_per_year: Over which false CUSUM alarms are counted.

    >>> rng = np.random.default_rng(0)
    >>> backtest = Backtest.from_sums(rng.normal(size=180), np.ones(180))
    >>> alarm = first_alarm(rng.normal(-1.0, 1.0, size=90), backtest)
    >>> str(alarm.trigger), alarm.n
    ('interval', 11)
    """
    stream = np.asarray(differences, dtype=np.float64)
    path = confidence_path(stream, backtest, alpha=alpha)
    found = (
        # First, so that where one awful period also moves the interval, a human is asked what happened.
        _breaker_alarm(stream, backtest),
        _interval_alarm(path, margin),
        cusum_alarm(stream, path, periods_per_year=periods_per_year),
    )
    return min((alarm for alarm in found if alarm), key=lambda alarm: alarm.n, default=None)


def cusum_alarm(differences: FloatArray, path: Path, *, periods_per_year: float = 365.0) -> Alarm | None:
    """Returns the first period where losses have added up beyond chance.

    A one-sided CUSUM of x / sigma with drift 1/4 (Siegmund 1985), which expects one false alarm in 25 years. No
    period counts for more than 3 sigma: a single awful one is the breaker's business. The level is widened for what
    is not known of sigma.

    Args:
        differences: Shape (periods,).
        path: The interval path of the same differences.
        periods_per_year: Over which false alarms are counted.

    >>> rng = np.random.default_rng(0)
    >>> backtest = Backtest.from_sums(rng.normal(size=180), np.ones(180))
    >>> late = np.r_[rng.normal(size=120), rng.normal(-1.0, 1.0, size=90)]
    >>> cusum_alarm(late, confidence_path(late, backtest)).n
    137
    """
    if not differences.size:
        return None
    varies = path.sigma > 0.0
    scores = np.where(
        varies, differences / np.where(varies, path.sigma, 1.0), np.where(differences < 0.0, -np.inf, 0.0)
    )
    walk = np.cumsum(-np.maximum(scores, -_LARGEST_LOSS) - _DRIFT)
    level = walk - np.minimum(np.minimum.accumulate(walk), 0.0)
    thresholds = _cusum_threshold(path.df, periods_per_year)
    at = first_where(level > thresholds)
    if at is None:
        return None
    return Alarm(trigger=Trigger.CUSUM, n=at, value=float(level[at - 1]), threshold=float(thresholds[at - 1]))


def breaker_threshold(backtest: Backtest | None) -> float:
    """Returns the loss of one period that pauses a challenger; inf where the backtest is too short to know.

    >>> breaker_threshold(Backtest(variance=1.0, nu=12, periods=180, worst_loss=2.0, robust_sd=1.0))
    8.0
    >>> breaker_threshold(None)
    inf
    """
    if backtest is None or backtest.periods < _FEWEST_BACKTEST_PERIODS:
        return math.inf
    return max(_WORST_LOSSES * backtest.worst_loss, _ROBUST_SDS * backtest.robust_sd)


def _interval_alarm(path: Path, margin: float) -> Alarm | None:
    """The interval lies below -margin."""
    at = first_where((path.high < -margin) & path.can_stop)
    if at is None:
        return None
    return Alarm(trigger=Trigger.INTERVAL, n=at, value=float(path.high[at - 1]), threshold=-margin)


def _breaker_alarm(stream: FloatArray, backtest: Backtest | None) -> Alarm | None:
    """One period lost more than is thinkable."""
    threshold = -breaker_threshold(backtest)
    at = first_where(stream < threshold)
    if at is None:
        return None
    return Alarm(trigger=Trigger.BREAKER, n=at, value=float(stream[at - 1]), threshold=threshold)


def _cusum_threshold(df: FloatArray, periods_per_year: float) -> FloatArray:
    """Siegmund's level, widened by what `df` leaves unknown of sigma."""
    expected = math.log(periods_per_year * 2.0 * _DRIFT**2 / _FALSE_ALARMS)
    widened = df / 2.0 * np.expm1(2.0 * expected / df)
    threshold: FloatArray = widened / (2.0 * _DRIFT) - _BOUNDARY_OVERSHOOT
    return threshold
