"""How a table of the terminal writes money: rounded as far as its interval allows, with an ASCII minus."""

from __future__ import annotations

import math

from shipworthy.analysis.report.money import MINUS, figure, step_for
from shipworthy.analysis.verdicts import Gain


def with_interval(gain: Gain) -> str:
    """An amount, and its interval where there is one.

    >>> with_interval(Gain(gain=-2.5, low=-7.3, high=1.0)), with_interval(Gain(gain=13.0, low=-math.inf, high=math.inf))
    ('-2.5 (-7.3 to 1.0)', '13.0 (no interval)')
    """
    step = step_for(gain, 0.0)
    ends = (
        f"{plain(gain.low, step)} to {plain(gain.high, step)}" if math.isfinite(gain.high - gain.low) else "no interval"
    )
    return f"{plain(gain.gain, step)} ({ends})"


def plain(amount: float, step: float) -> str:
    """An amount rounded to a step."""
    return figure(amount, step).replace(MINUS, "-")
