"""Forecast against realised: each shipped idea as a point with both its intervals, beside the line on which they agree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from shipworthy.analysis.gain import Gain
from shipworthy.analysis.money import figure, money, step_for
from shipworthy.analysis.report.drawing import (
    GAIN,
    INK,
    LETTER,
    LOSS,
    MUTED,
    Plot,
    Reading,
    draw,
    money_axis,
    rows,
    trace,
    written,
)
from shipworthy.library import library
from shipworthy.live.ledger.ledger import Line

_HEIGHT = 380
_SPARE = 34
"""Pixels on the right, into which the label of a tick at the end reaches."""


def draw_calibration(lines: Sequence[Line], currency: str) -> Plot | None:
    """All ideas of one currency with an interval of what they realised, by year; None where there is none."""
    known = [
        line
        for line in lines
        if line.currency == currency and line.realised and math.isfinite(line.realised.high - line.realised.low)
    ]
    if not known:
        return None
    points = [
        (line.idea, _a_year(line.forecast, line), _a_year(line.realised, line)) for line in known if line.realised
    ]
    inside = sum(expected.gain <= came.high and expected.gain >= came.low for _, expected, came in points)
    title = (
        f"{inside} of {len(points)} forecasts lie{'s' if inside == 1 else ''} within what was realised"
        if len(points) > 1
        else f"The forecast lies {'within' if inside else 'outside'} what was realised"
    )
    readings: list[Reading] = [
        (f"Idea {idea}", f"forecast {_said(expected, currency)}", f"realised {_said(came, currency)}")
        for idea, expected, came in points
    ]
    return draw(
        f"{title}, money a year",
        lambda width: _drawn(points, width, currency),
        _HEIGHT,
        right=_SPARE,
        readings=readings,
    )


def _a_year(gain: Gain, line: Line) -> Gain:
    times = line.periods_per_year
    return Gain(gain=gain.gain * times, low=gain.low * times, high=gain.high * times)


def _said(gain: Gain, currency: str) -> str:
    step = step_for(gain, 0.0)
    return f"{money(gain.gain, currency, step)} ({figure(gain.low, step)} to {figure(gain.high, step)})"


def _drawn(points: Sequence[tuple[int, Gain, Gain]], width: int, currency: str) -> Any:
    alt = library("altair", "report")
    ends = [0.0, *(end for _, *gains in points for gain in gains for end in (gain.low, gain.high))]
    margin = 0.07 * ((max(ends) - min(ends)) or 1.0)
    domain = [min(ends) - margin, max(ends) + margin]
    x = money_axis(alt.X, "forecast", currency, domain, count=max(3, width // 130)).title("forecast")
    y = money_axis(alt.Y, "realised", currency, domain, count=6)
    agree = alt.Chart(rows(forecast=domain, realised=domain)).encode(x=x, y=y)
    corner = alt.Chart(
        rows(forecast=domain[0] + 0.8 * (domain[1] - domain[0]), realised=domain[0] + 0.8 * (domain[1] - domain[0]))
    )
    layers = [
        agree.mark_line(color=MUTED, strokeDash=[5, 4], strokeWidth=1.5),
        *written(alt, corner.encode(x=x, y=y), "as forecast", align="right", dx=-8, dy=-6, fontSize=12, color=MUTED),
    ]
    for idea, expected, came in points:
        colour = LOSS if came.gain < 0.0 else GAIN
        across = alt.Chart(rows(forecast=expected.low, end=expected.high, realised=came.gain)).encode(
            x=x, x2="end:Q", y=y
        )
        upward = alt.Chart(rows(forecast=expected.gain, realised=came.low, end=came.high)).encode(x=x, y=y, y2="end:Q")
        layers += [
            one.mark_rule(color=colour, opacity=0.45, strokeWidth=4, strokeCap="round") for one in (across, upward)
        ]
        dot = alt.Chart(rows(forecast=expected.gain, realised=came.gain)).encode(x=x, y=y)
        layers.append(dot.mark_point(color=colour, fill=colour, opacity=1, size=90))
        if len(points) <= 12:
            right = (expected.gain - domain[0]) / (domain[1] - domain[0]) > 0.7
            dx = -LETTER - 2 if right else LETTER + 2
            layers += written(
                alt, dot, str(idea), align="right" if right else "left", dx=dx, dy=-11, color=INK, fontWeight="bold"
            )
    middles = rows(
        i=list(range(len(points))),
        forecast=[one.gain for _, one, _ in points],
        realised=[one.gain for *_, one in points],
    )
    layers.append(trace(alt.Chart(middles).encode(x=x, y=y)))
    return alt.layer(*layers)
