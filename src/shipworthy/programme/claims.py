"""Claims: how far what ideas were expected to gain came true, so that the next claim is believed as far as the last ones held.

The share that came true of each idea is taken as normal around the squad's own, which has the prior N(1, 0.5^2): a claim is
believed until claims are seen to fail (conjugate normal model, Gelman et al. 2013, 2.5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_PRIOR_SD = 0.5
_LOWEST, _HIGHEST = -3.0, 3.0
"""Shares beyond these are taken for these: a claim of next to nothing would say whatever it likes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Which share of a claim comes true.

    Attributes:
        share: The posterior mean.
        sd: Its standard deviation.
        ideas: How many ideas say so.
        source: What they were held against: "realised" gains, or "measured" ones of verdicts to ship; "" where there is none.
    """

    share: float = 1.0
    sd: float = _PRIOR_SD
    ideas: int = 0
    source: str = ""


def claims_of(pairs: Sequence[tuple[float, float]], source: str) -> Claims:
    """The share that came true of claims.

    Args:
        pairs: Of each idea what was claimed, above zero, and what it came to.
        source: What they were held against.

    >>> found = claims_of([(10.0, 5.0), (8.0, 4.5), (20.0, 9.0), (12.0, 6.0)], "realised")
    >>> round(found.share, 2), found.ideas
    (0.55, 4)
    """
    shares = np.array([min(max(came / claimed, _LOWEST), _HIGHEST) for claimed, came in pairs if claimed > 0.0])
    if not shares.size:
        return Claims()
    before = 1.0 / _PRIOR_SD**2
    spread = (2.0 * _PRIOR_SD**2 + float(np.sum((shares - shares.mean()) ** 2))) / (1.0 + shares.size)
    precision = before + shares.size / spread
    mean = (before + shares.size * float(shares.mean()) / spread) / precision
    return Claims(share=max(0.0, mean), sd=math.sqrt(1.0 / precision), ideas=int(shares.size), source=source)
