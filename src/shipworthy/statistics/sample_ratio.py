"""Did the arms get the shares that they were promised? Where they did not, a trial compares unlike things.

A mismatch is a fault of the assignment or of the log (lost rows, a crash in one arm), never an effect. People look
at every period, so an e-value decides: under the promised shares it exceeds 1 / alpha ever, at any look, with
probability alpha at most (Lindon and Malek 2022, "Anytime-valid inference for multinomial count data"). The
chi-square test of one look is told beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, gammaln

from shipworthy.statistics.sequential import first_where
from shipworthy.statistics.series import FloatArray

MISMATCH_ALPHA = 0.001
_CONCENTRATION = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """How the arms were filled.

    Attributes:
        counts: How many each arm got.
        log_e_value: Logarithm of the largest e-value at any look.
        p_value: Chi-square p-value of the last look, read once.
        mismatch_at: The look, counted from 1, which proved a mismatch; None where none did.
    """

    counts: tuple[int, ...]
    log_e_value: float
    p_value: float
    mismatch_at: int | None

    @property
    def is_mismatch(self) -> bool:
        """Whether the shares are proven not to be the promised ones."""
        return self.mismatch_at is not None


def sample_ratio(counts: ArrayLike, shares: ArrayLike, *, alpha: float = MISMATCH_ALPHA) -> SampleRatio:
    """Compares what each arm got at each look with its promised share.

    The alternative is a Dirichlet distribution of shares around the promised ones, worth 100 draws.

    Args:
        counts: What was newly assigned at each look, shape (looks, arms).
        shares: The promised shares, all above 0, shape (arms,).
        alpha: Probability of ever claiming a mismatch that is none.

    >>> sample_ratio([[50, 50]] * 10, [0.5, 0.5]).is_mismatch
    False
    >>> found = sample_ratio([[60, 40]] * 10, [0.5, 0.5])
    >>> found.mismatch_at, round(found.p_value, 12)
    (5, 2.54e-10)
    """
    totals = np.cumsum(np.asarray(counts, dtype=np.float64), axis=0)
    promised = np.asarray(shares, dtype=np.float64)
    if not totals.size:
        return SampleRatio(counts=(0,) * promised.size, log_e_value=0.0, p_value=1.0, mismatch_at=None)
    logs = _log_e_values(totals, promised / promised.sum())
    expected = totals[-1].sum() * promised / promised.sum()
    seen = expected.sum() > 0.0
    statistic = float(np.sum((totals[-1] - expected) ** 2 / expected)) if seen else 0.0
    return SampleRatio(
        counts=tuple(int(count) for count in totals[-1]),
        log_e_value=float(logs.max()),
        p_value=float(chdtrc(promised.size - 1, statistic)),
        mismatch_at=first_where(logs > -math.log(alpha)),
    )


def _log_e_values(totals: FloatArray, shares: FloatArray) -> FloatArray:
    """Log of the Dirichlet-multinomial over the multinomial likelihood at each look, shape (looks,)."""
    prior = _CONCENTRATION * shares
    arms = gammaln(prior + totals) - gammaln(prior) - totals * np.log(shares)
    logs: FloatArray = gammaln(prior.sum()) - gammaln(prior.sum() + totals.sum(axis=1)) + arms.sum(axis=1)
    return logs
