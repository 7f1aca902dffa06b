"""What the rows cover: periods, units, gaps and holes, in figures that need no statistics to read."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import polars as pl

from shipworthy.data.columns import Column, columns_of
from shipworthy.data.oddities import oddities
from shipworthy.problem import Problem
from shipworthy.step import History

_MOST_STRETCHES = 200
_THINNEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The coverage of a table of rows.

    Attributes:
        n_rows: Good rows.
        n_periods: Periods with at least one row.
        n_units: Units with at least one row.
        first: The first period.
        last: The last period.
        missing_periods: Periods that the usual step between periods would have, and the rows have not.
        missing_units: (Period, unit) pairs without a row, over the periods that are there.
        open_outcomes: Rows whose outcome is not there.
        n_copies: Rows that were an exact copy of another one.
        n_quarantined: Rows set apart.
        empty_columns: Columns without any value.
        coverage: Rows along time: (first period, rows per period) of up to 200 equal stretches of periods.
        thinnest_units: (unit, periods with a row) of the units that are there least, five at most; none where units do not
            recur, or all are always there.
        columns: Each column in a few figures.
        oddities: What is odd about the rows, in sentences.
    """

    n_rows: int
    n_periods: int
    n_units: int
    first: str
    last: str
    missing_periods: int
    missing_units: int
    open_outcomes: int
    n_copies: int
    n_quarantined: int
    empty_columns: tuple[str, ...]
    coverage: tuple[tuple[str, float], ...]
    thinnest_units: tuple[tuple[str, int], ...]
    columns: tuple[Column, ...]
    oddities: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self)


def profile(problem: Problem, rows: pl.DataFrame, *, n_read: int, n_quarantined: int) -> Profile:
    """Profiles the good rows of a snapshot, of which `n_read` were read in all; revisions of one row count once."""
    n_copies = n_read - rows.height - n_quarantined
    rows = History(problem, rows).newest.rows
    periods = rows[problem.period].unique().sort()
    n_units = rows[problem.unit].n_unique()
    recur = _units_recur(problem, rows)
    columns = columns_of(problem, rows)
    return Profile(
        n_rows=rows.height,
        n_periods=len(periods),
        n_units=n_units,
        first=str(periods[0]) if len(periods) else "",
        last=str(periods[-1]) if len(periods) else "",
        missing_periods=_missing(periods),
        missing_units=len(periods) * n_units - rows.height if recur else 0,
        open_outcomes=rows[problem.outcome].null_count(),
        n_copies=n_copies,
        n_quarantined=n_quarantined,
        empty_columns=tuple(name for name in rows.columns if rows[name].null_count() == rows.height and rows.height),
        coverage=_coverage(problem, rows),
        thinnest_units=_thinnest(problem, rows, len(periods)) if recur else (),
        columns=tuple(columns),
        oddities=tuple(oddities(problem, rows, columns)) if rows.height else (),
    )


def _coverage(problem: Problem, rows: pl.DataFrame) -> tuple[tuple[str, float], ...]:
    counts = rows.group_by(problem.period).len().sort(problem.period)
    length = -(-counts.height // _MOST_STRETCHES) or 1
    stretches = counts.with_row_index("place").group_by(pl.col("place") // length, maintain_order=True)
    means = stretches.agg(pl.col(problem.period).first().cast(pl.String), pl.col("len").mean())
    return tuple((str(period), float(count)) for _, period, count in means.rows())


def _thinnest(problem: Problem, rows: pl.DataFrame, n_periods: int) -> tuple[tuple[str, int], ...]:
    counts = rows.group_by(problem.unit).len().filter(pl.col("len") < n_periods).sort("len", problem.unit)
    return tuple((str(unit), int(count)) for unit, count in counts.head(_THINNEST).rows())


def _missing(periods: pl.Series) -> int:
    """Periods that are missing where the usual step (the commonest one) would have put them."""
    values = periods.to_list()
    steps = Counter(later - earlier for earlier, later in pairwise(values))
    if not steps:
        return 0
    usual = steps.most_common(1)[0][0]
    return sum(int(step / usual) - 1 for step in steps.elements() if step > usual)


def _units_recur(problem: Problem, rows: pl.DataFrame) -> bool:
    seen = rows.group_by(problem.unit).len()["len"]
    return all(count > 1 for count in seen.to_list())
