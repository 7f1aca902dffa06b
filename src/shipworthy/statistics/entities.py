"""The variance that comes from having seen a sample of the units, not all of them.

Where a challenger will also serve units that the evidence does not hold (a pilot in 20 shops, a roll-out to 2,000),
units are sampled as well as periods. Both variances are added, none subtracted: simpler than the two-way cluster
estimator of Cameron, Gelbach and Miller (2011) and Thompson (2011), of the same power, and never negative.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

FEWEST_ENTITIES = 5


def entity_variance(sums: ArrayLike, counts: ArrayLike) -> float:
    """Returns the variance of the mean per pair over draws of the units.

    Args:
        sums: Sum of the paired differences of each unit, shape (units,), at least 2 units.
        counts: Pairs of each unit, shape (units,).

    >>> entity_variance([1.0, 3.0], [1, 1])
    1.0
    """
    totals = np.asarray(sums, dtype=np.float64)
    pairs = np.asarray(counts, dtype=np.float64)
    deviations = totals - totals.sum() / pairs.sum() * pairs
    return float(np.sum((deviations / pairs.sum()) ** 2) * totals.size / (totals.size - 1))


def satterthwaite(time_variance: float, nu: float, units_variance: float, units: int) -> float:
    """Returns the degrees of freedom of the sum of both variances.

    >>> satterthwaite(1.0, 10, 0.0, 5), satterthwaite(1.0, 4, 1.0, 5)
    (10.0, 8.0)
    """
    total = time_variance + units_variance
    time_share, units_share = time_variance / total, units_variance / total
    return float(1.0 / (time_share**2 / nu + units_share**2 / (units - 1)))
