"""The page about the data: whether an idea can be proved with them, and what they hold, for a reader without statistics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from shipworthy.analysis.report import data_facts
from shipworthy.analysis.report.drawing import GAIN, MUTED, Plot, along, draw, rows
from shipworthy.analysis.report.layout import REPORTS_FOLDER, lay_out, write_page
from shipworthy.data.examine import DataAnswer, read_answer
from shipworthy.errors import NotFoundError
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.register import find_idea
from shipworthy.library import library
from shipworthy.problem import Problem
from shipworthy.project import Project
from shipworthy.project.code import load_problem

_TEMPLATE = Path(__file__).with_name("data.html.jinja")


def write_data_page(project: Project, number: int) -> Path:
    """Writes `reports/NNNN-slug-data.html`; it is there wholly or not at all, and a newer one takes its place.

    Raises:
        NotFoundError: There is no such idea, or its data were never examined.
        UnavailableError: The extra `report` is not installed, or the folder cannot be written.
    """
    idea = find_idea(project, number)
    record = project.records.get("data", idea.key)
    if record is None:
        raise NotFoundError(f"The data have not been examined for idea {number}. Run `shipworthy data {number}`.")
    _, problem = load_problem(project, idea.problem)
    path = project.root / REPORTS_FOLDER / f"{idea.key}-{idea.slug}-data.html"
    return write_page(path, render_data_page(idea, problem, read_answer(record), f"{record.at:%Y-%m-%d}"))


def render_data_page(idea: Idea, problem: Problem, answer: DataAnswer, day: str) -> str:
    """Lays out the page; the same answer gives the same page.

    Raises:
        UnavailableError: The extra `report` is not installed.
    """
    return lay_out(
        _TEMPLATE,
        idea=idea,
        problem=problem,
        answer=answer,
        data=data_facts,
        is_quiet=answer.provable is not None and math.isfinite(answer.provable["smallest_detectable"]),
        day=day,
        coverage_plot=draw_coverage(answer.profile),
        note=coverage_note(answer.profile),
    )


def draw_coverage(covered: Mapping[str, Any]) -> Plot:
    """Rows per period, over time."""
    return draw(_coverage_title(covered), lambda width: _coverage(covered["coverage"], width), 200, right=16)


def coverage_note(covered: Mapping[str, Any]) -> str:
    """What the plot of coverage says, in sentences."""
    missing, thin = covered["missing_periods"], covered["thinnest_units"]
    holes = f"{missing:,} periods are missing between the first and the last" if missing else "No period is missing"
    units = (
        "; the units that are there least: " + ", ".join(f"{unit} ({count:,} periods)" for unit, count in thin)
        if thin
        else ""
    )
    return f"{holes}{units}."


def _coverage_title(covered: Mapping[str, Any]) -> str:
    return f"{covered['n_rows']:,} rows from {covered['first']} to {covered['last']}"


def _coverage(stretches: Sequence[tuple[str, float]], width: int) -> Any:
    alt = library("altair", "report")
    periods = pl.Series("at", [period for period, _ in stretches])
    times, x = along(_in_time(periods), width)
    counts = [count for _, count in stretches]
    y = alt.Y("count:Q", title="rows a period", scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=4, format=",~f"))
    chart = alt.Chart(rows(at=times, count=counts)).encode(x=x, y=y)
    return alt.layer(
        chart.mark_area(color=GAIN, opacity=0.18, interpolate="step-after"),
        chart.mark_line(color=GAIN, strokeWidth=1.5, interpolate="step-after"),
        chart.mark_point(color=MUTED, size=4, opacity=0.0),
    )


def _in_time(periods: pl.Series) -> pl.Series:
    """Periods as numbers or times again, from the text in which they were recorded."""
    numbers = periods.cast(pl.Int64, strict=False)
    return numbers if numbers.null_count() == 0 else periods.str.to_datetime(strict=False, time_unit="ms")
