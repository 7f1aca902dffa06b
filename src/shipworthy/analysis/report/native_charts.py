"""Charts of slides: native ones, whose figures can be edited where the slides are."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from shipworthy.analysis.gain import Gain
from shipworthy.analysis.money import figure, money, step_of
from shipworthy.analysis.report.deck import Area, Slide, plain, rgb
from shipworthy.analysis.report.drawing import thinned
from shipworthy.analysis.report.findings import Findings
from shipworthy.analysis.report.sentences import smallest, yearly_step
from shipworthy.library import library

MOST_UNITS = 10
_LABELS = 7  # below a course
_FORMULA = re.compile(r"[={]|\w+:")


def draw_course(slide: Slide, findings: Findings, area: Area, says: str) -> None:
    """Draws the gain so far, over time."""
    points = thinned(findings.course)
    content = library("pptx.chart.data", "report").CategoryChartData(number_format=_format(points["total"].to_list()))
    content.categories = [_cell(str(period)) for period in points["period"]]
    content.add_series(plain(f"Gain so far {findings.currency}"), points["total"].to_list())
    chart = slide.chart(_kind("LINE"), content, area, says)
    series = chart.plots[0].series[0]
    series.smooth = False
    series.format.line.color.rgb = rgb("loss" if points["total"][-1] < 0.0 else "gain")
    series.format.line.width = library("pptx.util", "report").Pt(2.5)
    _quiet(chart)
    _numbered(chart.value_axis, points["total"].to_list())
    _every(chart.category_axis, max(1, -(-points.height // _LABELS)))


def draw_units(slide: Slide, findings: Findings, area: Area, says: str) -> None:
    """Draws the mean gain of each unit, the best at the top; of many the best and the worst."""
    units, half = findings.units, MOST_UNITS // 2
    shown = units if units.height <= MOST_UNITS else units.head(half).vstack(units.tail(half))
    gains = [float(gain) for gain in shown["gain"]]
    content = library("pptx.chart.data", "report").CategoryChartData(number_format=_format(gains))
    content.categories = [_cell(str(unit)) for unit in shown["unit"]]
    content.add_series(plain(f"Gain per decision {findings.currency}"), gains)
    chart = slide.chart(_kind("BAR_CLUSTERED"), content, area, says)
    _quiet(chart)
    chart.category_axis.reverse_order = True
    low, high = min(0.0, *gains), max(0.0, *gains)
    room = 0.2 * ((high - low) or 1.0)
    chart.value_axis.minimum_scale = low - (room if low < 0.0 else 0.0)
    chart.value_axis.maximum_scale = high + (room if high > 0.0 or low == 0.0 else 0.0)
    chart.value_axis.visible = chart.value_axis.has_major_gridlines = False
    plot = chart.plots[0]
    plot.gap_width, plot.has_data_labels = 45, True
    plot.data_labels.number_format, plot.data_labels.number_format_is_linked = _format(gains), False
    plot.series[0].invert_if_negative = False
    for i, gain in enumerate(gains):
        fill = plot.series[0].points[i].format.fill
        fill.solid()
        fill.fore_color.rgb = rgb("loss" if gain < 0.0 else "gain")


def draw_interval(slide: Slide, findings: Findings, area: Area, says: str) -> None:
    """Draws the interval of the gain a year, and of the claim, against zero and the smallest gain worth shipping."""
    found = findings.verdict.per_year()
    rows = [("Measured", found, "loss" if found.gain < 0.0 else "gain", yearly_step(findings))]
    if findings.claimed:
        rows.append(("Claimed", findings.claimed, "muted", 1.0))
    top = len(rows) - 0.25
    content = library("pptx.chart.data", "report").XyChartData(number_format="#,##0")
    for name, gain, _, _ in rows:
        level = len(rows) - 1.0 - [row[0] for row in rows].index(name)
        _points(content, f"{name}: interval", [(gain.low, level), (gain.high, level)])
        _points(content, name, [(gain.gain, level)])
    marks = {"no gain": 0.0} | (
        {f"worth shipping from {smallest(findings)}": findings.smallest} if findings.smallest else {}
    )
    for says_mark, amount in marks.items():
        _points(content, says_mark, [(amount, -0.5), (amount, top)])
    chart = slide.chart(_kind("XY_SCATTER_LINES_NO_MARKERS"), content, area, says)
    series = list(chart.plots[0].series)
    for i, (name, gain, colour, step) in enumerate(rows):
        _dress_range(series[2 * i], series[2 * i + 1], colour)
        ends = f"{figure(gain.low, step)} to {figure(gain.high, step)}"
        _label(series[2 * i + 1], 0, f"{name}: {money(gain.gain, findings.currency, step)} ({ends})", "ABOVE")
    for i, says_mark in enumerate(marks):
        line = series[2 * len(rows) + i]
        line.format.line.color.rgb, line.format.line.width = rgb("ink"), library("pptx.util", "report").Pt(1.25)
        if i:
            line.format.line.dash_style = library("pptx.enum.dml", "report").MSO_LINE.DASH
        _label(line, 1, says_mark, "RIGHT" if i == len(marks) - 1 else "LEFT")
    _scale(chart, [row[1] for row in rows], findings.smallest, top)


def _scale(chart: Any, gains: Sequence[Gain], needed: float, top: float) -> None:
    """Leaves room for labels on both sides, and hides the heights, which say nothing."""
    ends = [0.0, needed, *(end for gain in gains for end in (gain.low, gain.gain, gain.high))]
    room = 0.25 * ((max(ends) - min(ends)) or 1.0)
    tens = 10.0 ** math.floor(math.log10(room))
    step = tens * next(nice for nice in (1.0, 2.0, 5.0, 10.0) if nice * tens >= room)
    _quiet(chart)
    across, up = chart.category_axis, chart.value_axis
    across.minimum_scale = math.floor((min(ends) - room) / step) * step
    across.maximum_scale = math.ceil((max(ends) + room) / step) * step
    across.major_unit = step
    across.has_major_gridlines = False
    _numbered(across, ends)
    up.minimum_scale, up.maximum_scale, up.visible, up.has_major_gridlines = -0.5, top + 0.2, False, False


def _dress_range(interval: Any, dot: Any, colour: str) -> None:
    points = library("pptx.util", "report").Pt
    interval.format.line.color.rgb, interval.format.line.width = rgb(colour), points(5)
    dot.marker.style, dot.marker.size = library("pptx.enum.chart", "report").XL_MARKER_STYLE.CIRCLE, 12
    dot.marker.format.fill.solid()
    dot.marker.format.fill.fore_color.rgb = rgb(colour)
    dot.marker.format.line.color.rgb = rgb(colour)
    dot.format.line.fill.background()


def _label(series: Any, point: int, text: str, where: str) -> None:
    label = series.points[point].data_label
    label.has_text_frame = True
    label.text_frame.text = plain(text)
    label.text_frame.word_wrap = False
    label.position = getattr(library("pptx.enum.chart", "report").XL_LABEL_POSITION, where)
    font = label.text_frame.paragraphs[0].runs[0].font
    font.size, font.color.rgb = library("pptx.util", "report").Pt(12), rgb("ink")


def _quiet(chart: Any) -> None:
    """Takes the lines of a chart back, and puts its labels beside the plot and not across it."""
    low = library("pptx.enum.chart", "report").XL_TICK_LABEL_POSITION.LOW
    for axis in (chart.category_axis, chart.value_axis):
        axis.tick_label_position = low
        axis.format.line.color.rgb = rgb("line")
    chart.value_axis.has_major_gridlines = True
    chart.value_axis.major_gridlines.format.line.color.rgb = rgb("line")


def _every(axis: Any, labels: int) -> None:
    """Labels one category in so many."""
    element = library("pptx.oxml.xmlchemy", "report").OxmlElement
    for tag in ("c:tickLblSkip", "c:tickMarkSkip"):
        skip = element(tag)
        skip.set("val", str(labels))
        axis._element.find(f"{{{axis._element.nsmap['c']}}}noMultiLvlLbl").addprevious(skip)


def _numbered(axis: Any, amounts: Sequence[float]) -> None:
    """Writes the amounts of an axis with as many digits as they need."""
    axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = _format(amounts), False


def _points(content: Any, name: str, points: Sequence[tuple[float, float]]) -> None:
    series = content.add_series(_cell(name))
    for across, up in points:
        series.add_data_point(across, up)


def _cell(text: str) -> str:
    """A text that a worksheet takes for no formula and for no link."""
    line = plain(text)
    return f" {line}" if _FORMULA.match(line) else line


def _format(amounts: Sequence[float]) -> str:
    decimals = max(0, -math.floor(math.log10(step_of(amounts)) + 1e-9))
    return "#,##0" + (f".{'0' * decimals}" if decimals else "")


def _kind(name: str) -> Any:
    return getattr(library("pptx.enum.chart", "report").XL_CHART_TYPE, name)
