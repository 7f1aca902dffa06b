"""A proportion with its exact interval: how often something happened, and how often it may happen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from scipy.special import betaincinv


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportion:
    """A count among so many trials.

    Attributes:
        count: How often it happened.
        of: Among how many trials.
        low: Lower end of the interval of its probability; 0 where there was no trial.
        high: Upper end; 1 where there was none.
    """

    count: int
    of: int
    low: float
    high: float

    @classmethod
    def counted(cls, count: int, of: int, *, alpha: float = 0.05) -> Self:
        """The interval of Clopper and Pearson (1934), which covers at least as often as it says.

        >>> found = Proportion.counted(4, 200)
        >>> found.share, round(found.low, 4), round(found.high, 4)
        (0.02, 0.0055, 0.0504)
        >>> found = Proportion.counted(0, 20)
        >>> found.low, round(found.high, 3)
        (0.0, 0.168)
        """
        low = float(betaincinv(count, of - count + 1, alpha / 2.0)) if count else 0.0
        high = float(betaincinv(count + 1, of - count, 1.0 - alpha / 2.0)) if count < of else 1.0
        return cls(count=count, of=of, low=low, high=high)

    @property
    def share(self) -> float:
        """The count over the trials; 0 where there was none."""
        return self.count / self.of if self.of else 0.0
