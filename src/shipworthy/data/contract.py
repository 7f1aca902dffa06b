"""What every row must satisfy; rows that do not are set apart with a reason each, never dropped silently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from shipworthy.errors import InvalidInputError
from shipworthy.problem import Problem

REASON = "reason"
"""The column of a quarantined row that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One rule, and which rows break it.

    Attributes:
        rule: The rule in words, as it stands beside each row.
        broken: True for each row that breaks it.
    """

    rule: str
    broken: pl.Expr


def broken_rows(problem: Problem, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Parts the rows into those that keep the contract and those that do not, the latter with a reason each.

    Exact copies of a row are one row. Rows with one key but different content are all set apart: nobody can say
    which of them is true.

    Raises:
        InvalidInputError: a column that the problem names is not there, or the table is empty, or the period column is
            no date, datetime or whole number, or a column is named as the reason is.

    >>> shop = Problem("shop", rows=None, period="day", unit="item", outcome="sold")
    >>> rows = pl.DataFrame({"day": [1, 1, 2], "item": ["a", "a", None], "sold": [1.0, 2.0, 3.0]})
    >>> good, bad = broken_rows(shop, rows)
    >>> good.height, bad["reason"].to_list()
    (0, ['another row has the same day and item', 'another row has the same day and item', 'item is empty'])
    """
    _refuse_unusable(problem, rows)
    rules = list(_rules(problem, rows))
    reasons = [pl.when(rule.broken).then(pl.lit(rule.rule)) for rule in rules]
    distinct = rows.unique(maintain_order=True)
    reason = distinct.select(pl.coalesce(reasons).alias(REASON)).to_series()
    return distinct.filter(reason.is_null()), distinct.with_columns(reason).filter(reason.is_not_null())


def _rules(problem: Problem, rows: pl.DataFrame) -> Iterator[Violation]:
    for name in problem.key:
        yield Violation(rule=f"{name} is empty", broken=pl.col(name).is_null())
    for name, dtype in rows.schema.items():
        if dtype.is_float():
            yield Violation(rule=f"{name} is infinite", broken=pl.col(name).is_infinite().fill_null(value=False))
    outcome = pl.col(problem.outcome)
    if rows.schema[problem.outcome].is_float():
        yield Violation(rule=f"{problem.outcome} is NaN", broken=outcome.is_nan().fill_null(value=False))
    yield Violation(
        rule=f"another row has the same {' and '.join(problem.row_key)}",
        broken=pl.struct(problem.row_key).is_duplicated(),
    )


def _refuse_unusable(problem: Problem, rows: pl.DataFrame) -> None:
    named = [*problem.key, problem.outcome]
    absent = [name for name in named if name not in rows.columns]
    if absent:
        raise InvalidInputError(
            f"The rows of problem {problem.name!r} have no column {', '.join(map(repr, absent))}. There is: "
            f"{', '.join(rows.columns) or 'no column at all'}. Correct Problem(...) or the preparation of the rows."
        )
    if rows.is_empty():
        raise InvalidInputError(
            f"The rows of problem {problem.name!r} are empty: there is nothing to learn from or to replay."
        )
    if REASON in rows.columns:
        raise InvalidInputError(
            f"The rows of problem {problem.name!r} have a column {REASON!r}, in which the reason stands why a row is set apart. "
            "Rename it where the rows are prepared."
        )
    dtype = rows.schema[problem.period]
    zone = getattr(dtype, "time_zone", None)
    if zone not in (None, "UTC"):
        raise InvalidInputError(
            f"The period column {problem.period!r} is in the time of {zone}, where one hour a year comes twice and one never. "
            f'Make it UTC with pl.col("{problem.period}").dt.convert_time_zone("UTC") where the rows are prepared, or a date '
            "with .dt.date() where a period is a day."
        )
    if not (dtype in (pl.Date, pl.Datetime) or dtype.is_integer()):
        raise InvalidInputError(
            f"The period column {problem.period!r} is {dtype}. Make it a date, a datetime or a whole number, for example "
            f'with pl.col("{problem.period}").str.to_date() where the rows are prepared.'
        )
