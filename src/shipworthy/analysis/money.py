"""Money as a product manager reads it: as many digits as are known, and no rounding that changes the message."""

from __future__ import annotations

import math
from collections.abc import Iterable

from shipworthy.analysis import wording
from shipworthy.analysis.gain import Gain

MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
_SIGNIFICANT = 3
_FINER = 6
_LARGE = ((1e9, "bn"), (1e6, "M"))


def figure(amount: float, step: float = 1.0) -> str:
    """Writes an amount rounded to a step, with thousands apart and a true minus; an open end is unknown.

    >>> figure(22453.9, 100.0), figure(-0.256, 0.01).replace(MINUS, "-"), figure(-0.4), figure(math.inf)
    ('22,500', '-0.26', '0', 'unknown')
    """
    if not math.isfinite(amount):
        return "unknown"
    if amount == 0.0:
        return "0"
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    rounded = round(amount / step) * step
    text = f"{abs(rounded):,.{decimals}f}"
    return f"{MINUS}{text}" if rounded < 0.0 and text.strip("0.,") else text


def money(amount: float, currency: str, step: float = 1.0) -> str:
    """Writes an amount with its currency, if it has one.

    >>> money(22453.9, "EUR", 100.0).replace(NO_BREAK, " ")
    '22,500 EUR'
    """
    return f"{figure(amount, step)}{NO_BREAK}{currency}".rstrip()


def brief(amount: float, currency: str, step: float | None = None) -> str:
    """Writes an amount in as little room as a card has: millions by their letter, and three digits where no step is given.

    >>> [brief(amount, "EUR").replace(NO_BREAK, " ") for amount in (22_453.9, 1_234_567_890.0, 999_999_999.0, 20.0)]
    ['22,500 EUR', '1.23 bn EUR', '1 bn EUR', '20 EUR']
    >>> brief(22_453.9, "EUR", 10.0).replace(NO_BREAK, " ")
    '22,450 EUR'
    """
    if not math.isfinite(amount):
        return money(amount, currency)
    told = round(amount / step) * step if step else float(f"{amount:.{_SIGNIFICANT}g}")
    unit, letter = next(((unit, letter) for unit, letter in _LARGE if abs(told) >= unit), (1.0, ""))
    scaled = amount / unit
    says = figure(scaled, step / unit if step else min(step_of([scaled]), 1e9))
    whole, _, decimals = says.partition(".")
    says = whole if step is None and not decimals.strip("0") else says
    return NO_BREAK.join(part for part in (says, letter, currency) if part)


def plain(text: str) -> str:
    """A text in the signs that people type, as records keep it and every terminal shows it.

    >>> plain(money(-22453.9, "EUR", 100.0))
    '-22,500 EUR'
    """
    return text.replace(NO_BREAK, " ").replace(MINUS, "-")


def stated(amount: float, currency: str) -> str:
    """Writes an amount that somebody fixed, such as a smallest gain: as it was said, to the cent, and finer below one.

    >>> [stated(amount, "EUR").replace(NO_BREAK, " ") for amount in (2000.0000001, 5.25, 0.00006)]
    ['2,000 EUR', '5.25 EUR', '0.00006 EUR']
    """
    if 0.0 < abs(amount) < 0.095:
        step = step_of([amount], digits=2)
        return money(amount, currency, step if round(amount / step) % 10 else 10.0 * step)
    is_whole = abs(amount - round(amount)) < 0.005
    return money(amount, currency, 1.0 if is_whole else 0.01)


def step_of(amounts: Iterable[float], digits: int = _SIGNIFICANT) -> float:
    """The step that leaves the largest amount so many digits.

    >>> step_of([3.2, 61.4]), step_of([0.0])
    (0.1, 1.0)
    """
    largest = max((abs(amount) for amount in amounts if math.isfinite(amount)), default=0.0)
    return 10.0 ** (math.floor(math.log10(largest)) - digits + 1) if largest > 0.0 else 1.0


def step_for(gain: Gain, *marks: float) -> float:
    """The step to which a gain and its interval are rounded: two digits of the interval's width.

    Finer where rounding would hide on which side of a mark, such as zero, an end lies. Without an interval, three
    digits of the gain.

    >>> step_for(Gain(gain=22453.9, low=20499.5, high=24618.7), 0.0, 2000.0)
    100.0
    >>> step_for(Gain(gain=2500.0, low=2004.0, high=3000.0), 2000.0)
    1.0
    """
    width = gain.high - gain.low
    if not (math.isfinite(width) and width > 0.0):
        return step_of([gain.gain])
    step = step_of([width], digits=2)
    for _ in range(_FINER):
        if not any(_is_hidden(end, mark, step) for end in (gain.gain, gain.low, gain.high) for mark in marks):
            break
        step /= 10.0
    return step


def step_among(gains: Iterable[Gain], *marks: float) -> float:
    """The step of several gains that are told together: the finest that one of them needs.

    >>> step_among([Gain(gain=224.5, low=204.9, high=246.1), Gain(gain=2.5, low=1.4, high=3.6)], 0.0)
    0.1
    """
    return min(step_for(gain, *marks) for gain in gains)


def with_interval(gain: Gain, currency: str, *marks: float) -> tuple[str, str]:
    """Writes a gain, and its interval rounded like it.

    >>> " from ".join(with_interval(Gain(gain=45.96, low=21.01, high=70.92), "EUR", 0.0)).replace(NO_BREAK, " ")
    '46 EUR from 21 to 71'
    """
    step = step_for(gain, *marks)
    return money(gain.gain, currency, step), f"{figure(gain.low, step)} to {figure(gain.high, step)}"


def share(probability: float) -> str:
    """Writes a probability as a percentage that never claims certainty.

    >>> share(1e-12).replace(NO_BREAK, " "), share(0.031).replace(NO_BREAK, " ")
    ('below 0.1 %', '3.1 %')
    """
    if probability < 0.001:
        return f"below 0.1{NO_BREAK}%"
    if probability > 0.999:
        return f"above 99.9{NO_BREAK}%"
    return f"{100.0 * probability:.1f}{NO_BREAK}%"


def exact(amount: float) -> str:
    """Writes money to the cent; an end that is not known says so.

    >>> exact(22453.9), exact(math.inf)
    ('22,453.90', 'unknown')
    """
    return _signed(f"{round(amount, 2) + 0.0:,.2f}") if math.isfinite(amount) else "unknown"


def precise(number: float) -> str:
    """Writes a number with four digits that count.

    >>> precise(0.123456), precise(math.nan)
    ('0.1235', 'unknown')
    """
    return _signed(wording.amount(number)) if math.isfinite(number) else "unknown"


def _signed(text: str) -> str:
    return text.replace("-", MINUS, 1) if text.startswith("-") else text


def _is_hidden(end: float, mark: float, step: float) -> bool:
    """Whether an end that differs from a mark would read the same, or lie on its other side."""
    return end != mark and (round(end / step) - round(mark / step)) * (end - mark) <= 0.0
