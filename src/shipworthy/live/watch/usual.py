"""What is usual: how far stretches of the history, as long as the window, lay from the rest of it.

A month differs from the year around it, and no test of two samples knows that. So a live window counts as drifted only where it
lies further away than the snapshot's own stretches of that length did, by a margin, and far in itself. Where the snapshot has
two years, a window is held against the same season of it; and always against the weekdays and hours that it has itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from shipworthy.problem import Period
from shipworthy.statistics.drift import Drift, drift_of_numbers, drift_of_words

LEAST_NUMBERS = 0.25
"""Standard deviations that the average row has to have moved."""

LEAST_SHARE = 0.1
"""The share of rows that would have to change, of words and of what is empty."""

MARGIN = 1.5
"""How many times as far as the furthest stretch of the history."""

_MOST_STRETCHES = 24
_FEWEST_STRETCHES = 3
_MOST_ROWS = 4000
_FEWEST_ROWS = 20
_TWO_YEARS = timedelta(days=730)
_SEASON_DAYS = 21
_YEAR = 365.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a column of the window is like against the history.

    Attributes:
        drift: The distance from the history.
        usual: The furthest that a stretch of the history lay from the rest of it; None where it has too few stretches.
        least: The distance from which on it may count.
        season: Whether it was held against its own season.
    """

    drift: Drift
    usual: float | None
    least: float
    season: bool

    @property
    def is_far(self) -> bool:
        """Whether it lies further away than the history's own stretches, and far in itself."""
        bar = 2.0 * self.least if self.usual is None else max(self.least, MARGIN * self.usual)
        return self.drift.effect > bar


def found(now: pl.DataFrame, history: pl.DataFrame, period: str, column: str) -> Found | None:
    """How far a column of a window lies from the history; None where either has too few rows, or holds no plain values.

    Args:
        now: The window's rows.
        history: The snapshot's rows.
        period: The column with the periods.
        column: The column that is compared.
    """
    new, old = _plain(now, period, column), _plain(history, period, column)
    if min(new.height, old.height) < _FEWEST_ROWS or new.schema != old.schema:
        return None
    if new.schema[column] not in (pl.Float64, pl.String):
        return None
    return Found(
        drift=drift(new, old, period, column),
        usual=usual(old, period, column, new[period].n_unique()),
        least=LEAST_NUMBERS if new.schema[column] == pl.Float64 else LEAST_SHARE,
        season=_has_two_years(old[period]),
    )


def drift(window: pl.DataFrame, history: pl.DataFrame, period: str, column: str) -> Drift:
    """How far a window lies from the history like it: of its weekdays and hours, and of its season where there are two years."""
    like = _alike(history, window, period, _has_two_years(history[period]))
    like = like if like.height >= _FEWEST_ROWS else history
    if window.schema[column] == pl.Float64:
        return drift_of_numbers(_some(window[column]), _some(like[column]))
    return drift_of_words(*(dict(part[column].value_counts().rows()) for part in (window, like)))


def usual(history: pl.DataFrame, period: str, column: str, length: int) -> float | None:
    """The furthest that a stretch of so many periods lies from the rest; None where there are fewer than three of them."""
    periods = history[period].unique().sort().to_list()
    cuts = [_cut(history, period, periods[first : first + length]) for first in stretches(len(periods), length)]
    if len(cuts) < _FEWEST_STRETCHES:
        return None
    return max(drift(cut, history, period, column).effect for cut in cuts)


def emptiness(now: pl.DataFrame, history: pl.DataFrame, period: str, column: str) -> Found | None:
    """The same of whether the column is empty."""
    return found(_is_empty(now, period, column), _is_empty(history, period, column), period, column)


def in_words(said: Found, p_value: float) -> str:
    """What was found of a column, as a sentence without its subject."""
    unit, form = ("standard deviations", ".2f") if said.least == LEAST_NUMBERS else ("of the rows", ".0%")
    usual = "" if said.usual is None else f", and the snapshot's own stretches by {said.usual:{form}} at most"
    then = "in that season of the snapshot" if said.season else "in the snapshot"
    chance = f"p = {p_value:.1g}" if p_value >= 0.001 else "p below 0.001"
    return f"is not what it was {then}: it has moved by {said.drift.effect:{form}} {unit}{usual} ({chance})."


def stretches(periods: int, length: int) -> list[int]:
    """Where stretches of a length begin: side by side, and where these are many, as many as are looked at."""
    starts = list(range(periods % length, periods - length + 1, length))
    return starts[:: -(-len(starts) // _MOST_STRETCHES)] if starts else []


def _is_empty(table: pl.DataFrame, period: str, column: str) -> pl.DataFrame:
    return table.select(
        period, pl.when(pl.col(column).is_null()).then(pl.lit("empty")).otherwise(pl.lit("there")).alias(column)
    )


def _plain(table: pl.DataFrame, period: str, column: str) -> pl.DataFrame:
    """The column as numbers or words, without what is empty."""
    values, dtype = table.select(period, column), table.schema[column]
    if dtype.is_numeric():
        values = values.with_columns(pl.col(column).cast(pl.Float64)).filter(pl.col(column).is_finite())
    elif dtype in (pl.String, pl.Boolean, pl.Categorical, pl.Enum):
        values = values.with_columns(pl.col(column).cast(pl.String))
    return values.drop_nulls()


def _some(values: pl.Series) -> Any:
    """At most a few thousand of them, drawn by a fixed seed: more would change nothing but the p-value."""
    array = values.to_numpy()
    return array if len(array) <= _MOST_ROWS else np.random.default_rng(1).choice(array, _MOST_ROWS, replace=False)


def _cut(table: pl.DataFrame, period: str, periods: Sequence[Period]) -> pl.DataFrame:
    return table.filter(pl.col(period).is_between(pl.lit(periods[0]), pl.lit(periods[-1])))


def _alike(history: pl.DataFrame, window: pl.DataFrame, period: str, season: bool) -> pl.DataFrame:
    """The history without the window's own periods, on its weekdays and hours, and in its season where there are two years."""
    first, last = window[period].min(), window[period].max()
    rest = history.filter(~pl.col(period).is_between(pl.lit(first), pl.lit(last)))
    if not isinstance(first, date):
        return rest
    slots = [pl.col(period).dt.weekday(), *([pl.col(period).dt.hour()] if isinstance(first, datetime) else [])]
    for slot in slots:
        rest = rest.filter(slot.is_in(window.select(slot).to_series().unique().implode()))
    return rest.filter(_near(period, window)) if season else rest


def _near(period: str, window: pl.DataFrame) -> pl.Expr:
    """Whether a period lies in the season of a window: within three weeks of it, whatever the year."""
    first, last = window[period].min(), window[period].max()
    middle = first + (last - first) / 2  # type: ignore[operator]  # dates, or times
    half = (last - first) / timedelta(days=2) + _SEASON_DAYS  # type: ignore[operator]
    apart = (pl.col(period) - pl.lit(middle)).dt.total_days() % _YEAR
    return pl.min_horizontal(apart, _YEAR - apart) <= half


def _has_two_years(periods: pl.Series) -> bool:
    first, last = periods.min(), periods.max()
    return isinstance(first, date) and isinstance(last, date) and last - first >= _TWO_YEARS
