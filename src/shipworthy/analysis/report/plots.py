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
from shipworthy.analysis.report.money import figure, money, step_of
from shipworthy.analysis.report.sentences import (
    course_title,
    interval_title,
    shown_units,
    smallest,
    units_title,
    yearly_step,
)
from shipworthy.analysis.report.story import Story
from shipworthy.analysis.verdicts import Gain

WIDTHS = {"wide": 700, "narrow": 320}
_MOST_POINTS = 300
_ROW, _BAR = 46, 26
_ROOMY = 500
_LETTER = 8
_LARGE = ((1e9, "bn"), (1e6, "M"))
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
    return Plot(
        title=course_title(story), **{name: _svg(_course(story, width), width, 260) for name, width in WIDTHS.items()}
    )


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
    return Plot(
        title=units_title(story), **{name: _svg(_units(story, width), width, height) for name, width in WIDTHS.items()}
    )


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
        axis=alt.Axis(
            grid=False,
            tickCount=max(5, width // 110),
            labelFlush=True,
            labelSeparation=20,
            format=_clock(times) if is_time else ",d",
        ),
    )
    y = _money_axis(alt.Y, "total", story, [low - (margin if low < 0.0 else 0.0), high + margin], count=5)
    last = _rows(at=data["values"][-1:][0]["at"], total=totals[-1])
    text = money(totals[-1], story.currency, step_of([totals[-1]]))
    falls = len(totals) > 1 and totals[-1] < totals[int(0.8 * len(totals))]
    colour = _LOSS if totals[-1] < 0.0 else _GAIN
    end = alt.Chart(last).encode(x=x, y=y)
    return alt.layer(
        _rule_at(alt, alt.Y, 0.0, _MUTED),
        alt.Chart(data)
        .mark_line(color=colour, strokeWidth=2.5, interpolate="linear", strokeJoin="round")
        .encode(x=x, y=y),
        end.mark_point(color=colour, fill=colour, opacity=1, size=70),
        *_written(alt, end, text, align="right", dx=-2, dy=18 if falls else -14, fontSize=15, fontWeight="bold"),
    )


def _interval(story: Story, width: int) -> Any:
    alt = library("altair")
    found, claimed = story.verdict.per_year(), story.claimed
    rows = [("Measured", found, _LOSS if found.gain < 0.0 else _GAIN, yearly_step(story))]
    if claimed:
        rows.append(("Claimed", claimed, _MUTED, 1.0))
    amounts = [0.0, story.smallest, *(end for _, gain, _, _ in rows for end in (gain.low, gain.gain, gain.high))]
    low, high = min(amounts), max(amounts)
    margin = 0.06 * ((high - low) or 1.0)
    domain = [low - margin, high + margin]
    x = _money_axis(alt.X, "amount", story, domain, count=max(3, width // 130))
    height = len(rows) + 0.8
    layers = [
        _rule_at(alt, alt.X, 0.0, _MUTED),
        *_mark(alt, x, 0.0, "no gain", _level(alt, height, height - 0.15), domain),
    ]
    if story.smallest > 0.0:
        worth = f"worth shipping from {smallest(story)}"
        top = _level(alt, height, height - 0.45)
        dashed = alt.Chart(_rows(amount=story.smallest)).encode(x=x, y=top, y2=alt.value("height"))
        layers += [dashed.mark_rule(color=_INK, strokeWidth=1.5, strokeDash=[5, 4])]
        layers += _mark(alt, x, story.smallest, worth, top, domain)
    for i, (label, gain, colour, rounded) in enumerate(rows):
        level = len(rows) - i - 0.72
        ends = alt.Chart(_rows(amount=gain.low, end=gain.high)).encode(x=x, x2="end:Q", y=_level(alt, height, level))
        dot = alt.Chart(_rows(amount=gain.gain)).encode(x=x, y=_level(alt, height, level))
        layers.append(ends.mark_rule(color=colour, strokeWidth=7, opacity=0.45, strokeCap="round"))
        layers.append(dot.mark_point(color=colour, fill=colour, opacity=1, size=150))
        says = f"{label}: {money(gain.gain, story.currency, rounded)}"
        ends_say = f" ({figure(gain.low, rounded)} to {figure(gain.high, rounded)})"
        if _LETTER * len(says + ends_say) < width:
            says += ends_say
        at, align = _beside(gain, domain) if width > _ROOMY else (None, "left")
        placed = alt.Chart(_rows(amount=at or 0.0)).encode(
            x=alt.value(4) if at is None else x, y=_level(alt, height, level + 0.42)
        )
        layers += _written(alt, placed, says, align=align, fontWeight="bold")
    return alt.layer(*layers)


def _units(story: Story, width: int) -> Any:
    alt = library("altair")
    units = shown_units(story)
    gains = [float(str(unit["gain"])) for unit in units]
    names = [str(unit["unit"]) for unit in units]
    step = step_of(gains)
    texts = [money(gain, story.currency, step) for gain in gains]
    low, high = min(0.0, *gains), max(0.0, *gains)
    room = (0.2 if width > _ROOMY else 0.4) * ((high - low) or 1.0)
    domain = [low - (room if low < 0.0 else 0.0), high + (room if high > 0.0 or low == 0.0 else 0.0)]
    x = _money_axis(alt.X, "gain", story, domain, count=max(3, width // 150))
    extent = min(width // 3, _LETTER * max(map(len, names)) + _LETTER)
    names_axis = alt.Axis(
        labelExpr=f"{json.dumps(names)}[datum.value]",
        labelColor=_INK,
        labelLimit=extent,
        minExtent=extent,
        ticks=False,
        domain=False,
    )
    y = alt.Y("rank:O", title=None, axis=names_axis)
    layers = []
    for is_loss, colour in ((False, _GAIN), (True, _LOSS)):
        chosen = [i for i, gain in enumerate(gains) if (gain < 0.0) == is_loss]
        if not chosen:
            continue
        data = _rows(rank=chosen, gain=[gains[i] for i in chosen], text=[texts[i] for i in chosen])
        bars = alt.Chart(data).encode(x=x, y=y)
        layers.append(bars.mark_bar(color=colour, height=_BAR * 0.62))
        layers.append(
            bars.mark_text(align="right" if is_loss else "left", dx=-5 if is_loss else 5, color=_INK).encode(
                text="text:N"
            )
        )
    return alt.layer(*layers, _rule_at(alt, alt.X, 0.0, _INK))


def _money_axis(channel: Any, name: str, story: Story, domain: Sequence[float], count: int) -> Any:
    alt = library("altair")
    largest = max(map(abs, domain))
    unit, letter = next(((unit, letter) for unit, letter in _LARGE if largest >= 2.0 * unit), (1.0, ""))
    tail = f"{letter} {story.currency}"
    number = f"replace(format(datum.value / {unit}, ',~f'), /^-/, '\\u2212') + {json.dumps(tail)}"
    label = f"datum.value ? {number} : {json.dumps(f'0 {story.currency}')}"
    # Another font may be wider than the one that is measured here.
    extent = _LETTER * len(f"{largest / unit:,.0f}{tail}") + _LETTER if channel is alt.Y else 0
    axis = alt.Axis(labelExpr=label, tickCount=count, labelFlush=channel is alt.X, minExtent=extent)
    return channel(f"{name}:Q", title=None, scale=alt.Scale(domain=list(domain), nice=False, zero=False), axis=axis)


def _mark(alt: Any, x: Any, amount: float, says: str, level: Any, domain: Sequence[float]) -> list[Any]:
    """The name of a line, on the side of it where there is more room."""
    is_left = amount - domain[0] < 0.5 * (domain[1] - domain[0])
    placed = alt.Chart(_rows(amount=amount)).encode(x=x, y=level)
    return _written(alt, placed, says, align="left" if is_left else "right", dx=6 if is_left else -6)


def _beside(gain: Gain, domain: Sequence[float]) -> tuple[float, str]:
    """Where a label above a range begins, or ends, so that it stays inside of the plot."""
    place = (gain.gain - domain[0]) / (domain[1] - domain[0])
    if place < 1.0 / 3.0:
        return gain.low, "left"
    return (gain.high, "right") if place > 2.0 / 3.0 else (gain.gain, "center")


def _level(alt: Any, height: float, level: float) -> Any:
    """A place between the lowest row, at 0, and the top of the plot."""
    return alt.YDatum(level, type="quantitative", axis=None, scale=alt.Scale(domain=[0.0, height], nice=False))


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


def _clock(times: pl.Series) -> str:
    """How times are written below a plot, going by how long it spans, given in milliseconds."""
    days = (times[-1] - times[0]) / 86_400_000
    return "%b %Y" if days > 180 else "%-d %b %Y" if days > 4 else "%-d %b %H:%M"


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
