"""Do forecasts come true? What was realised over what was forecast, idea by idea and for all that shipped.

Both are uncertain, so the ratio's interval is Fieller's (1954, "Some problems in interval estimation"); a forecast
that may be zero bounds no ratio. For all ideas together realised gains are regressed on their forecasts through zero,
each weighted by 1 / (se_f^2 + se_r^2); a slope below 1 means that forecasts run hot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit

FEWEST_IDEAS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Realised over forecast, with its interval: infinite where the forecast may be zero."""

    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How the forecasts of all shipped ideas hold.

    Attributes:
        slope: Realised per unit of forecast.
        low: Lower end of its interval.
        high: Upper end.
        ideas: Ideas behind it.
    """

    slope: float
    low: float
    high: float
    ideas: int

    @property
    def runs(self) -> Literal["hot", "cold"] | None:
        """How forecasts run beyond doubt: hot where less comes in than they say, cold where more; None else.

        >>> Calibration(slope=0.5, low=0.3, high=0.7, ideas=6).runs
        'hot'
        """
        if self.high < 1.0:
            return "hot"
        return "cold" if self.low > 1.0 else None


def realised_ratio(
    realised: float, realised_se: float, forecast: float, forecast_se: float, *, alpha: float = 0.05
) -> Ratio:
    """Returns realised / forecast with Fieller's interval, taking the two errors as independent.

    Args:
        realised: What came in.
        realised_se: Its standard error, at least 0.
        forecast: What was expected.
        forecast_se: Its standard error, at least 0.
        alpha: Two-sided error.

    >>> found = realised_ratio(9.0, 1.0, 10.0, 1.0)
    >>> round(found.ratio, 2), round(found.low, 2), round(found.high, 2)
    (0.9, 0.66, 1.21)
    """
    z = float(ndtri(1.0 - alpha / 2.0))
    ratio = realised / forecast if forecast else math.nan
    scale = max(abs(realised), abs(forecast), realised_se, forecast_se)
    if not 0.0 < scale < math.inf:
        return Ratio(ratio=ratio, low=-math.inf, high=math.inf)
    # Scaled first, so that squares of any money stay within the range of a float.
    r, f, se_r, se_f = (amount / scale for amount in (realised, forecast, realised_se, forecast_se))
    leading = f**2 - (z * se_f) ** 2
    if leading <= 0.0:
        return Ratio(ratio=ratio, low=-math.inf, high=math.inf)
    root = math.sqrt(max((r * f) ** 2 - leading * (r**2 - (z * se_r) ** 2), 0.0))
    return Ratio(ratio=ratio, low=(r * f - root) / leading, high=(r * f + root) / leading)


def calibration(
    forecasts: ArrayLike, forecast_ses: ArrayLike, realised: ArrayLike, realised_ses: ArrayLike, *, alpha: float = 0.05
) -> Calibration | None:
    """Returns the slope of realised on forecast gains through zero; None for fewer than five ideas.

    The residual spread widens the interval where ideas scatter more than their errors explain, and never narrows it.

    Args:
        forecasts: Expected gains, shape (ideas,); each idea in any unit that it shares with its realised gain.
        forecast_ses: Their standard errors, shape (ideas,).
        realised: Realised gains, shape (ideas,).
        realised_ses: Their standard errors, shape (ideas,), above 0 wherever the forecast's is 0.
        alpha: Two-sided error.

    >>> found = calibration([10, 8, 6, 9, 7], np.ones(5), [5, 4, 3, 5, 3], np.ones(5))
    >>> round(found.slope, 2), round(found.low, 2), round(found.high, 2), found.runs
    (0.5, 0.29, 0.72, 'hot')
    """
    expected, came = np.asarray(forecasts, dtype=np.float64), np.asarray(realised, dtype=np.float64)
    if expected.size < FEWEST_IDEAS:
        return None
    variances = np.asarray(forecast_ses, dtype=np.float64) ** 2 + np.asarray(realised_ses, dtype=np.float64) ** 2
    information = float(np.sum(expected**2 / variances))
    if not 0.0 < information < math.inf:
        return None
    slope = float(np.sum(expected * came / variances)) / information
    df = expected.size - 1
    scatter = float(np.sum((came - slope * expected) ** 2 / variances)) / df
    half = float(stdtrit(df, 1.0 - alpha / 2.0)) * math.sqrt(max(1.0, scatter) / information)
    return Calibration(slope=slope, low=slope - half, high=slope + half, ideas=expected.size)
