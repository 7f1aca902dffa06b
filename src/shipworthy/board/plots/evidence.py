"""Evidence as it grows: the gain after each look, with the interval that holds for all looks together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from shipworthy.analysis.gain import Gain
from shipworthy.analysis.money import figure, money, step_for
from shipworthy.analysis.report.drawing import (
    GAIN,
    INK,
    LOSS,
    MUTED,
    Plot,
    Reading,
    along,
    draw,
    money_axis,
    rows,
    rule_at,
    thinned,
    trace,
    written,
)
from shipworthy.library import library

_HEIGHT = 300
_ROOM = 26
"""Pixels that a label needs above its line."""
_LATER = 0.25
"""The axis shows what is known after the first quarter of the looks: before, intervals are too wide to be seen beside it."""


def draw_evidence(
    looks: Sequence[Mapping[str, float | None]], currency: str, smallest: float | None, noun: str, each: str
) -> Plot | None:
    """The interval after each look; None before there is one.

    Args:
        looks: Of each look mean, low and high, money a period; an end that is not known is None.
        currency: Of the money.
        smallest: The smallest gain worth shipping, a period.
        noun: What a look comes after, such as "live period".
        each: How a period is said, such as "a day".
    """
    known = [
        (i, look) for i, look in enumerate(looks, start=1) if None not in (look["low"], look["mean"], look["high"])
    ]
    if not known:
        return None
    course = pl.DataFrame(
        [(i, look["mean"], look["low"], look["high"]) for i, look in known], ["n", "mean", "low", "high"], orient="row"
    )
    _, mean, low, high = course.row(-1)
    step = step_for(Gain(gain=mean, low=low, high=high), 0.0)
    readings: list[Reading] = [
        (
            _after(n, noun),
            f"{money(mean, currency, step)} {each}",
            f"{figure(low, step)} to {figure(high, step)}",
        )
        for n, mean, low, high in thinned(course).iter_rows()
    ]
    title = _title(course, currency, smallest, step, noun, each)
    return draw(title, lambda width: _drawn(course, width, currency, smallest), _HEIGHT, readings=readings)


def _title(course: pl.DataFrame, currency: str, smallest: float | None, step: float, noun: str, each: str) -> str:
    n, mean, low, high = course.row(-1)
    shown = f"{money(mean, currency, step)} {each} ({figure(low, step)} to {figure(high, step)})"
    after = _after(n, noun)
    if high < 0.0:
        return f"A loss beyond doubt {after}: {shown}"
    if smallest is not None and low > smallest:
        return f"A gain worth having, beyond doubt {after}: {shown}"
    if low > 0.0:
        return f"A gain beyond doubt {after}: {shown}"
    return f"Not decided yet {after}: {shown}"


def _after(n: int, noun: str) -> str:
    """After how many it was looked: "after 2 pairs of blocks"."""
    counted, of, rest = noun.partition(" of ")
    return f"after {n:,} {counted}{'' if n == 1 else 's'}{of}{rest}"


def _drawn(course: pl.DataFrame, width: int, currency: str, smallest: float | None) -> Any:
    alt = library("altair", "report")
    points = thinned(course)
    later = course.tail(max(1, math.ceil((1.0 - _LATER) * course.height)))
    marks = [0.0, *([] if smallest is None else [smallest])]
    low = min([*marks, *later["low"].to_list()])
    high = max([*marks, *later["high"].to_list()])
    margin = 0.1 * ((high - low) or 1.0)
    domain = [low - margin, high + margin]
    at, x = along(points["n"], width)
    x = x.title("looks")
    y = money_axis(alt.Y, "mean", currency, domain, count=5)
    mean = points["mean"].to_list()
    colour = LOSS if mean[-1] < 0.0 else GAIN
    data = rows(at=at, mean=mean, low=points["low"].to_list(), high=points["high"].to_list())
    band = alt.Chart(data).encode(x=x, y=money_axis(alt.Y, "low", currency, domain, count=5), y2="high:Q")
    layers = [
        band.mark_area(color=colour, opacity=0.22, clip=True, interpolate="linear"),
        rule_at(alt, alt.Y, 0.0, MUTED),
    ]
    if smallest:
        layers.append(rule_at(alt, alt.Y, smallest, INK, dash=[5, 4]))
    line = alt.Chart(data).encode(x=x, y=y)
    layers.append(line.mark_line(color=colour, strokeWidth=2.5, interpolate="linear", clip=True))
    end = alt.Chart(rows(at=at[-1], mean=mean[-1])).encode(x=x, y=y)
    layers.append(end.mark_point(color=colour, fill=colour, opacity=1, size=70))
    if smallest:
        placed = alt.Chart(rows(mean=smallest)).encode(y=y, x=alt.value("width"))
        # Where the gain lies close above, the label would lie on it: it stands below its line then.
        above = (mean[-1] - smallest) * _HEIGHT / (domain[1] - domain[0])
        dy = _ROOM / 2 if 0.0 <= above < _ROOM else -9
        layers += written(alt, placed, "worth shipping", align="right", dx=-4, dy=dy, fontSize=12)
    inside = [min(max(value, domain[0]), domain[1]) for value in mean]
    layers.append(trace(alt.Chart(rows(i=list(range(len(at))), at=at, mean=inside)).encode(x=x, y=y)))
    return alt.layer(*layers)
