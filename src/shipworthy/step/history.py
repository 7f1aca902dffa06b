"""The rows in order of time, cut by what was known when."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import polars as pl

from shipworthy.errors import NotFoundError
from shipworthy.problem import Period, Problem, Span


class History:
    """The rows of a problem sorted by period, so that what was known at any period is one slice.

    A row belongs to what was known at `t` when its period plus the outcome delay is not after `t`. This is the
    only place where that rule is written down.
    """

    def __init__(self, problem: Problem, rows: pl.DataFrame) -> None:
        """Sorts the rows once; every later cut is a slice without a copy."""
        self._rows = rows.sort(problem.key, maintain_order=True)
        self.period = problem.period
        self._delay = Span.of(problem.outcome_delay)
        self._hidden = [name for name in rows.columns if name in {*problem.hidden, *problem.decisions}]
        counts = self._rows.group_by(problem.period, maintain_order=True).len()
        self.periods: Sequence[Period] = counts[problem.period].to_list()
        self._starts = [0, *counts["len"].cum_sum().to_list()]

    @property
    def rows(self) -> pl.DataFrame:
        """All rows, outcomes included, sorted by period and unit."""
        return self._rows

    def to_decide(self, period: Period) -> pl.DataFrame:
        """The rows of one period as they are before deciding: without what is known, or was decided, only afterwards."""
        return self.settled(period).drop(self._hidden)

    def settled(self, period: Period) -> pl.DataFrame:
        """The rows of one period with their outcomes."""
        place = bisect_left(self.periods, period)
        if place == len(self.periods) or self.periods[place] != period:
            raise NotFoundError(f"No rows for period {period}. The rows go from {self._span_text()}.")
        return self._slice(place, place + 1)

    def known(self, period: Period, within: Span | None = None) -> pl.DataFrame:
        """The rows whose outcomes are known when `period` is decided, at most `within` back from it."""
        last = bisect_right(self.periods, self._delay.before(period))
        last = min(last, bisect_left(self.periods, period))
        first = 0 if within is None else bisect_left(self.periods, within.before(period))
        return self._slice(min(first, last), last)

    def between(self, first: Period, end: Period) -> pl.DataFrame:
        """The rows from `first` up to, and without, `end`."""
        return self._slice(bisect_left(self.periods, first), bisect_left(self.periods, end))

    def _slice(self, first: int, last: int) -> pl.DataFrame:
        return self._rows.slice(self._starts[first], self._starts[last] - self._starts[first])

    def _span_text(self) -> str:
        return f"{self.periods[0]} to {self.periods[-1]}" if self.periods else "nowhere to nowhere: there are none"
