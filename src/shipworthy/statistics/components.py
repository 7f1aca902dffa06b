"""How much of what varies is the solver's: the variance components of a table of periods times repetitions.

One-way random effects (Searle, Casella and McCulloch 1992, Variance Components, chapter 3): the money of a period in one
repetition is what the period gives, plus what the seed of that repetition made of it. The variance within periods estimates the
second, and its share of the variance of the periods' means says how much of the error of the mean more repetitions take away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from shipworthy.statistics.series import influence_series


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """The variances behind a table of periods times repetitions, in money per period, squared.

    Attributes:
        mean: The mean of the table.
        noise: The variance from repetition to repetition within a period.
        periods: The variance from period to period without that noise.
        share: The part of the variance of the periods' means, over the repetitions there are, that is noise; 0 to 1.
    """

    mean: float
    noise: float
    periods: float
    share: float

    @property
    def narrowing(self) -> float:
        """How much narrower the interval of the mean would be with endless repetitions; 0 to 1.

        Where neighbouring periods resemble one another, the interval is wider than the variance alone says, and
        repetitions narrow it by less.

        >>> Components(mean=0.0, noise=3.0, periods=1.0, share=0.75).narrowing
        0.5
        """
        return float(1.0 - np.sqrt(1.0 - self.share))


def variance_components(table: ArrayLike, counts: ArrayLike | None = None) -> Components:
    """Tells the noise of the repetitions from the variance of the periods.

    Args:
        table: Money; shape (periods, repetitions), at least 2 of each.
        counts: Units in each period, all above 0, whose number explains a part of a period's money; None means the same in all.

    >>> found = variance_components([[1.0, 3.0], [5.0, 7.0], [9.0, 11.0]])
    >>> found.noise, found.periods, round(found.share, 3)
    (2.0, 15.0, 0.062)
    >>> variance_components([[0.1, 0.1, 0.1], [0.7, 0.7, 0.7]]).noise
    0.0
    """
    money = np.asarray(table, dtype=np.float64)
    periods, repetitions = money.shape
    apart = money - money[:, :1]  # from the first repetition: exactly 0 where all are alike
    means = money[:, 0] + apart.mean(axis=1)
    pairs = np.ones(periods) if counts is None else np.asarray(counts, dtype=np.float64)
    noise = float(apart.var(axis=1, ddof=1).mean())
    _, influence = influence_series(means, pairs)
    between = float(np.sum((influence * pairs.mean()) ** 2) / (periods - 1))
    share = min(1.0, noise / repetitions / between) if between > 0.0 else 0.0
    return Components(
        mean=float(means.mean()), noise=noise, periods=max(0.0, between - noise / repetitions), share=share
    )
