"""What decisions were worth once the outcome is known: money and guardrail metrics per row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from shipworthy.errors import UserCodeError
from shipworthy.problem import Problem
from shipworthy.problem.assumption import assumed, takes_second
from shipworthy.problem.problem import Measure

VALUE = "value"
"""The column that holds money per row."""

_WHOLE = "_is_whole"


def happened(problem: Problem, settled: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """The rows with their outcomes and what was decided for them; rows that nobody decided are left out.

    `decisions` holds the period column, or is about the one period in `settled`.
    """
    key = [name for name in problem.key if name in decisions.columns]
    kept = settled.drop([name for name in problem.decisions if name in settled.columns])
    return kept.join(decisions, on=key, how="inner", maintain_order="left")


def worth(problem: Problem, rows: pl.DataFrame) -> pl.DataFrame:
    """One row per row of `rows`: period, unit, value, and a column per guardrail.

    They are null where nothing was decided and where the outcome is not there yet; and where money is per period, for
    the whole period in which one outcome is still out.

    Raises:
        UserCodeError: the value or a guardrail raises, does not give one number per row, or mixes periods.
    """
    assert problem.value_of is not None, "a problem is required to have a value before it is replayed"
    rows = _told_whole(problem, rows)
    measures = {VALUE: problem.value_of} | {rail.name: rail.measure for rail in problem.guardrails}
    columns = [
        _measured(problem, rows, name, _assuming(measure, problem.assumed)) for name, measure in measures.items()
    ]
    table = rows.select(*problem.key, _WHOLE).with_columns(columns)
    blank = [pl.when(_WHOLE).then(pl.col(column.name)).alias(column.name) for column in columns]
    return table.with_columns(blank).drop(_WHOLE)


def money_if(problem: Problem, rows: pl.DataFrame, instead: Mapping[str, float]) -> pl.Series:
    """The money of each row of `rows` as `worth` gives it, had some assumptions been other ones.

    Args:
        problem: Whose value it is.
        rows: Rows with decisions and outcomes.
        instead: Those assumptions, by their names; the others are as they are stated.

    Raises:
        UserCodeError: the value raises, or does not give one number per row.
    """
    assert problem.value_of is not None, "a problem is required to have a value before it is replayed"
    rows = _told_whole(problem, rows)
    column = _numbers(problem, rows, VALUE, _assuming(problem.value_of, assumed({**problem.assumed, **instead})))
    return rows.select(pl.when(_WHOLE).then(column).alias(VALUE)).to_series()


def _told_whole(problem: Problem, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with whether they were decided and their outcome is there."""
    names = (*problem.decisions, problem.outcome)
    is_whole = pl.all_horizontal(pl.col(name).is_not_null() for name in names if name in rows.columns)
    return rows.with_columns(is_whole.alias(_WHOLE))


def _assuming(measure: Measure, numbers: Mapping[str, float]) -> Measure:
    """The measure of the rows alone, given the assumptions where it asks for them."""
    return (lambda rows: measure(rows, numbers)) if takes_second(measure) else measure


def _measured(problem: Problem, rows: pl.DataFrame, name: str, measure: Measure) -> pl.Series:
    column = _numbers(problem, rows, name, measure)
    _refuse_mixing(problem, rows, column, measure)
    return column


def _numbers(problem: Problem, rows: pl.DataFrame, name: str, measure: Measure) -> pl.Series:
    try:
        given = measure(rows)
        column = _per_row(problem, rows, given) if isinstance(given, pl.Expr) else pl.Series(given)
        column = column.cast(pl.Float64)
    except Exception as error:
        raise UserCodeError(f"{name!r} of problem {problem.name!r} failed: {type(error).__name__}: {error}") from error
    if len(column) != rows.height:
        raise UserCodeError(
            f"{name!r} of problem {problem.name!r} gave {len(column)} numbers for {rows.height} rows. Give one per row, or "
            "an expression which aggregates the period."
        )
    return column.alias(name)


def _refuse_mixing(problem: Problem, rows: pl.DataFrame, column: pl.Series, measure: Measure) -> None:
    """Measures the first and the last whole period once more, each alone: money may not hang on what is valued beside it.

    Two catch what goes by totals, by running sums and by the row before; all would take as long as the replay.
    """
    whole = rows.filter(pl.col(_WHOLE).all().over(problem.period)).get_column(problem.period)
    ends = whole.unique().sort().to_list()
    for period in (ends[0], ends[-1]) if len(ends) > 1 else ():
        is_one = rows.get_column(problem.period) == period
        among, alone = column.filter(is_one), _numbers(problem, rows.filter(is_one), column.name, measure)
        if not np.allclose(among, alone, rtol=1e-6, atol=1e-9, equal_nan=True):
            raise UserCodeError(
                f"{column.name!r} of problem {problem.name!r} gives {period} {alone.sum():g} when it is measured alone, and "
                f"{among.sum():g} among other periods. It gets the rows of many at once: work out each by itself, as "
                f"happened.partition_by({problem.period!r}, maintain_order=True) and .over({problem.period!r}) do."
            )


def _per_row(problem: Problem, rows: pl.DataFrame, given: pl.Expr) -> pl.Series:
    """Evaluates an expression period by period; an aggregate is money per period, shared equally among its units."""
    found = rows.select(given)
    if found.width != 1:
        raise ValueError(f"it gives {found.width} columns, {', '.join(found.columns)}; give one")
    if found.height == 1 < rows.height:
        given = pl.when(pl.col(_WHOLE).all()).then(given / pl.len())
    return rows.select(given.over(problem.period)).to_series()
