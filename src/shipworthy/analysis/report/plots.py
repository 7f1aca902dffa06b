"""The plots of the report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shipworthy.analysis.money import money, step_of
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
    told,
    trace,
    written,
)
from shipworthy.analysis.report.findings import Findings
from shipworthy.analysis.report.sentences import (
    a_period,
    course_title,
    interval_title,
    shown_units,
    smallest,
    units_title,
    yearly_step,
)
from shipworthy.library import library

_BAR = 26


def draw_course(findings: Findings) -> Plot:
    """The gain so far, over time, with its final amount."""
    points = thinned(findings.course)
    gain_step, total_step = (step_of(points[name].abs().to_list()) for name in ("gain", "total"))
    each = a_period(findings).removeprefix("a ").removeprefix("an ")
    readings = [
        (
            told(point["period"]),
            f"{money(point['gain'], findings.currency, gain_step)} that {each}",
            f"{money(point['total'], findings.currency, total_step)} so far",
        )
        for point in points.iter_rows(named=True)
    ]
    return draw(course_title(findings), lambda width: _course(findings, width), 260, readings=readings)


def draw_interval(findings: Findings) -> Plot:
    """The interval of the gain a year against zero, the smallest gain worth shipping and the claim."""
    found, claimed = findings.verdict.per_year(), findings.claimed
    colour = LOSS if found.gain < 0.0 else GAIN
    ranges = [Range(label="Measured", gain=found, colour=colour, step=yearly_step(findings))]
    if findings.corrected:
        label = f"Corrected for {findings.corrected_for} ideas"
        ranges.append(
            Range(label=label, gain=findings.corrected, colour=colour, step=yearly_step(findings), short="Corrected")
        )
    if claimed:
        ranges.append(Range(label="Claimed", gain=claimed, colour=MUTED, step=1.0))
    says = f"worth shipping from {smallest(findings)}"
    return draw_ranges(interval_title(findings), ranges, findings.currency, needed=findings.smallest, needed_says=says)


def draw_units(findings: Findings) -> Plot:
    """The mean gain of each unit, the best first."""
    height = 44 + _BAR * len(shown_units(findings))
    readings = [_unit(findings, unit) for unit in shown_units(findings)]
    return draw(
        units_title(findings), lambda width: _units(findings, width), height, right=20, readings=readings, by="y"
    )


def _unit(findings: Findings, unit: Mapping[str, Any]) -> tuple[str, ...]:
    """What is said of a unit where somebody points at it."""
    step = step_of([unit["champion"], unit["challenger"], unit["gain"]])
    gain, before, after = (money(unit[name], findings.currency, step) for name in ("gain", "champion", "challenger"))
    total = money(unit["total"], findings.currency, step_of([unit["total"]]))
    return (
        str(unit["unit"]),
        f"{gain} per decision: {after} instead of {before}",
        f"{total} in {unit['decisions']:,} decisions",
    )


def _course(findings: Findings, width: int) -> Any:
    alt = library("altair", "report")
    points = thinned(findings.course)
    times, x = along(points["period"], width)
    totals = points["total"].to_list()
    low, high = min(0.0, *totals), max(0.0, *totals)
    margin = 0.14 * ((high - low) or 1.0)
    y = money_axis(alt.Y, "total", findings.currency, [low - (margin if low < 0.0 else 0.0), high + margin], count=5)
    text = money(totals[-1], findings.currency, step_of([totals[-1]]))
    falls = len(totals) > 1 and totals[-1] < totals[int(0.8 * len(totals))]
    colour = LOSS if totals[-1] < 0.0 else GAIN
    end = alt.Chart(rows(at=times[-1], total=totals[-1])).encode(x=x, y=y)
    return alt.layer(
        rule_at(alt, alt.Y, 0.0, MUTED),
        alt.Chart(rows(at=times, total=totals))
        .mark_line(color=colour, strokeWidth=2.5, interpolate="linear", strokeJoin="round")
        .encode(x=x, y=y),
        trace(alt.Chart(rows(i=list(range(len(times))), at=times, total=totals)).encode(x=x, y=y)),
        end.mark_point(color=colour, fill=colour, opacity=1, size=70),
        *written(alt, end, text, align="right", dx=-2, dy=18 if falls else -14, fontSize=15, fontWeight="bold"),
    )


def _units(findings: Findings, width: int) -> Any:
    alt = library("altair", "report")
    units = shown_units(findings)
    gains = [float(str(unit["gain"])) for unit in units]
    names = [str(unit["unit"]) for unit in units]
    step = step_of(gains)
    texts = [money(gain, findings.currency, step) for gain in gains]
    low, high = min(0.0, *gains), max(0.0, *gains)
    extent = min(width // 3, LETTER * max(map(len, names)) + LETTER)
    left, right = (
        _room([text for text, gain in zip(texts, gains, strict=True) if (gain < 0.0) == is_loss])
        for is_loss in (True, False)
    )
    bars_width = max(width - extent - 2 * LETTER - left - right, width // 6)
    each = ((high - low) or 1.0) / bars_width
    domain = [low - left * each, high + right * each]
    x = money_axis(alt.X, "gain", findings.currency, domain, count=max(3, width // 150))
    names_axis = alt.Axis(
        labelExpr=f"{json.dumps(names)}[datum.value]",
        labelColor=INK,
        labelLimit=extent,
        minExtent=extent,
        ticks=False,
        domain=False,
    )
    y = alt.Y("rank:O", title=None, axis=names_axis)
    layers = []
    for is_loss, colour in ((False, GAIN), (True, LOSS)):
        chosen = [i for i, gain in enumerate(gains) if (gain < 0.0) == is_loss]
        if not chosen:
            continue
        data = rows(rank=chosen, gain=[gains[i] for i in chosen], text=[texts[i] for i in chosen])
        bars = alt.Chart(data).encode(x=x, y=y)
        layers.append(bars.mark_bar(color=colour, height=_BAR * 0.62))
        layers.append(
            bars.mark_text(align="right" if is_loss else "left", dx=-5 if is_loss else 5, color=INK).encode(
                text="text:N"
            )
        )
    ends = rows(i=list(range(len(gains))), rank=list(range(len(gains))), gain=gains)
    return alt.layer(*layers, rule_at(alt, alt.X, 0.0, INK), trace(alt.Chart(ends).encode(x=x, y=y)))


def _room(texts: list[str]) -> int:
    """Pixels that the longest of some labels needs beside its bar."""
    return LETTER * max(map(len, texts)) + LETTER if texts else 0
