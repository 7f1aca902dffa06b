"""The plots of the report, as static SVG whose colours are variables of the page: one drawing serves light and dark.

Every plot is drawn twice, for wide and for narrow pages, because text that shrinks with a picture cannot be read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from shipworthy.analysis.report.library import library
from shipworthy.analysis.report.money import figure, money, step_for, step_of
from shipworthy.analysis.report.sentences import (
    course_title,
    interval_title,
    shown_units,
    units_title,
)
from shipworthy.analysis.report.story import Story

WIDTHS = {"wide": 700, "narrow": 320}
_MOST_POINTS = 400
_ROW, _BAR = 46, 26
_INK, _MUTED, _LINE, _CARD = "var(--ink)", "var(--muted)", "var(--line)", "var(--card)"
_GAIN, _LOSS = "var(--gain)", "var(--loss)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A drawing with its message.

    Attributes:
        title: The finding, in a sentence.
        wide: SVG for wide pages.
        narrow: SVG for phones.
    """

    title: str
    wide: str
    narrow: str


def draw_course(story: Story) -> Plot:
    """The gain so far, over time, with its final amount."""
    return Plot(title=course_title(story), **{name: _svg(_course(story, width), width, 260) for name, width in WIDTHS.items()})


def draw_interval(story: Story) -> Plot:
    """The interval of the gain a year against zero, the smallest gain worth shipping and the claim."""
    rows = 2 if story.claimed else 1
    return Plot(
        title=interval_title(story),
        **{name: _svg(_interval(story, width), width, 92 + _ROW * rows) for name, width in WIDTHS.items()},
    )


def draw_units(story: Story) -> Plot:
    """The mean gain of each unit, the best first."""
    height = 44 + _BAR * len(shown_units(story))
    return Plot(title=units_title(story), **{name: _svg(_units(story, width), width, height) for name, width in WIDTHS.items()})


def _course(story: Story, width: int) -> Any:
    alt = library("altair")
    points = _thinned(story.course)
    times = points["period"]
    is_time = not times.dtype.is_integer()
    if is_time:  # as drawn, in the clock of the rows
        times = times.cast(pl.Datetime("ms")).dt.replace_time_zone(None).dt.epoch("ms")
    totals = points["total"].to_list()
    data = _rows(at=times.to_list(), total=totals)
    low, high = min(0.0, *totals), max(0.0, *totals)
    margin = 0.14 * ((high - low) or 1.0)
    x = alt.X(
        "at:T" if is_time else "at:Q",
        title=None if is_time else "period",
        scale=alt.Scale(type="utc") if is_time else alt.Scale(zero=False, nice=False),
        axis=alt.Axis(grid=False, tickCount=width // 110, labelFlush=True),
    )
    y = _money_axis(alt.Y, "total", story, [low - (margin if low < 0.0 else 0.0), high + margin], count=5)
    last = _rows(at=data["values"][-1:][0]["at"], total=totals[-1])
    text = money(totals[-1], story.currency, step_of([totals[-1]]))
    falls = len(totals) > 1 and totals[-1] < totals[int(0.8 * len(totals))]
    colour = _LOSS if totals[-1] < 0.0 else _GAIN
    end = alt.Chart(last).encode(x=x, y=y)
    return alt.layer(
        _rule_at(alt, alt.Y, 0.0, _MUTED),
        alt.Chart(data).mark_line(color=colour, strokeWidth=2.5, interpolate="linear", strokeJoin="round").encode(x=x, y=y),
        end.mark_point(color=colour, fill=colour, opacity=1, size=70),
        *_written(alt, end, text, align="right", dx=-2, dy=18 if falls else -14, fontSize=15, fontWeight="bold"),
    )


def _interval(story: Story, width: int) -> Any:
    alt = library("altair")
    found, claimed = story.verdict.per_year(), story.claimed
    step = step_for(found, 0.0, story.smallest)
    rows = [("Measured", found, _LOSS if found.gain < 0.0 else _GAIN, step)]
    if claimed:
        rows.append(("Claimed", claimed, _MUTED, step_of([claimed.low, claimed.gain, claimed.high])))
    amounts = [0.0, story.smallest, *(end for _, gain, _, _ in rows for end in (gain.low, gain.gain, gain.high))]
    low, high = min(amounts), max(amounts)
    margin = 0.06 * ((high - low) or 1.0)
    domain = [low - margin, high + margin]
    x = _money_axis(alt.X, "amount", story, domain, count=max(3, width // 130))
    height = len(rows) + 0.8
    layers = []
    marks = [(0.0, "no gain", height - 0.45)]
    if story.smallest > 0.0:
        marks.append((story.smallest, f"worth shipping from {money(story.smallest, story.currency, step)}", height - 0.1))
    for amount, says, level in marks:
        colour = _MUTED if amount == 0.0 else _INK
        layers.append(_rule_at(alt, alt.X, amount, colour, dash=[] if amount == 0.0 else [5, 4]))
        is_left = amount - domain[0] < 0.5 * (domain[1] - domain[0])
        placed = alt.Chart(_rows(amount=amount, level=level)).encode(x=x, y=_level(alt, height))
        align = "left" if is_left else "right"
        layers += _written(alt, placed, says, align=align, dx=6 if is_left else -6, color=colour)
    for i, (label, gain, colour, rounded) in enumerate(rows):
        level = len(rows) - i - 0.72
        ends = alt.Chart(_rows(amount=gain.low, end=gain.high, level=level)).encode(x=x, x2="end:Q", y=_level(alt, height))
        dot = alt.Chart(_rows(amount=gain.gain, level=level)).encode(x=x, y=_level(alt, height))
        layers.append(ends.mark_rule(color=colour, strokeWidth=7, opacity=0.45, strokeCap="round"))
        layers.append(dot.mark_point(color=colour, fill=colour, opacity=1, size=150))
        says = f"{label}: {money(gain.gain, story.currency, rounded)} ({figure(gain.low, rounded)} to {figure(gain.high, rounded)})"
        placed = alt.Chart(_rows(level=level + 0.42)).encode(x=alt.value(4), y=_level(alt, height))
        layers += _written(alt, placed, says, align="left", fontWeight="bold", color=_INK)
    return alt.layer(*layers)


def _units(story: Story, width: int) -> Any:
    alt = library("altair")
    units = shown_units(story)
    gains = [float(str(unit["gain"])) for unit in units]
    names = [str(unit["unit"]) for unit in units]
    step = step_of(gains)
    texts = [money(gain, story.currency, step) for gain in gains]
    low, high = min(0.0, *gains), max(0.0, *gains)
    room = (0.16 if width > 500 else 0.34) * ((high - low) or 1.0)
    domain = [low - (room if low < 0.0 else 0.0), high + (room if high > 0.0 or low == 0.0 else 0.0)]
    x = _money_axis(alt.X, "gain", story, domain, count=max(3, width // 150))
    y = alt.Y(
        "rank:O", title=None, axis=alt.Axis(
            ticks=False, domain=False, labelExpr=f"{json.dumps(names)}[datum.value]", labelColor=_INK, labelLimit=width // 3
        ),
    )  # fmt: skip
    layers = []
    for is_loss, colour in ((False, _GAIN), (True, _LOSS)):
        chosen = [i for i, gain in enumerate(gains) if (gain < 0.0) == is_loss]
        if not chosen:
            continue
        data = _rows(rank=chosen, gain=[gains[i] for i in chosen], text=[texts[i] for i in chosen])
        bars = alt.Chart(data).encode(x=x, y=y)
        layers.append(bars.mark_bar(color=colour, height=_BAR * 0.62))
        layers.append(
            bars.mark_text(align="right" if is_loss else "left", dx=-5 if is_loss else 5, color=_INK).encode(text="text:N")
        )
    return alt.layer(*layers, _rule_at(alt, alt.X, 0.0, _INK))


def _money_axis(channel: Any, name: str, story: Story, domain: Sequence[float], count: int) -> Any:
    alt = library("altair")
    label = f"replace(format(datum.value, ',~f'), /^-/, '\\u2212') + {json.dumps(' ' + story.currency)}"
    axis = alt.Axis(labelExpr=label, tickCount=count, grid=True, labelFlush=True)
    return channel(f"{name}:Q", title=None, scale=alt.Scale(domain=list(domain), nice=False, zero=False), axis=axis)


def _level(alt: Any, height: float) -> Any:
    """A place between the lowest row, at 0, and the labels at the top."""
    return alt.Y("level:Q", axis=None, scale=alt.Scale(domain=[0.0, height], nice=False))


def _rule_at(alt: Any, channel: Any, amount: float, colour: str, dash: Sequence[int] = ()) -> Any:
    mark = alt.Chart(_rows(rule=amount)).mark_rule(color=colour, strokeWidth=1.5, strokeDash=list(dash))
    return mark.encode(x=channel("rule:Q")) if channel is alt.X else mark.encode(y=channel("rule:Q"))


def _written(alt: Any, placed: Any, text: str, **look: Any) -> list[Any]:
    """A text with a halo, so that it can be read where it crosses a line."""
    halo = placed.mark_text(**{**look, "color": _CARD}, stroke=_CARD, strokeWidth=5, strokeJoin="round")
    return [part.encode(text=alt.value(text)) for part in (halo, placed.mark_text(**{"color": _INK, **look}))]


def _rows(**columns: Any) -> dict[str, list[dict[str, Any]]]:
    """Data for a plot: columns of one length, or single values."""
    lists = {name: column if isinstance(column, list) else [column] for name, column in columns.items()}
    return {"values": [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]}


def _thinned(course: pl.DataFrame) -> pl.DataFrame:
    """At most so many points as can be seen, the last one among them."""
    every = -(-course.height // _MOST_POINTS)
    kept = (course.height - 1 - pl.int_range(course.height, eager=True)) % every == 0
    return course.filter(kept)


def _svg(chart: Any, width: int, height: int) -> str:
    """Draws a plot; lengths are pixels, labels and axes included."""
    alt = library("altair")
    dressed = (
        chart.properties(width=width, height=height, autosize=alt.AutoSizeParams(type="fit", contains="padding"), padding=4)
        .configure(font="system-ui, sans-serif", background="transparent", aria=False)
        .configure_view(stroke=None)
        .configure_axis(
            labelFontSize=12, titleFontSize=12, labelColor=_MUTED, titleColor=_MUTED, titleFontWeight="normal",
            gridColor=_LINE, domainColor=_LINE, tickColor=_LINE, labelPadding=6,
        )
        .configure_text(fontSize=13)
    )  # fmt: skip
    svg: str = library("vl_convert").vegalite_to_svg(dressed.to_json(validate=False))
    return svg
