"""The rows in order of time, cut by what was known when."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime

import polars as pl

from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.problem import Period, Policy, Problem, Span

_SINCE, _UNTIL, _IS_FIRST = "_since", "_until", "_is_first"


class History:
    """The rows of a problem sorted by period, so that what was known at any period is one slice.

    A row belongs to what was known at `t` when its period plus the outcome delay is not after `t`.

    Where the problem names a column `known_at`, a (period, unit) may have several rows, its revisions, and two rules hold:
    the one above, and that of its revisions those with `known_at <= t` are known at `t`, of which the newest counts. `t` is the
    instant at which the period begins, a date is its midnight, and a revision without `known_at` is not known yet, whatever its
    outcome says. What is known before deciding comes from the newest revision known at `t`, or from the oldest where none is;
    what a decision was worth, from the newest of all. Rows without the column, as a release remembers them, are one revision
    each.

    This is the only place where these rules are written down.
    """

    def __init__(self, problem: Problem, rows: pl.DataFrame) -> None:
        """Sorts the rows once; every later cut is a slice, without a copy where there are no revisions.

        Raises:
            InvalidInputError: periods are numbers and `known_at` is a time, or the other way round.
        """
        self._problem = problem
        self.period = problem.period
        self._known_at = problem.known_at if problem.known_at in rows.columns else None
        self._delay = Span.of(problem.outcome_delay)
        self._hidden = [name for name in rows.columns if name in {*problem.hidden, *problem.decisions}]
        if self._known_at is None:
            self._revisions = self._settled = _ByPeriod(rows.sort(problem.key, maintain_order=True), problem.period)
        else:
            dated = _dated(problem, rows, self._known_at)
            newest = pl.col(_UNTIL).is_null() & (pl.col(_SINCE).is_not_null() | pl.col(_IS_FIRST))
            self._revisions = _ByPeriod(dated, problem.period)
            self._settled = _ByPeriod(self._bare(dated.filter(newest)), problem.period)
        self.periods: Sequence[Period] = self._settled.periods

    @property
    def rows(self) -> pl.DataFrame:
        """All rows with every revision, outcomes and `known_at` included, sorted by period, unit and revision."""
        return self._revisions.table.drop(_SINCE, _UNTIL, _IS_FIRST, strict=False)

    @property
    def newest(self) -> History:
        """The history as it stands today: the newest revision of each (period, unit), and no word of when it became known."""
        return self if self._known_at is None else History(self._problem, self._settled.table)

    def to_decide(self, period: Period) -> pl.DataFrame:
        """The rows of one period as they are before deciding: without what is known, or was decided, only afterwards."""
        if self._known_at is None:
            return self.settled(period).drop(self._hidden)
        place = self._place(period)
        found = self._revisions.slice(place, place + 1)
        in_force = (pl.col(_IS_FIRST) | (pl.col(_SINCE) <= _instant(period))) & self._not_replaced(period)
        return self._bare(found.filter(in_force)).drop(self._hidden)

    def settled(self, period: Period) -> pl.DataFrame:
        """The rows of one period with their outcomes."""
        place = self._place(period)
        return self._settled.slice(place, place + 1)

    def known(self, period: Period, within: Span | None = None) -> pl.DataFrame:
        """The rows whose outcomes are known when `period` is decided, at most `within` back from it."""
        last = bisect_right(self.periods, self._delay.before(period))
        last = min(last, bisect_left(self.periods, period))
        first = 0 if within is None else bisect_left(self.periods, within.before(period))
        found = self._revisions.slice(min(first, last), last)
        if self._known_at is None:
            return found
        return self._bare(found.filter((pl.col(_SINCE) <= _instant(period)) & self._not_replaced(period)))

    def to_learn(self, policy: Policy, period: Period) -> pl.DataFrame:
        """The rows that a policy learns from to decide from `period` on: known its gap before, as far back as it looks."""
        window = Span.of(policy.train_window) if policy.train_window else None
        return self.known(Span.of(policy.gap).before(period), window)

    def between(self, first: Period, end: Period) -> pl.DataFrame:
        """The rows from `first` up to, and without, `end`, with their outcomes."""
        return self._settled.slice(bisect_left(self.periods, first), bisect_left(self.periods, end))

    def unknown_outcomes(self, period: Period) -> pl.Series:
        """For each row of `rows`, whether what is known only after deciding was not known when `period` is decided."""
        at = pl.col(self._problem.period)
        unknown = (at > self._delay.before(period)) | (at >= period)
        if self._known_at is not None:
            unknown |= (pl.col(_SINCE) > _instant(period)).fill_null(value=True)
        return self._revisions.table.select(unknown.alias("unknown")).to_series()

    def unknown_rows(self, period: Period) -> pl.Series:
        """For each row of `rows`, whether not even what is known before deciding was known when `period` is decided.

        These are the rows of later periods, and revisions that became known later than that, without the first one.
        """
        unknown = pl.col(self._problem.period) > period
        if self._known_at is not None:
            unknown |= ~pl.col(_IS_FIRST) & (pl.col(_SINCE) > _instant(period)).fill_null(value=True)
        return self._revisions.table.select(unknown.alias("unknown")).to_series()

    def _not_replaced(self, period: Period) -> pl.Expr:
        later: pl.Expr = pl.col(_UNTIL) > _instant(period)
        return later | pl.col(_UNTIL).is_null()

    def _bare(self, dated: pl.DataFrame) -> pl.DataFrame:
        return dated.drop(str(self._known_at), _SINCE, _UNTIL, _IS_FIRST)

    def _place(self, period: Period) -> int:
        place = bisect_left(self.periods, period)
        if place == len(self.periods) or self.periods[place] != period:
            raise NotFoundError(f"No rows for period {period}. The rows go from {self._span_text()}.")
        return place

    def _span_text(self) -> str:
        return f"{self.periods[0]} to {self.periods[-1]}" if self.periods else "nowhere to nowhere: there are none"


class _ByPeriod:
    """A table sorted by period, of which whole periods are a slice."""

    def __init__(self, table: pl.DataFrame, period: str) -> None:
        counts = table.group_by(period, maintain_order=True).len()
        self.table = table
        self.periods: Sequence[Period] = counts[period].to_list()
        self._starts = [0, *counts["len"].cum_sum().to_list()]

    def slice(self, first: int, last: int) -> pl.DataFrame:
        """The rows from one place among the periods up to, and without, another."""
        return self.table.slice(self._starts[first], self._starts[last] - self._starts[first])


def _dated(problem: Problem, rows: pl.DataFrame, known_at: str) -> pl.DataFrame:
    """The rows with since when each is known, until when it counts, and whether it is the first revision of its key."""
    since = _instants(rows.schema[problem.period], rows.schema[known_at], known_at).alias(_SINCE)
    outcomes = [name for name in problem.hidden if name in rows.columns]
    is_known = pl.col(known_at).is_not_null()
    key = pl.struct(problem.key)
    return (
        rows.with_columns(since, *(pl.when(is_known).then(pl.col(name)).alias(name) for name in outcomes))
        .sort(*problem.key, _SINCE, nulls_last=[False, False, True], maintain_order=True)
        .with_columns(
            pl.when(key == key.shift(-1)).then(pl.col(_SINCE).shift(-1)).alias(_UNTIL),
            (key != key.shift(1)).fill_null(value=True).alias(_IS_FIRST),
        )
    )


def _instants(period: pl.DataType, dtype: pl.DataType, known_at: str) -> pl.Expr:
    """When each row became known, to be compared with `_instant`: a number, or a time of UTC without saying so."""
    if period.is_integer() != dtype.is_integer():
        raise InvalidInputError(
            f"Periods are {period} and {known_at!r}, which known_at names, is {dtype}: they cannot be compared. Make both "
            "times, or both whole numbers."
        )
    column = pl.col(known_at)
    if dtype == pl.Date:
        return column.cast(pl.Datetime("us"))
    if getattr(dtype, "time_zone", None) is not None:
        return column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return column


def _instant(period: Period) -> Period:
    """The instant at which a period begins: its number, or a time of UTC without saying so; a date is its midnight."""
    if isinstance(period, datetime):
        return period.astimezone(UTC).replace(tzinfo=None) if period.tzinfo else period
    if isinstance(period, date):
        return datetime(period.year, period.month, period.day)
    return period
