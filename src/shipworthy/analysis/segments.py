"""Segments: where the gain comes from, with intervals that hold for all segments at once.

For reading, not for deciding. With no effect anywhere, one of ten segments looks significant by chance in most evidence. So the
intervals are m - c se to m + c se with one critical value c for all: the two-sided quantile of the largest |t| of all segments
of all columns, drawn by rotation with the correlation that they have (Langsrud 2005, Statistics and Computing 15, 53-60; Solari,
Finos and Goeman 2014). Beside each mean stands one shrunk towards the mean of all, the more the less the segments differ beyond
chance (Stephens 2017, "False discovery rates: a new deal"). What should be decided on a segment is an idea of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
import polars as pl

from shipworthy.analysis.cleaning import binned, cleaned
from shipworthy.analysis.criteria import Criteria
from shipworthy.analysis.measurement import FEWEST_PERIODS, mean_of, measured
from shipworthy.analysis.pairs import Pairs, paired
from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.statistics.interval import Estimate
from shipworthy.statistics.rotation import DRAWS, at_own_cosines, fingerprint, simultaneous_critical
from shipworthy.statistics.shrinkage import forecast
from shipworthy.statistics.spectrum import planned_count

MOST = 30
"""The most segments of one column that are told apart; the largest are."""

READING = "For reading, not for deciding: to decide on a segment, register it as an idea of its own before its evidence is there."
_NOTHING = "no value"
_QUARTERS = (0.25, 0.5, 0.75)
_KEY = ("period", "unit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The gain in one segment; money is per pair, that is per unit and period.

    Attributes:
        column: What it is told apart by.
        value: Its value there, in words.
        periods: Periods in which it has pairs.
        pairs: How many pairs.
        share: Its part of all pairs.
        gain: Its mean gain.
        low: Lower end of the interval that holds for all segments at once.
        high: Upper end.
        shrunk: The mean, shrunk towards that of all pairs.
        units_per_year: Its pairs in a year; None where that is not known.
    """

    column: str
    value: str
    periods: int
    pairs: int
    share: float
    gain: float
    low: float
    high: float
    shrunk: float
    units_per_year: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """The gain, told apart by the columns that were registered for it.

    Attributes:
        says: What to make of it, in a sentence; or why nothing is shown.
        segments: The segments with enough periods, by column, in the order of its values.
        not_shown: Those with fewer, as "column: value (periods)".
        notes: What was left out or cut, in sentences.
        critical: The critical value of all intervals, before each segment's own degrees of freedom; None where there is none.
        alpha: Probability that any interval misses.
    """

    says: str
    segments: tuple[Segment, ...] = ()
    not_shown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    critical: float | None = None
    alpha: float = 0.05

    def to_dict(self) -> dict[str, Any]:
        """Returns them as JSON can hold them."""
        return asdict(self) | {
            "segments": [asdict(one) for one in self.segments],
            "not_shown": list(self.not_shown),
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` returned.

        >>> Segments.from_dict(Segments(says=READING).to_dict()) == Segments(says=READING)
        True
        """
        lists = {name: tuple(fields[name]) for name in ("not_shown", "notes")}
        return cls(**{**fields, **lists, "segments": tuple(Segment(**one) for one in fields["segments"])})


def segments(
    frame: pl.DataFrame,
    columns: Sequence[str],
    criteria: Criteria | None = None,
    *,
    history: pl.DataFrame | None = None,
    draws: int = DRAWS,
) -> Segments:
    """Tells the gain apart by the values of some columns.

    A column of numbers with more than 30 values is cut into quarters of the history, named by their bounds.

    Args:
        frame: One row per period and unit: period, unit, value_champion, value_challenger, and the columns.
        columns: What to tell apart by.
        criteria: Alpha, cadence, refits and units in a year are taken from it.
        history: The rows whose quarters numbers are cut into; the frame itself, if None.
        draws: How many times to rotate.

    Raises:
        NotFoundError: the frame has no such column.

    >>> days = pl.DataFrame({"period": [*range(60)] * 2, "unit": ["tea"] * 60 + ["rye"] * 60, "value_champion": 0.0})
    >>> found = segments(days.with_columns(value_challenger=pl.col("period") % 3 + (pl.col("unit") == "tea")), ["unit"])
    >>> [(one.value, round(one.gain, 1), round(one.low, 1)) for one in found.segments]
    [('rye', 1.0, 0.9), ('tea', 2.0, 1.9)]
    """
    for name in columns:
        if name not in frame.columns:
            raise NotFoundError.among("segment column", name, (one for one in frame.columns if one not in _KEY))
    asked = replace(criteria or Criteria(), guardrails=(), entities="all")
    evidence = cleaned(frame, asked)
    if evidence.refusal:
        return Segments(says=f"No segments are shown. {evidence.refusal}")
    table = frame.unique(_KEY, keep="first", maintain_order=True).with_columns(
        period=binned(frame["period"].dtype, asked)
    )
    whole = paired(table, "value")
    if not whole.is_money:
        return Segments(says="No segments are shown: the differences are no money.")
    notes: list[str] = []
    parts = [part for name in columns for part in _parts(table, name, frame if history is None else history, notes)]
    known = [(name, value, pairs, pairs.series[0].size) for name, value, pairs in parts]
    shown = [(name, value, pairs) for name, value, pairs, seen in known if seen >= FEWEST_PERIODS]
    not_shown = tuple(f"{name}: {value} ({seen})" for name, value, _, seen in known if seen < FEWEST_PERIODS)
    if not shown:
        says = f"No segment has {FEWEST_PERIODS} periods with data, so none is shown."
        return Segments(says=says, not_shown=not_shown, notes=tuple(notes), alpha=asked.alpha)
    critical, ends = _intervals([pairs for _, _, pairs in shown], whole.series[0].size, asked, draws)
    mean = mean_of(whole)
    estimates = [estimate for estimate, _ in ends]
    found = []
    for (name, value, pairs), (estimate, half) in zip(shown, ends, strict=True):
        share = pairs.usable / whole.usable
        found.append(
            Segment(
                column=name,
                value=value,
                periods=pairs.series[0].size,
                pairs=pairs.usable,
                share=share,
                gain=estimate.mean,
                low=estimate.mean - half,
                high=estimate.mean + half,
                shrunk=_shrunk(estimate, mean, estimates),
                units_per_year=None if asked.units_per_year is None else asked.units_per_year * share,
            )
        )
    return Segments(
        says=f"{_summary(found, asked)} {READING}",
        segments=tuple(found),
        not_shown=not_shown,
        notes=tuple(notes),
        critical=critical,
        alpha=asked.alpha,
    )


def _parts(table: pl.DataFrame, name: str, history: pl.DataFrame, notes: list[str]) -> list[tuple[str, str, Pairs]]:
    """The pairs of each value of a column, in the order of its values; what is cut or left out is noted."""
    values = _in_words(table[name], history[name] if name in history.columns else table[name], name, notes)
    parted = table.select(*_KEY, "value_champion", "value_challenger").with_columns(_segment=values)
    sizes = parted.group_by("_segment").len().sort(["len", "_segment"], descending=[True, False])
    if sizes.height > MOST:
        notes.append(f"{name} has {sizes.height:,} values; the {MOST} with the most rows are told apart.")
    of_value = parted.partition_by("_segment", as_dict=True)
    kept = sizes.head(MOST)["_segment"].sort()
    return [(name, value, paired(of_value[value,].drop("_segment"), "value")) for value in kept]


def _in_words(column: pl.Series, history: pl.Series, name: str, notes: list[str]) -> pl.Series:
    """The segments of a column in words that keep its order: its values, or quarters of many numbers."""
    if column.dtype.is_nested() or column.dtype == pl.Object:
        raise InvalidInputError(f"The segment column {name!r} holds {column.dtype}. Use one with one value per row.")
    if not column.dtype.is_numeric() or column.n_unique() <= MOST:
        words = column.cast(pl.String)
        ordered = column.drop_nulls().unique().sort().cast(pl.String).unique(maintain_order=True).to_list()
    else:
        bounds = sorted({float(history.quantile(share, "nearest") or 0.0) for share in _QUARTERS})
        said = [f"{bound:.4g}" for bound in bounds]
        notes.append(f"{name} is cut into quarters of the history, at {', '.join(said)}.")
        ordered = [f"below {said[0]}", *(f"{a} to {b}" for a, b in pairwise(said)), f"{said[-1]} and more"]
        numbers = column.cast(pl.Float64).fill_nan(None)
        quarters = pl.Series(ordered).gather(np.searchsorted(bounds, numbers.fill_null(0.0).to_numpy(), side="right"))
        words = pl.select(pl.when(numbers.is_not_null()).then(quarters)).to_series()
    return words.fill_null(_NOTHING).cast(pl.Enum([one for one in ordered if one != _NOTHING] + [_NOTHING]))


def _intervals(
    parts: Sequence[Pairs], periods: int, criteria: Criteria, draws: int
) -> tuple[float, list[tuple[Estimate, float]]]:
    """The critical value for all, and each segment's estimate with half its interval.

    Segments of unlike length share as many cosines as the longest would take and the shortest has; each then counts on its own.
    """
    lengths = [pairs.series[0].size for pairs in parts]
    cosines = min(planned_count(max(lengths)), min(lengths) - 1)
    prints = [fingerprint(*pairs.series, cosines) for pairs in parts]
    critical = simultaneous_critical(prints, alpha=criteria.alpha, draws=draws)
    found = []
    for pairs in parts:
        # A segment with a seventh of the periods, such as Mondays, has as many refits in them as all periods have.
        refits = math.ceil(criteria.refit_periods * pairs.series[0].size / periods)
        estimate = measured(pairs, replace(criteria, refit_periods=refits)).estimate
        assert estimate is not None, "a segment that is shown has enough periods for an estimate"
        found.append((estimate, at_own_cosines(critical, cosines, estimate.df) * estimate.se))
    return critical, found


def _shrunk(one: Estimate, mean: float, all_: Sequence[Estimate]) -> float:
    """A segment's mean, shrunk towards that of all pairs by what is known of how segments differ from it."""
    if one.se == 0.0:
        return one.mean
    others = [other for other in all_ if other.se > 0.0]
    apart = forecast(
        one.mean - mean,
        one.se,
        past_estimates=[other.mean - mean for other in others],
        past_ses=[other.se for other in others],
    )
    return mean + apart.mean


def _summary(found: Sequence[Segment], criteria: Criteria) -> str:
    """In how many segments money is earned, and in which it is lost, beyond doubt."""
    gaining = sum(one.low > 0.0 for one in found)
    losing = [f"{one.column} {one.value}" for one in found if one.high < 0.0]
    loses = f"and lost in {', '.join(losing)}" if losing else "and lost in none"
    confidence = f"{100.0 * (1.0 - criteria.alpha):.4g} %"
    return (
        f"Money is earned in {gaining} of {len(found)} segments {loses}, with {confidence} confidence in all at once."
    )
