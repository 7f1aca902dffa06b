"""How far one sample lies from another: effect sizes, which do not grow with the number of rows, beside a p-value, which does.

Numbers: the Wasserstein distance in standard deviations of the sample before, that is how far the average row would have to
move. Words: the total variation distance, the share of rows that would have to change. Neither calls for a model or for bins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2_contingency, false_discovery_control, ks_2samp, wasserstein_distance

FURTHEST = 99.0
"""The distance from a sample whose rows are all alike, in standard deviations that it does not have."""

_PARTS = 10
_MOST_WORDS = 30


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a sample lies from the one before.

    Attributes:
        effect: The distance: standard deviations for numbers, a share of rows for words.
        moved: The share of rows that lies where it did not before, by tenths of the sample before for numbers.
        p_value: That two samples of independent rows from one source lie so far apart, or further. Rows of a period are seldom
            independent: it is told, and nothing rests on it alone.
    """

    effect: float
    moved: float
    p_value: float


def drift_of_numbers(now: ArrayLike, before: ArrayLike) -> Drift:
    """The drift of numbers; neither sample may be empty, and both are finite.

    >>> found = drift_of_numbers([2.0, 3.0, 4.0], [1.0, 2.0, 3.0])
    >>> round(found.effect, 2), round(found.moved, 2)
    (1.22, 0.33)
    """
    new, old = np.asarray(now, dtype=np.float64), np.asarray(before, dtype=np.float64)
    apart, spread = float(wasserstein_distance(new, old)), float(old.std())
    effect = min(apart / spread, FURTHEST) if spread > 0.0 else FURTHEST * (apart > 0.0)
    edges = np.unique(np.quantile(old, np.arange(1, _PARTS) / _PARTS, method="inverted_cdf"))
    shares = [np.bincount(np.searchsorted(edges, part), minlength=edges.size + 1) / part.size for part in (new, old)]
    return Drift(effect, _total_variation(*shares), float(ks_2samp(new, old, method="asymp").pvalue))


def drift_of_words(now: Mapping[str, int], before: Mapping[str, int]) -> Drift:
    """The drift of words, by how often each was there; neither count may be empty.

    >>> found = drift_of_words({"sun": 5, "fog": 5}, {"sun": 50, "rain": 50})
    >>> found.effect, found.p_value < 0.001
    (0.5, True)
    """
    names = sorted({*now, *before}, key=lambda name: (-now.get(name, 0) - before.get(name, 0), name))
    counts = np.array([[count.get(name, 0) for name in names] for count in (now, before)], dtype=np.float64)
    shares = counts / counts.sum(axis=1, keepdims=True)
    apart = _total_variation(shares[0], shares[1])
    often = np.column_stack([counts[:, :_MOST_WORDS], counts[:, _MOST_WORDS:].sum(axis=1)])
    often = often[:, often.sum(axis=0) > 0]
    p_value = float(chi2_contingency(often).pvalue) if often.shape[1] > 1 else 1.0
    return Drift(apart, apart, p_value)


def corrected(p_values: Sequence[float]) -> list[float]:
    """P-values of many columns, so that of those below a level that share at most is false (Benjamini and Yekutieli 2001).

    >>> [round(p, 3) for p in corrected([0.001, 0.5])]
    [0.003, 0.75]
    """
    return [float(p) for p in false_discovery_control(p_values, method="by")] if p_values else []


def _total_variation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.abs(one - other).sum() / 2.0)
