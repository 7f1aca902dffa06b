"""The sentences of the ledger's page: what each shipped idea was to earn, and what it earned."""

from __future__ import annotations

import math
from collections.abc import Sequence

from shipworthy.analysis.gain import Gain
from shipworthy.analysis.money import NO_BREAK, figure, money, step_for, step_of, with_interval
from shipworthy.analysis.wording import a_period, periods
from shipworthy.live.ledger.ledger import Line
from shipworthy.statistics import Calibration

FORECAST_CONFIDENCE = f"90{NO_BREAK}%"
REALISED_CONFIDENCE = f"95{NO_BREAK}%"


def headline(lines: Sequence[Line]) -> str:
    """What all shipped ideas earned, together."""
    if not lines:
        return "No idea has been shipped yet"
    if len(lines) == 1:
        return lead(lines[0])
    currencies = dict.fromkeys(line.currency for line in lines)
    totals = {name: math.fsum(line.earned for line in lines if line.currency == name) for name in currencies}
    return f"Together, {len(lines)} ideas {' and '.join(_came_to(total, name) for name, total in totals.items())}"


def lead(line: Line) -> str:
    """What an idea earned, beside what it realised and was forecast to, a period."""
    each = a_period(line.cadence)
    if line.realised is None:
        low, mean, high = _expected(line)
        return f"Idea {line.idea} has no outcome yet; forecast {mean}{NO_BREAK}{line.currency} {each} ({low} to {high})"
    step = step_for(line.realised, 0.0, line.forecast.gain)
    expected = figure(line.forecast.gain, min(step, step_of([line.forecast.gain], digits=2)))
    realised = money(line.realised.gain, line.currency, step)
    over = f" over all {span(line.periods, line)}, in the shadow too" if 0 < line.answered < line.periods else ""
    return (
        f"Idea {line.idea} {_did(line)}; forecast {expected}{NO_BREAK}{line.currency} {each}, realised "
        f"{realised} ({figure(line.realised.low, step)} to {figure(line.realised.high, step)}){over}"
    )


def came_true(line: Line) -> tuple[str, str] | None:
    """The share of the forecast that was realised, and its interval; None before there is one."""
    found = line.ratio
    if found is None or not math.isfinite(found.ratio):
        return None
    bounded = math.isfinite(found.low)
    ends = f"{_percent(found.low)} to {_percent(found.high)}" if bounded else "any: the forecast may be zero"
    return _percent(found.ratio), ends


def calibrated(found: Calibration) -> str:
    """How the forecasts of all shipped ideas hold together."""
    says = (
        f"Counting the shadow, the live periods of {found.ideas} ideas showed {_percent(found.slope)} of what was forecast "
        f"({_percent(found.low)} to {_percent(found.high)})"
    )
    ends = {
        "hot": "forecasts run too high",
        "cold": "forecasts run too low",
        None: "forecasts hold, as far as can be told",
    }
    return f"{says}: {ends[found.runs]}."


def earned(amount: float, currency: str) -> str:
    """Money that came in: a sum, not an estimate, so in whole units of the currency.

    >>> earned(2298.1, "EUR").replace(NO_BREAK, " "), earned(-3.456, "EUR").replace(NO_BREAK, " ")[1:]
    ('2,298 EUR', '3.46 EUR')
    """
    return money(amount, currency, 1.0 if abs(amount) >= 100.0 else 0.01)


def span(count: int, line: Line) -> str:
    """So many periods, in the words of the idea's problem."""
    return periods(count, line.cadence)


def a_year(line: Line) -> Gain | None:
    """What a year comes to at the rate that was realised."""
    found, times = line.realised, line.periods_per_year
    return found and Gain(gain=found.gain * times, low=found.low * times, high=found.high * times)


def ranges_title(line: Line) -> str:
    """Whether the forecast holds."""
    found, each = line.realised, a_period(line.cadence)
    if found is None:
        return f"{with_interval(line.forecast, line.currency, 0.0)[0]} {each} are forecast, and no outcome has come yet"
    step = step_for(found, 0.0, line.forecast.gain)
    low, high = (money(end, line.currency, step) for end in (found.low, found.high))
    if found.high < 0.0:
        return f"It loses money beyond doubt: even the high end is {high} {each}"
    if line.forecast.gain > found.high:
        return f"It earns less than was forecast: {high} {each} at most"
    if line.forecast.gain < found.low:
        return f"It earns more than was forecast: {low} {each} at least"
    seen = span(line.periods, line)
    if found.low > 0.0:
        return f"It earns beyond doubt, and, as far as {seen} can tell, as much as was forecast"
    return f"{seen} cannot tell yet whether it earns; the forecast is still possible"


def ranges_note(line: Line) -> str:
    """How the plot of forecast and realised is to be read."""
    _, mean, _ = _expected(line)
    raw = figure(line.raw, step_of([line.raw]))
    says = (
        f"Money {a_period(line.cadence)}. The replay measured {raw}{NO_BREAK}{line.currency}; the forecast is {mean}, "
        "because ideas that win tend to have been lucky as well."
    )
    if line.realised is None:
        return says
    return f"{says} The realised interval may be read after every {span(1, line)[2:]}, which is why it is wide."


def course_title(line: Line) -> str:
    """What the live periods came to, and how much of it was earned."""
    total = math.fsum(one.gain for one in line.course)
    way = "loss" if total < 0.0 else "gain"
    says = f"The {way} came to {earned(abs(total), line.currency)} in {span(line.periods, line)}"
    if not line.answered:
        return f"{says}, all of it in the shadow"
    if line.answered == line.periods:
        return f"{says}, and the idea answered in all of them"
    return f"{says}; in the {line.answered:,} in which the idea answered, it {_came_to(line.earned, line.currency)}"


def course_note(line: Line) -> str:
    """How the plot of the live gain is to be read."""
    says = "Both releases decide every period; what came then prices both, and the difference adds up."
    shadow = line.periods - line.answered
    if not line.answered:
        return f"{says} Dashed: in the shadow the release from before still answered, so nothing was earned."
    if not shadow:
        return f"{says} Nothing was in the shadow."
    return (
        f"{says} Dashed: all {span(line.periods, line)}, with the {shadow:,} in which the idea decided in the shadow only. "
        f"Solid: the {line.answered:,} in which it answered, so that the money was {'lost' if line.earned < 0.0 else 'earned'}."
    )


def _percent(share: float) -> str:
    return money(100.0 * share, "%")


def _did(line: Line) -> str:
    if not line.answered:
        return f"has earned nothing yet, being in the shadow for {span(line.periods, line)}"
    return f"{_came_to(line.earned, line.currency)} in {span(line.answered, line)} of deciding"


def _came_to(amount: float, currency: str) -> str:
    return f"{'lost' if amount < 0.0 else 'earned'} {earned(abs(amount), currency)}"


def _expected(line: Line) -> tuple[str, str, str]:
    step = step_for(line.forecast, 0.0)
    low, mean, high = (figure(end, step) for end in (line.forecast.low, line.forecast.gain, line.forecast.high))
    return low, mean, high
