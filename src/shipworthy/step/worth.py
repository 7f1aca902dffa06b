"""What decisions were worth once the outcome is known: money and guardrail metrics per row."""

from __future__ import annotations

import polars as pl

from shipworthy.errors import UserCodeError
from shipworthy.problem import Problem
from shipworthy.problem.problem import Measure

VALUE = "value"
"""The column that holds money per row."""


def happened(problem: Problem, settled: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """The rows with their outcomes and what was decided for them; rows that nobody decided are left out.

    `decisions` holds the period column, or is about the one period in `settled`.
    """
    key = [name for name in problem.key if name in decisions.columns]
    kept = settled.drop([name for name in problem.decisions if name in settled.columns])
    return kept.join(decisions, on=key, how="inner", maintain_order="left")


def worth(problem: Problem, rows: pl.DataFrame) -> pl.DataFrame:
    """One row per row of `rows`: period, unit, value, and a column per guardrail.

    Raises:
        UserCodeError: the value or a guardrail raises, or does not give one number per row.
    """
    assert problem.value_of is not None, "a problem is required to have a value before it is replayed"
    decided = pl.all_horizontal(pl.col(name).is_not_null() for name in problem.decisions)
    measures = {VALUE: problem.value_of} | {rail.name: rail.measure for rail in problem.guardrails}
    columns = [_measured(problem, rows, name, measure) for name, measure in measures.items()]
    table = rows.select(*problem.key, decided.alias("_decided")).with_columns(columns)
    blank = [pl.when("_decided").then(pl.col(column.name)).alias(column.name) for column in columns]
    return table.with_columns(blank).drop("_decided")


def _measured(problem: Problem, rows: pl.DataFrame, name: str, measure: Measure) -> pl.Series:
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


def _per_row(problem: Problem, rows: pl.DataFrame, given: pl.Expr) -> pl.Series:
    """Evaluates an expression; an aggregate is money per period, shared equally among the period's units."""
    column = rows.select(given).to_series()
    if len(column) == rows.height and not _is_aggregate(given):
        return column
    return rows.select((given / pl.len()).over(problem.period)).to_series()


def _is_aggregate(given: pl.Expr) -> bool:
    """Whether two rows give one number: known without any data of the user's."""
    return given.meta.has_multiple_outputs() is False and _height_of_two(given) == 1


def _height_of_two(given: pl.Expr) -> int:
    names = given.meta.root_names()
    if not names:
        return 1
    probe = pl.DataFrame({name: [1.0, 1.0] for name in names})
    try:
        return probe.select(given).height
    except pl.exceptions.PolarsError:
        return 2
