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
_AGREE = "as forecast"
_AWAY = (0.05, 0.15, 0.3, 0.45, 0.6)
"""How far from the upper end the name of the line of agreement may stand, in shares of the line."""
_AROUND = 120
"""Pixels that the plot's labels take beside it."""
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
        f"{inside} of {len(points)} forecasts held so far"
        if len(points) > 1
        else "The forecast holds, as far as can be told"
        if inside
        else "The forecast did not hold so far"
    )
    readings: list[Reading] = [
        (f"Idea {idea}", f"forecast {_said(expected, currency)}", f"realised {_said(came, currency)}")
        for idea, expected, came in points
    ]
    return draw(
        title,
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
    x = money_axis(alt.X, "forecast", currency, domain, count=max(3, width // 130)).title("forecast a year")
    y = money_axis(alt.Y, "realised", currency, domain, count=6).title("realised a year")
    agree = alt.Chart(rows(forecast=domain, realised=domain)).encode(x=x, y=y)
    layers = [agree.mark_line(color=MUTED, strokeDash=[5, 4], strokeWidth=1.5)]
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
    free = _free(points, domain, LETTER * len(_AGREE) / (width - _AROUND))
    label = alt.Chart(rows(forecast=free, realised=free)).encode(x=x, y=y)
    layers += written(alt, label, _AGREE, align="right", dx=-8, dy=-6, fontSize=12, color=MUTED)
    middles = rows(
        i=list(range(len(points))),
        forecast=[one.gain for _, one, _ in points],
        realised=[one.gain for *_, one in points],
    )
    layers.append(trace(alt.Chart(middles).encode(x=x, y=y)))
    return alt.layer(*layers)


def _free(points: Sequence[tuple[int, Gain, Gain]], domain: Sequence[float], share: float) -> float:
    """Where on the line of agreement its name, which takes that share of the width, is furthest from all intervals."""
    span = domain[1] - domain[0]

    def distance(at: float) -> float:
        begins = at - share * span
        return min(
            math.hypot(_gap(begins, at, *across), _gap(at, at, *upward))
            for _, expected, came in points
            for across, upward in (
                ((expected.low, expected.high), (came.gain, came.gain)),
                ((expected.gain, expected.gain), (came.low, came.high)),
            )
        )

    return max((domain[1] - away * span for away in _AWAY if 1.0 - away > share), key=distance)


def _gap(low: float, high: float, other_low: float, other_high: float) -> float:
    """How far two stretches are apart; 0 where they meet."""
    return max(other_low - high, low - other_high, 0.0)
