"""The rows that break the contract are set apart with every reason, never dropped silently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import polars as pl

from shipworthy.data.contract import YEARS, Contract
from shipworthy.data.fit import refuse_unfit
from shipworthy.data.guard import Guard, Rule, without_nan
from shipworthy.errors import InvalidInputError
from shipworthy.problem import Problem

REASON = "reason"
"""The column of a quarantined row that says why."""

BETWEEN = "; "
"""What stands between the reasons of a row that breaks several rules."""


class Parted(NamedTuple):
    """Rows, parted by a contract.

    Attributes:
        good: The rows that keep it.
        bad: Those that do not, with their reasons.
        counts: How many rows break each rule, by its reason, the commonest first.
    """

    good: pl.DataFrame
    bad: pl.DataFrame
    counts: Mapping[str, int]


def broken_rows(problem: Problem, rows: pl.DataFrame, contract: Contract | None = None) -> Parted:
    """Parts the rows into those that keep the contract and those that do not, the latter with all their reasons.

    Some rules hold without any contract: a key is whole and stands once, times are ones that can
    be reckoned with, and numbers are finite. Exact copies of a row
    are one row. Rows with one key but different content are all set apart: nobody can say which of them is true.

    Raises:
        InvalidInputError: a column that the problem names is not there, or the table is empty, or the period column is
            no date, datetime or whole number, or a column is named as the reason is, or like a
            pattern of columns; or the contract does not fit the
            rows: a column is absent or of another type, or a rule cannot be evaluated.

    >>> shop = Problem("shop", rows=None, period="day", unit="item", outcome="sold")
    >>> rows = pl.DataFrame({"day": [1, 1, 2], "item": ["a", "a", None], "sold": [1.0, 2.0, 3.0]})
    >>> good, bad, counts = broken_rows(shop, rows)
    >>> good.height, bad["reason"].to_list()
    (0, ['another row has the same day and item', 'another row has the same day and item', 'item is empty'])
    """
    _refuse_unusable(problem, rows)
    distinct = rows.unique(maintain_order=True)
    always = list(_always(problem, rows))
    flags = {
        rule.reason: flag for rule, flag in zip(always, distinct.select(_numbered(always)).iter_columns(), strict=True)
    }
    if contract is not None:
        refuse_unfit(contract, rows, problem.hidden)
        guard = Guard(contract, rows.schema)
        flags |= {
            rule.reason: flag
            for rule, flag in zip(guard.rules, guard.broken(without_nan(distinct)), strict=True)
            if flag.any()
        }
    return _parted(distinct, pl.DataFrame({reason: flag.fill_null(value=False) for reason, flag in flags.items()}))


def _parted(rows: pl.DataFrame, flags: pl.DataFrame) -> Parted:
    is_bad = flags.select(pl.any_horizontal(pl.all())).to_series()
    broken = flags.filter(is_bad)
    told = [pl.when(pl.col(reason)).then(pl.lit(reason)) for reason in broken.columns]
    reasons = broken.select(pl.concat_str(told, separator=BETWEEN, ignore_nulls=True).alias(REASON)).to_series()
    counts = {flag.name: int(flag.sum()) for flag in broken.iter_columns()}
    return Parted(
        good=rows.filter(~is_bad),
        bad=rows.filter(is_bad).with_columns(reasons),
        counts=dict(sorted(((name, n) for name, n in counts.items() if n), key=lambda counted: -counted[1])),
    )


def _numbered(rules: list[Rule]) -> Iterator[pl.Expr]:
    return (rule.broken.alias(str(place)) for place, rule in enumerate(rules))


def _always(problem: Problem, rows: pl.DataFrame) -> Iterator[Rule]:
    """The rules that hold without any contract."""
    for name in problem.key:
        yield Rule(columns=(name,), says="is empty", broken=pl.col(name).is_null())
    if rows.schema[problem.period].is_temporal():
        is_far = ~pl.col(problem.period).dt.year().is_between(*YEARS)  # 9999-12-31 for "never", or a slip of the pen
        yield Rule(columns=(problem.period,), says=f"lies outside the years {YEARS[0]} to {YEARS[1]}", broken=is_far)
    for name, dtype in rows.schema.items():
        if dtype.is_float():
            yield Rule(columns=(name,), says="is infinite", broken=pl.col(name).is_infinite())
    if rows.schema[problem.outcome].is_float():
        yield Rule(columns=(problem.outcome,), says="is NaN", broken=pl.col(problem.outcome).is_nan())
    yield _stands_once(problem)


def _stands_once(problem: Problem) -> Rule:
    key = problem.row_key
    is_whole = pl.all_horizontal(pl.col(problem.key).is_not_null())
    again = pl.struct(key).is_duplicated() & is_whole
    return Rule(columns=key, says=f"another row has the same {' and '.join(key)}", broken=again)


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
    patterns = [name for name in rows.columns if name == "*" or (name[0:1] == "^" and name[-1:] == "$")]
    if patterns:
        raise InvalidInputError(
            f"The rows of problem {problem.name!r} have a column {patterns[0]!r}, which stands for several columns where one is "
            "named. Rename it where the rows are prepared."
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
