"""Period sums and counts become one influence series: what each period adds to the error of the mean.

A mean over all pairs is a ratio, sum of differences over number of pairs, and both vary from period to period where
units come and go. Linearising the ratio turns any such panel, with holes and growing, into a single series that sums
to zero and whose long-run variance is the variance of the mean (Driscoll and Kraay 1998, for a mean). Summing over
units first takes care of whatever the units of one period share.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.float64]

_LARGEST_PHI = 0.95


def influence_series(sums: ArrayLike, counts: ArrayLike) -> tuple[float, FloatArray]:
    """Returns the mean per pair and the influence of each period on it.

    Args:
        sums: Sum of the paired differences in each period, in order of time; shape (periods,).
        counts: Pairs in each period, all above 0; shape (periods,).

    Returns:
        The mean per pair, and the series u of shape (periods,), in money per pair, which sums to 0.

    >>> mean, influence = influence_series([2.0, 4.0, 6.0], [1, 2, 1])
    >>> mean, influence.tolist()
    (3.0, [-0.75, -1.5, 2.25])
    """
    totals = np.asarray(sums, dtype=np.float64)
    pairs = np.asarray(counts, dtype=np.float64)
    mean = float(totals.sum() / pairs.sum())
    return mean, (totals - mean * pairs) / pairs.mean()


def skew_shift(influence: FloatArray) -> float:
    """Returns how far skew moves the true quantiles of the mean; negative where losses are rare and big.

    The shift is 1.5 times the third cumulant over the variance, over T, after Johnson (1978); for independent periods
    that is 1.5 g s / T with g the skewness and s the standard deviation. Autocorrelation makes a mean more skewed than
    that: in an AR(1) by (1 + phi + phi^2) / (1 - phi^2), which is taken into account where phi is positive.
    An interval takes the shift only where it widens: below if negative, above if positive.

    >>> skew_shift(np.array([-1.0, 0.0, 1.0]))
    0.0
    >>> skew_shift(np.array([1.0, 1.0, 1.0, -3.0])) < 0
    True
    """
    largest = float(np.abs(influence).max())
    if largest == 0.0:
        return 0.0
    # Scaled first: cubes of money as small as 1e-150 or as large as 1e150 would leave the range of a float.
    scaled = influence / largest
    spread = float(np.sqrt(np.mean(scaled**2)))
    phi = min(max(autocorrelation(influence), 0.0), _LARGEST_PHI)
    persistence = (1.0 + phi + phi**2) / (1.0 - phi**2)
    return float(1.5 * persistence * np.mean(scaled**3) / spread**2 * largest / influence.size)


def autocorrelation(influence: FloatArray) -> float:
    """Returns phi, the correlation of neighbouring periods; 0 where nothing varies.

    >>> autocorrelation(np.array([1.0, -1.0, 1.0, -1.0]))
    -0.75
    """
    largest = float(np.abs(influence).max(initial=0.0))
    if largest == 0.0:
        return 0.0
    scaled = influence / largest
    return float(scaled[:-1] @ scaled[1:] / (scaled @ scaled))


def halves(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Splits a series in time; the older half is the shorter one where the length is odd.

    >>> [half.tolist() for half in halves(np.array([1.0, 2.0, 3.0]))]
    [[1.0], [2.0, 3.0]]
    """
    middle = values.size // 2
    return values[:middle], values[middle:]
