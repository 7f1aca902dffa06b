"""How the terminal writes the money of a verdict: with its interval, and with an ASCII minus."""

from __future__ import annotations

import math

from shipworthy.analysis.gain import Gain
from shipworthy.analysis.money import MINUS, figure, step_for
from shipworthy.analysis.verdicts import Verdict
from shipworthy.analysis.wording import a_period


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


def gains(verdict: Verdict, currency: str) -> dict[str, str]:
    """The gain of a period and of a year, and how probable a loss is, by name; none where there is no interval."""
    if verdict.probability_of_harm is None:
        return {}
    lines = {}
    each = a_period(verdict.criteria.cadence).capitalize()
    period = verdict.per_period()
    steps = (step_for(period, 0.0, verdict.smallest_a_period), verdict.step_of_year())
    for name, gain, step in zip((each, "A year"), (period, verdict.per_year()), steps, strict=True):
        amount = f"{plain(gain.gain, step)} {currency}".rstrip()
        lines[name] = f"{amount} ({plain(gain.low, step)} to {plain(gain.high, step)})"
    harm = f"{verdict.probability_of_harm:.1%}" if verdict.probability_of_harm >= 0.001 else "below 0.1%"
    return lines | {"Chance of harm": harm}
