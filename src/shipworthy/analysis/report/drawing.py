"""What every drawing on a page is made of: static SVG whose colours are variables of the page.

One drawing so serves light and dark. Each is drawn twice, for wide and for narrow pages, because text that shrinks with
a picture cannot be read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import polars as pl

from shipworthy.analysis.gain import Gain
from shipworthy.analysis.money import figure, money
from shipworthy.library import library

ROOMY = 500
"""A width in pixels from which a plot has room for long labels."""
LETTER = 8
"""The width of a letter in pixels, rather too wide than too narrow."""
INK, MUTED, LINE, CARD = "var(--ink)", "var(--muted)", "var(--line)", "var(--card)"
GAIN, LOSS = "var(--gain)", "var(--loss)"
_TRACE = "reading"
_TIGHT = 250
_WIDTHS = {"wide": 700, "narrow": 320}
_MOST_POINTS = 300
_FEW = 5
"""So few days or numbers each have a label; of more, an axis chooses some."""
_ROW = 46
_LARGE = ((1e9, "bn"), (1e6, "M"))


Reading = tuple[str, ...]
"""What is read at one place of a plot: the name of the place, then what is said of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A drawing with its message.

    Attributes:
        title: The finding, in a sentence.
        wide: SVG for wide pages.
        narrow: SVG for phones.
        readings: What can be read off it, each a name and what is said of it; both drawings have a `trace` through them.
        by: Along which axis readings are looked for.
    """

    title: str
    wide: str
    narrow: str
    readings: tuple[Reading, ...] = ()
    by: Literal["x", "y"] = "x"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """An amount with its interval, to be drawn in a row of its own.

    Attributes:
        label: What it is.
        gain: The amount with its interval.
        colour: Of dot and bar.
        step: What its figures are rounded to.
        short: What it is in a word, for where the label leaves the interval no room.
    """

    label: str
    gain: Gain
    colour: str
    step: float
    short: str = ""


def draw(
    title: str,
    chart: Callable[[int], Any],
    height: int,
    *,
    right: int = 4,
    readings: Sequence[Reading] = (),
    by: Literal["x", "y"] = "x",
) -> Plot:
    """Draws a chart for wide and for narrow pages.

    Args:
        title: Its message.
        chart: Gives the chart for a width.
        height: In pixels, labels and axes included.
        right: Pixels left free on the right, since labels there may be wider in another font.
        readings: What can be read off it; the chart has a `trace` with as many corners.
        by: Along which axis readings are looked for.
    """
    drawn = {name: _svg(chart(width), width, height, right) for name, width in _WIDTHS.items()}
    return Plot(title=title, readings=tuple(readings), by=by, **drawn)


def draw_ranges(
    title: str, ranges: Sequence[Range], currency: str, *, needed: float = 0.0, needed_says: str = ""
) -> Plot:
    """Draws amounts with their intervals below one another, against zero and, above zero, against what is needed."""
    readings = [
        (
            row.label,
            money(row.gain.gain, currency, row.step),
            f"{figure(row.gain.low, row.step)} to {figure(row.gain.high, row.step)}",
        )
        for row in ranges
    ]
    height = 92 + _ROW * len(ranges)
    return draw(
        title, lambda width: _ranges(width, ranges, currency, needed, needed_says), height, readings=readings, by="y"
    )


def along(periods: pl.Series, width: int) -> tuple[list[Any], Any]:
    """Where periods lie, and the axis of time, or of numbers, which they lie on: `at` is the column's name.

    Times are as drawn, in the clock of the rows.
    """
    alt = library("altair", "report")
    is_time, is_day = not periods.dtype.is_integer(), periods.dtype == pl.Date
    if is_time:
        periods = periods.cast(pl.Datetime("ms")).dt.replace_time_zone(None).dt.epoch("ms")
    few = (is_day or not is_time) and periods.n_unique() <= _FEW
    axis = alt.Axis(
        grid=False,
        tickCount=max(5, width // 110) if width > _TIGHT else 2,
        labelFlush=True,
        labelSeparation=20,
        format=_clock(periods, width, is_day=is_day) if is_time else ",d",
        **({"values": periods.unique().sort().to_list()} if few else {}),
    )
    scale = alt.Scale(type="utc") if is_time else alt.Scale(zero=False, nice=False)
    x = alt.X("at:T" if is_time else "at:Q", title=None if is_time else "period", scale=scale, axis=axis)
    return periods.to_list(), x


def money_axis(channel: Any, name: str, currency: str, domain: Sequence[float], count: int) -> Any:
    """An axis of money, whose labels are as wide in every font."""
    alt = library("altair", "report")
    largest = max(map(abs, domain))
    unit, letter = next(((unit, letter) for unit, letter in _LARGE if largest >= 2.0 * unit), (1.0, ""))
    tail = f"{letter} {currency}".rstrip()
    number = f"replace(format(datum.value / {unit}, ',~f'), /^-/, '\\u2212') + {json.dumps(tail)}"
    label = f"datum.value ? {number} : {json.dumps(f'0 {currency}'.rstrip())}"
    # Another font may be wider than the one that is measured here.
    extent = LETTER * len(f"{largest / unit:,.0f}{tail}") + LETTER if channel is alt.Y else 0
    below = {"labelFlush": True, "labelOverlap": "greedy", "labelSeparation": LETTER} if channel is alt.X else {}
    axis = alt.Axis(labelExpr=label, tickCount=count, minExtent=extent, **below)
    return channel(f"{name}:Q", title=None, scale=alt.Scale(domain=list(domain), nice=False, zero=False), axis=axis)


def rule_at(alt: Any, channel: Any, amount: float, colour: str, dash: Sequence[int] = ()) -> Any:
    """A line across the plot at an amount."""
    mark = alt.Chart(rows(rule=amount)).mark_rule(color=colour, strokeWidth=1.5, strokeDash=list(dash))
    return mark.encode(x=channel("rule:Q")) if channel is alt.X else mark.encode(y=channel("rule:Q"))


def written(alt: Any, placed: Any, text: str, **look: Any) -> list[Any]:
    """A text with a halo, so that it can be read where it crosses a line."""
    halo = placed.mark_text(**{**look, "color": CARD}, stroke=CARD, strokeWidth=5, strokeJoin="round")
    return [part.encode(text=alt.value(text)) for part in (halo, placed.mark_text(**{"color": INK, **look}))]


def rows(**columns: Any) -> dict[str, list[dict[str, Any]]]:
    """Data for a plot: columns of one length, or single values."""
    lists = {name: column if isinstance(column, list) else [column] for name, column in columns.items()}
    return {"values": [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]}


def trace(placed: Any) -> Any:
    """The line that nobody sees, by which the page finds its readings: one corner each, in the order of the data."""
    return placed.mark_line(opacity=0, interpolate="linear").encode(order="i:Q").properties(name=_TRACE)


def told(period: Any) -> str:
    """The name of a period, as people read it.

    >>> from datetime import date
    >>> told(date(2026, 3, 1)), told(7)
    ('1 Mar 2026', 'period 7')
    """
    if isinstance(period, int):
        return f"period {period:,}"
    clock = f" {period:%H:%M}" if isinstance(period, datetime) and (period.hour or period.minute) else ""
    return f"{period.day} {period:%b %Y}{clock}"


def thinned(course: pl.DataFrame) -> pl.DataFrame:
    """At most so many points as can be seen, the last one among them."""
    every = -(-course.height // _MOST_POINTS)
    kept = (course.height - 1 - pl.int_range(course.height, eager=True)) % every == 0
    return course.filter(kept)


def _ranges(width: int, ranges: Sequence[Range], currency: str, needed: float, needed_says: str) -> Any:
    alt = library("altair", "report")
    amounts = [0.0, needed, *(end for row in ranges for end in (row.gain.low, row.gain.gain, row.gain.high))]
    low, high = min(amounts), max(amounts)
    margin = 0.06 * ((high - low) or 1.0)
    domain = [low - margin, high + margin]
    x = money_axis(alt.X, "amount", currency, domain, count=max(3, width // 130))
    room = width - (4 * LETTER if low < 0.0 else 0)  # the first label of the axis then stands out on the left
    height = len(ranges) + 0.8
    layers = [
        rule_at(alt, alt.X, 0.0, MUTED),
        *_mark(alt, x, 0.0, ["no gain"], _level(alt, height, height - 0.15), domain, width),
    ]
    if needed > 0.0:
        top = _level(alt, height, height - 0.45)
        dashed = alt.Chart(rows(amount=needed)).encode(x=x, y=top, y2=alt.value("height"))
        layers += [dashed.mark_rule(color=INK, strokeWidth=1.5, strokeDash=[5, 4])]
        layers += _mark(alt, x, needed, [needed_says, "worth shipping"], top, domain, width)
    for i, row in enumerate(ranges):
        gain, level = row.gain, len(ranges) - i - 0.72
        ends = alt.Chart(rows(amount=gain.low, end=gain.high)).encode(x=x, x2="end:Q", y=_level(alt, height, level))
        dot = alt.Chart(rows(amount=gain.gain)).encode(x=x, y=_level(alt, height, level))
        layers.append(ends.mark_rule(color=row.colour, strokeWidth=7, opacity=0.45, strokeCap="round"))
        layers.append(dot.mark_point(color=row.colour, fill=row.colour, opacity=1, size=150))
        amount = f": {money(gain.gain, currency, row.step)}"
        ends_say = f"{amount} ({figure(gain.low, row.step)} to {figure(gain.high, row.step)})"
        whole = [f"{label}{ends_say}" for label in (row.label, row.short) if label]
        whole += (
            [f"{row.short}: {figure(gain.low, row.step)} to {money(gain.high, currency, row.step)}"]
            if row.short
            else []
        )
        without = _shortened(row.label, room // LETTER - len(amount)) + amount
        says = next((one for one in whole if LETTER * len(one) < room), without)
        at, align = _beside(gain, domain) if width > ROOMY else (None, "left")
        placed = alt.Chart(rows(amount=at or 0.0)).encode(
            x=alt.value(4) if at is None else x, y=_level(alt, height, level + 0.42)
        )
        layers += written(alt, placed, says, align=align, fontWeight="bold")
    levels = [len(ranges) - i - 0.72 for i in range(len(ranges))]
    middles = rows(i=list(range(len(ranges))), amount=[row.gain.gain for row in ranges], level=levels)
    scale = alt.Scale(domain=[0.0, height], nice=False)
    layers.append(trace(alt.Chart(middles).encode(x=x, y=alt.Y("level:Q", axis=None, scale=scale))))
    return alt.layer(*layers)


def _shortened(text: str, most: int) -> str:
    """A text that has at most so many letters; of a longer one the beginning."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _mark(
    alt: Any, x: Any, amount: float, names: Sequence[str], level: Any, domain: Sequence[float], width: int
) -> list[Any]:
    """The first name of a line that fits on the right of it; else the last one, on the side where there is more room."""
    room = width * (domain[1] - amount) / (domain[1] - domain[0]) - LETTER
    says = next((name for name in names if LETTER * len(name) < room), names[-1])
    is_right = LETTER * len(says) < room or room > width / 2
    placed = alt.Chart(rows(amount=amount)).encode(x=x, y=level)
    return written(alt, placed, says, align="left" if is_right else "right", dx=6 if is_right else -6)


def _beside(gain: Gain, domain: Sequence[float]) -> tuple[float, str]:
    """Where a label above a range begins, or ends, so that it stays inside of the plot."""
    place = (gain.gain - domain[0]) / (domain[1] - domain[0])
    if place < 1.0 / 3.0:
        return gain.low, "left"
    return (gain.high, "right") if place > 2.0 / 3.0 else (gain.gain, "center")


def _level(alt: Any, height: float, level: float) -> Any:
    """A place between the lowest row, at 0, and the top of the plot."""
    return alt.YDatum(level, type="quantitative", axis=None, scale=alt.Scale(domain=[0.0, height], nice=False))


def _clock(times: pl.Series, width: int, *, is_day: bool) -> str:
    """How times, given in milliseconds, are written below a plot, going by how long it spans and how wide it is."""
    days = (times[-1] - times[0]) / 86_400_000
    if days > 180:
        return "%b %Y"
    is_said = is_day or days > 4
    return ("%-d %b %Y" if width > _TIGHT else "%-d %b") if is_said else "%-d %b %H:%M"


def _svg(chart: Any, width: int, height: int, right: int) -> str:
    """Draws a plot; lengths are pixels, labels and axes included."""
    alt = library("altair", "report")
    dressed = (
        chart.properties(
            width=width, height=height, autosize=alt.AutoSizeParams(type="fit", contains="padding"),
            padding={"left": 4, "top": 4, "bottom": 4, "right": right},
        )
        .configure(font="system-ui, sans-serif", background="transparent", aria=False)
        .configure_view(stroke=None)
        .configure_axis(
            labelFontSize=12, titleFontSize=12, labelColor=MUTED, titleColor=MUTED, titleFontWeight="normal",
            gridColor=LINE, domainColor=LINE, tickColor=LINE, labelPadding=6,
        )
        .configure_text(fontSize=13)
    )  # fmt: skip
    svg: str = library("vl_convert", "report").vegalite_to_svg(dressed.to_json(validate=False))
    return svg
