"""Evidence as it grows: the gain after each look, with the interval that holds for all looks together."""

from __future__ import annotations

import math
from collections.abc import Mapping
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
from shipworthy.analysis.trials.trial_verdict import TrialDecision
from shipworthy.analysis.wording import a_period
from shipworthy.library import library
from shipworthy.ship.rollout import Phase

_HEIGHT = 300
_ROOM = 26
"""Pixels that a label needs above its line."""
_LATER = 0.25
"""The axis shows what is known after the first quarter of the looks: before, intervals are too wide to be seen beside it."""


def draw_evidence(found: Mapping[str, Any]) -> Plot | None:
    """The interval after each look, from what a rollout says of itself; None before there is one."""
    currency, noun, each = found["currency"], found["reading"]["looks_at"], a_period(found["cadence"])
    known = [
        (i, look)
        for i, look in enumerate(found["looks"], start=1)
        if None not in (look["low"], look["mean"], look["high"])
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
    shown = f"{money(mean, currency, step)} {each} ({figure(low, step)} to {figure(high, step)})"
    title = f"{_said(found, low, high)} {_after(course['n'][-1], noun)}: {shown}"
    return draw(title, lambda width: _drawn(course, width, found), _HEIGHT, readings=readings)


def _said(found: Mapping[str, Any], low: float, high: float) -> str:
    """What the rollout made of the last look: an interval above zero alone decides nothing."""
    phase, decision, smallest = found["phase"], found["reading"]["money"]["decision"], found["smallest"]
    if phase in (Phase.ROLLED_BACK, Phase.RETIRED):
        return f"When it was {phase},"
    if high < 0.0:
        return "A loss beyond doubt"
    if decision == TrialDecision.ROLL_BACK:
        return "Harm was found"
    if decision != TrialDecision.SHIP:
        early = "too early to call it beyond doubt" if low > max(smallest or 0.0, 0.0) else "not decided yet"
        return f"A gain so far, {early}" if low > 0.0 else "Not decided yet"
    if low <= 0.0:
        return "A gain at an earlier look; it stands"
    return "A gain beyond doubt" if smallest is None or low <= smallest else "A gain worth having, beyond doubt"


def _after(n: int, noun: str) -> str:
    """After how many it was looked: "after 2 pairs of blocks"."""
    return f"after {n:,} {noun if n == 1 else _many(noun)}"


def _many(noun: str) -> str:
    counted, of, rest = noun.partition(" of ")
    return f"{counted}s{of}{rest}"


def _drawn(course: pl.DataFrame, width: int, found: Mapping[str, Any]) -> Any:
    currency, smallest = found["currency"], found["smallest"]
    alt = library("altair", "report")
    points = thinned(course)
    later = course.tail(max(1, math.ceil((1.0 - _LATER) * course.height)))
    marks = [0.0, *([] if smallest is None else [smallest])]
    low = min([*marks, *later["low"].to_list()])
    high = max([*marks, *later["high"].to_list()])
    margin = 0.1 * ((high - low) or 1.0)
    domain = [low - margin, high + margin]
    at, x = along(points["n"], width)
    x = x.title(_many(found["reading"]["looks_at"]))
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
