"""What is odd about a table of rows, told so that whoever knows the business can say whether it matters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import polars as pl

from shipworthy.data.columns import Column
from shipworthy.problem import Problem, Span

_CAPPED = 0.05
_FEWEST_AT_CAP = 3
_FEWEST_DISTINCT = 8
_SOLD_OUT = 0.05
_FAR = 0.8
_SHIFTED = 0.3
_MOST_TOLD = 4
_CLOCK_MONTHS = (3, 4, 10, 11)


def oddities(problem: Problem, rows: pl.DataFrame, columns: Sequence[Column]) -> list[str]:
    """Findings in sentences, the ones about the outcome first; none is an error.

    >>> shop = Problem("shop", rows=None, period="day", unit="item", outcome="sold")
    >>> rows = pl.DataFrame({"day": [1, 2], "item": ["a", "a"], "sold": [1.0, 2.0], "shelf": [7, 7]})
    >>> from shipworthy.data.columns import columns_of
    >>> oddities(shop, rows, columns_of(shop, rows))
    ['shelf has the same value in every row.']
    """
    return [
        *_late(problem, rows),
        *_censored(problem, rows),
        *_capped(problem, rows),
        *_clock_changes(problem, rows),
        *_of_columns(columns),
    ]


def _late(problem: Problem, rows: pl.DataFrame) -> Iterator[str]:
    """Outcomes that should be there by the outcome delay, and are not."""
    newest = rows[problem.period].max()
    due = Span.of(problem.outcome_delay).before(newest)
    late = rows.filter((pl.col(problem.period) <= due) & pl.col(problem.outcome).is_null())
    if late.height:
        yield (
            f"{late.height:,} outcomes are not there although more than {problem.outcome_delay} passed, the first of "
            f"{late[problem.period].min()!s}: they come later than outcome_delay says, or never."
        )


def _censored(problem: Problem, rows: pl.DataFrame) -> Iterator[str]:
    """An outcome that often equals what was decided may have been cut off by it: sales are not demand."""
    for name in problem.decisions:
        if name not in rows.columns or not (rows[name].dtype.is_numeric() and rows[problem.outcome].dtype.is_numeric()):
            continue
        both = rows.select(pl.col(name).alias("decided"), pl.col(problem.outcome).alias("outcome")).drop_nulls()
        share = both.select((pl.col("decided") == pl.col("outcome")).mean()).item() or 0.0
        above = both.select((pl.col("outcome") > pl.col("decided")).mean()).item() or 0.0
        if share >= _SOLD_OUT and above < share / 10:
            yield (
                f"In {share:.0%} of rows {problem.outcome} equals {name} exactly, and hardly ever exceeds it: it may have been "
                "cut off by what was decided, as sales are by stock. Then it understates what was wanted."
            )


def _capped(problem: Problem, rows: pl.DataFrame) -> Iterator[str]:
    """Units whose outcome stops at its own maximum again and again."""
    if not rows[problem.outcome].dtype.is_numeric():
        return
    outcome = pl.col(problem.outcome)
    units = (
        rows.drop_nulls(problem.outcome)
        .group_by(problem.unit)
        .agg(
            at_top=(outcome == outcome.max()).sum(),
            share=(outcome == outcome.max()).mean(),
            distinct=outcome.n_unique(),
            top=outcome.max(),
        )
        .filter(
            (pl.col("share") >= _CAPPED)
            & (pl.col("at_top") >= _FEWEST_AT_CAP)
            & (pl.col("distinct") >= _FEWEST_DISTINCT)
        )
        .sort("share", descending=True)
    )
    if units.height:
        first = units.row(0, named=True)
        who = f"{units.height} unit{'s' if units.height > 1 else ''}"
        yield (
            f"{problem.outcome} of {who} stops at its maximum again and again, that of {first[problem.unit]} at "
            f"{first['top']:g} in {first['share']:.0%} of its rows: perhaps it is cut off there."
        )


def _clock_changes(problem: Problem, rows: pl.DataFrame) -> Iterator[str]:
    """Days of an hour more or less in the months in which clocks are changed: times that are local, not UTC."""
    dtype = rows.schema[problem.period]
    if not isinstance(dtype, pl.Datetime) or dtype.time_zone is not None:
        return
    periods = rows.select(pl.col(problem.period).unique().sort())
    steps = periods[problem.period].diff().drop_nulls()
    if not len(steps) or steps.mode()[0] > timedelta(hours=1):
        return
    days = periods.group_by(pl.col(problem.period).dt.date().alias("day")).len().sort("day")[1:-1]
    if days.is_empty():
        return
    usual, hour = days["len"].mode()[0], round(timedelta(hours=1) / steps.mode()[0])
    odd = days.filter(
        ((pl.col("len").cast(pl.Int64) - usual).abs() == hour)
        & (pl.col("day").dt.weekday() == 7)
        & pl.col("day").dt.month().is_in(_CLOCK_MONTHS)
    )
    if odd.height:
        yield (
            f"{odd.height} Sundays in spring or autumn, the first {odd['day'][0]}, have an hour more or less than other days: "
            f"the times are local ones. Make {problem.period} UTC where the rows are prepared."
        )


def _of_columns(columns: Sequence[Column]) -> Iterator[str]:
    constant = [column.name for column in columns if column.is_constant and column.role != "unit"]
    if constant:
        yield f"{', '.join(constant)} {'has' if len(constant) == 1 else 'have each'} the same value in every row."
    for column in columns:
        if column.twin is not None:
            yield f"{column.name} says the same as {column.twin}, row for row."
    drifting = [(_reach(column), column) for column in columns if _reach(column) >= 1.0]
    if drifting:
        strongest = [column for _, column in sorted(drifting, key=lambda pair: -pair[0])[:_MOST_TOLD]]
        more = f" and {len(drifting) - len(strongest)} more" if len(drifting) > len(strongest) else ""
        yield (
            f"The last third of the periods is not like the first: {'; '.join(map(_drift_in_words, strongest))}{more}. What was "
            "learnt early may not hold late."
        )


def _reach(column: Column) -> float:
    """How far a column drifts, as a multiple of what is worth telling."""
    if column.drift is None:
        return 0.0
    return abs(column.drift) / (_SHIFTED if column.kind == "text" else _FAR)


def _drift_in_words(column: Column) -> str:
    assert column.drift is not None, "asked only of columns that drift"
    if column.kind == "text":
        return f"{column.name} has {column.drift:.0%} other values"
    far, way = min(abs(column.drift), 99.0), "higher" if column.drift > 0 else "lower"
    return f"{column.name} lies {far:.1f} standard deviations {way}"
