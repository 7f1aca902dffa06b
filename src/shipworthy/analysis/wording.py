"""How numbers read in a sentence that a product manager understands."""

from __future__ import annotations

import math


def amount(number: float) -> str:
    """Writes an amount with four digits that count, and thousands apart.

    >>> amount(1234567.8), amount(0.123456), amount(-3.0), amount(0.00006), amount(2e-12)
    ('1,234,568', '0.1235', '-3', '0.00006', '2e-12')
    """
    number += 0.0  # no minus before a zero
    if 1000.0 <= abs(number) < 1e15:
        return f"{number:,.0f}"
    if 1e-9 <= abs(number) < 1e-4:
        return f"{number:.{3 - math.floor(math.log10(abs(number)))}f}".rstrip("0")
    return f"{number:.4g}"


def interval(low: float, high: float, alpha: float) -> str:
    """Writes an interval with its confidence.

    >>> interval(1.0, 2.0, 0.05)
    '95 % interval 1 to 2'
    """
    return f"{100.0 * (1.0 - alpha):.4g} % interval {amount(low)} to {amount(high)}"


def periods(count: int, cadence: str = "") -> str:
    """Writes how many periods, in days, weeks or hours where the cadence says so.

    >>> periods(1, "1d"), periods(28, "1w"), periods(3, "6h")
    ('1 day', '28 weeks', '3 periods')
    """
    noun = _noun(cadence)
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def sentence(text: str) -> str:
    r"""The first line of a text, with a full stop where it has no end.

    >>> sentence("It leaks: rain.\nThe rest"), sentence("parity on 10 golden periods"), sentence("It misses:")
    ('It leaks: rain.', 'parity on 10 golden periods.', 'It misses.')
    """
    first = text.strip().partition("\n")[0]
    return first if first.endswith((".", "!", "?")) else f"{first.rstrip(':')}."


def a_period(cadence: str = "") -> str:
    """Writes one period, as money is counted by it.

    >>> a_period("1h"), a_period("1d"), a_period("6h")
    ('an hour', 'a day', 'a period')
    """
    noun = _noun(cadence)
    return f"an {noun}" if noun == "hour" else f"a {noun}"


def _noun(cadence: str) -> str:
    return {"1h": "hour", "1d": "day", "1w": "week", "1mo": "month"}.get(cadence, "period")
