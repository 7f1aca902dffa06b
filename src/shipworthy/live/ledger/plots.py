"""The plots of the ledger's page."""

from __future__ import annotations

from typing import Any

import polars as pl

from shipworthy.analysis.money import step_for
from shipworthy.analysis.report.drawing import (
    GAIN,
    INK,
    LETTER,
    LOSS,
    MUTED,
    Plot,
    Range,
    along,
    draw,
    draw_ranges,
    money_axis,
    rows,
    rule_at,
    thinned,
    written,
)
from shipworthy.library import library
from shipworthy.live.ledger.ledger import Line
from shipworthy.live.ledger.sentences import course_title, earned, ranges_title, span

_HEIGHT = 280
_LABELS, _SPARE = 92, 24
_APART = 0.19
_BEFORE = "in shadow"


def draw_forecast(line: Line) -> Plot:
    """The forecast above what was realised, with their intervals, against zero."""
    ranges = [Range(label="Forecast", gain=line.forecast, colour=MUTED, step=step_for(line.forecast, 0.0))]
    if line.realised is not None:
        colour = LOSS if line.realised.gain < 0.0 else GAIN
        step = step_for(line.realised, 0.0)
        ranges.append(Range(label="Realised", gain=line.realised, colour=colour, step=step))
    return draw_ranges(ranges_title(line), ranges, line.currency)


def draw_course(line: Line) -> Plot:
    """The live gain so far: with the periods in the shadow dashed, and solid what was earned by answering."""
    return draw(course_title(line), lambda width: _course(line, width), _HEIGHT, right=_SPARE)


def _course(line: Line, width: int) -> Any:
    alt = library("altair", "report")
    seen = pl.DataFrame(
        [(one.period, one.gain, one.earned) for one in line.course], ["period", "gain", "earned"], orient="row"
    )
    points = thinned(seen.with_columns(pl.col("gain").cum_sum(), pl.col("earned").cum_sum()))
    times, x = along(points["period"], width - _LABELS)
    totals, kept = points["gain"].to_list(), points["earned"].to_list()
    low, high = min(0.0, *totals, *kept), max(0.0, *totals, *kept)
    margin = 0.16 * ((high - low) or 1.0)
    domain = [low - (margin if low < 0.0 else 0.0), high + margin]
    y = money_axis(alt.Y, "total", line.currency, domain, count=5)
    curves = []
    if line.answered < line.periods:
        curves.append((totals, f"in {'all ' if line.answered else ''}{span(line.periods, line)}", MUTED, [5, 4]))
    if line.answered:
        did, colour = ("lost", LOSS) if line.earned < 0.0 else ("earned", GAIN)
        curves.append((kept, f"{did} in {line.answered:,}", colour, []))
    places = _apart([amounts[-1] for amounts, *_ in curves], _APART * (domain[1] - domain[0]))
    layers = [rule_at(alt, alt.Y, 0.0, MUTED), *_phases(alt, line, x, width)]
    for (amounts, says, colour, dash), place in zip(curves, places, strict=True):
        drawn = alt.Chart(rows(at=times, total=amounts)).encode(x=x, y=y)
        end = alt.Chart(rows(at=times[-1], total=amounts[-1])).encode(x=x, y=y)
        label = alt.Chart(rows(at=times[-1], total=place)).encode(x=x, y=y)
        layers.append(drawn.mark_line(color=colour, strokeWidth=2 if dash else 3, strokeDash=dash, strokeJoin="round"))
        layers.append(end.mark_point(color=colour, fill=colour, opacity=1, size=60))
        amount = earned(amounts[-1], line.currency)
        layers += written(alt, label, amount, align="left", dx=9, dy=-7, fontSize=14, fontWeight="bold")
        layers += written(alt, label, says, align="left", dx=9, dy=9, fontSize=12, color=MUTED)
    return alt.layer(*layers)


def _phases(alt: Any, line: Line, x: Any, width: int) -> list[Any]:
    """From when on the idea's release answers, in words on both sides of a line; before it only where there is room."""
    place = next((i for i, one in enumerate(line.course) if one.answered), None)
    if not place:
        return []
    [at], _ = along(pl.Series([line.course[place].period]), 1)
    begins = alt.Chart(rows(at=at)).encode(x=x)
    top = begins.encode(y=alt.value(6))
    before = place / len(line.course) * (width - 2 * _LABELS)
    is_roomy = before > LETTER * len(_BEFORE)
    return [
        begins.mark_rule(color=INK, strokeWidth=1, strokeDash=[2, 3]),
        *(written(alt, top, _BEFORE, align="right", dx=-6, fontSize=12, color=MUTED) if is_roomy else ()),
        *written(alt, top, "answers", align="left", dx=6, fontSize=12, fontWeight="bold"),
    ]


def _apart(ends: list[float], least: float) -> list[float]:
    """Where the labels of one or two ends stand, so that they do not meet."""
    if len(ends) < 2 or abs(ends[0] - ends[1]) >= least:
        return ends
    middle, sign = (ends[0] + ends[1]) / 2.0, 1.0 if ends[0] >= ends[1] else -1.0
    return [middle + sign * least / 2.0, middle - sign * least / 2.0]
