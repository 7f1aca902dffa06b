"""What a gain can be told apart by: the columns known before deciding, the unit, and the calendar."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from shipworthy.ideas.idea import Idea
from shipworthy.problem import Problem
from shipworthy.project import Gap

_KEY = ("period", "unit")
_OF_DATES = ("weekday", "month")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November")
_NAMES = {"weekday": _WEEKDAYS, "month": (*_MONTHS, "December")}


def segment_columns(problem: Problem, rows: pl.DataFrame) -> list[str]:
    """The names that an idea's `segments` may say: unit, columns known before deciding, weekday and month of dates.

    >>> shop = Problem("shop", rows=None, period="day", unit="item", outcome="sold", decision="stock")
    >>> segment_columns(shop, pl.DataFrame({"day": [1], "item": ["tea"], "sold": [4], "shelf": [2]}))
    ['item', 'shelf']
    """
    taken = {*_KEY, problem.period, problem.unit, problem.known_at, *problem.hidden, *problem.decisions}
    known = [problem.unit, *(name for name in rows.columns if name not in taken)]
    is_dated = isinstance(rows.schema[problem.period], pl.Date | pl.Datetime)
    return [*known, *(name for name in _OF_DATES if is_dated and name not in rows.columns)]


def unknown_segments(problem: Problem, idea: Idea, rows: pl.DataFrame) -> list[Gap]:
    """Why an idea's segments cannot be told apart, with what can."""
    there = segment_columns(problem, rows)
    remedy = f"Use any of: {', '.join(there)}."
    return [
        Gap(f"The segment {name!r} {_fault(problem, name)}.", remedy) for name in idea.segments if name not in there
    ]


def segmented(problem: Problem, rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The columns period, unit and those of the segments, for each row; a segment that is not there is left out."""
    there = segment_columns(problem, rows)
    return rows.select(
        pl.col(problem.period).alias("period"),
        pl.col(problem.unit).alias("unit"),
        *(_column(problem, rows, name).alias(name) for name in names if name in there and name not in _KEY),
    )


def _column(problem: Problem, rows: pl.DataFrame, name: str) -> pl.Expr:
    if name in rows.columns:
        return pl.col(name)
    at = pl.col(problem.period).dt
    number = (at.weekday() if name == "weekday" else at.month()).cast(pl.Int64)
    words = _NAMES[name]
    return number.replace_strict(range(1, len(words) + 1), words, return_dtype=pl.Enum(words))


def _fault(problem: Problem, name: str) -> str:
    if name in problem.hidden:
        return "is known only after deciding"
    if name in problem.decisions:
        return "is what is decided, and each policy decides it otherwise"
    return "is the period itself" if name == problem.period else "is no column of the rows"
