"""What of a table was not known when a period was decided."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl

from shipworthy.data.scramble import Unknown
from shipworthy.problem import Period, Problem, Span
from shipworthy.step import History

_ROW = "_row"


def unknown_at(problem: Problem, table: pl.DataFrame, period: Period, when: str) -> Unknown:
    """What of a table is not known when `period` is decided: the only place where the proof says so.

    Of later periods that is every column; of this one, and of those whose outcome is still out, the columns known only after
    deciding.

    Args:
        problem: Names the columns, and how long an outcome takes.
        table: The raw table, the prepared rows, or a table that a module holds.
        period: What is decided.
        when: The column of the table that says when.
    """
    at = pl.col(when)
    if table.schema[when] == pl.Datetime and not isinstance(period, datetime) and isinstance(period, date):
        at = at.dt.date()  # a day is decided as a whole: what happened in its course is not ahead of it
    known_to = Span.of(problem.outcome_delay).before(period)
    said = table.select(ahead=at > period, open=(at > known_to) | (at >= period)).fill_null(value=False)
    if problem.known_at in table.columns and set(problem.key) <= set(table.columns):
        said = _not_known_yet(problem, table, period)
    return Unknown(
        ahead=said["ahead"],
        open=said["open"],
        late={*problem.hidden, *problem.decisions},
        fixed={*problem.key, when, problem.known_at or when},
    )


def _not_known_yet(problem: Problem, table: pl.DataFrame, period: Period) -> pl.DataFrame:
    """The same of a table with revisions, whose rule is the history's."""
    history = History(problem, table.with_row_index(_ROW))
    said = pl.DataFrame({"ahead": history.unknown_rows(period), "open": history.unknown_outcomes(period)})
    return said[history.rows[_ROW].arg_sort()]
