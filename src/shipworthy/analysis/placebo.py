"""Placebos by permuting: the squad's own evidence, in which champion and challenger swap their labels by chance.

Take the gain off the evidence, and the two labels say nothing any more: whoever swaps them gets evidence that might as
well have been, of an idea whose true gain is exactly zero. Labels are swapped in whole blocks of consecutive periods, for
all units of a period alike, so that what units share and what lasts from period to period stays as it is (a wild block
bootstrap with Rademacher's signs; Shao 2010, The dependent wild bootstrap, JASA 105).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shipworthy.analysis.cleaning import cleaned
from shipworthy.analysis.criteria import Criteria
from shipworthy.analysis.pairs import paired
from shipworthy.errors import InvalidInputError
from shipworthy.statistics import flat_count, influence_series
from shipworthy.statistics.series import FloatArray

COLUMNS = ("period", "unit", "value_champion", "value_challenger")

_FEWEST_BLOCKS = 8
_SHORTEST_DAYS = 14.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placebos:
    """Evidence without its gain, whose labels can be swapped.

    Attributes:
        frame: The rows by period and unit, with `COLUMNS`; the mean difference is taken off the challenger.
        place: Of each row, which period it is in, counted from 0; shape (rows,).
        block: How many consecutive periods swap together.
        is_short: Whether the differences depend on one another for longer than a block, of which there must be some.
    """

    frame: pl.DataFrame
    place: NDArray[np.int64]
    block: int
    is_short: bool = False

    def draw(self, rng: np.random.Generator) -> pl.DataFrame:
        """One placebo: each block's labels as they are or swapped, and the first block cut at random."""
        number = (self.place + rng.integers(self.block)) // self.block
        swapped = rng.random(int(number.max(initial=0)) + 1) < 0.5
        champion, challenger = (pl.col(f"value_{role}") for role in ("champion", "challenger"))
        is_swapped = pl.lit(pl.Series(swapped[number]))
        return self.frame.with_columns(
            value_champion=pl.when(is_swapped).then(challenger).otherwise(champion),
            value_challenger=pl.when(is_swapped).then(champion).otherwise(challenger),
        )


def placebos_of(frame: pl.DataFrame, criteria: Criteria, block: int | None = None) -> Placebos:
    """Makes evidence ready to be swapped; the order of its rows does not matter.

    Args:
        frame: Paired evidence, as `verdict` takes it; guardrails are left out, for it is all about money.
        criteria: Its cadence says how long a period is, and `refit_periods` how long the luck of one fit lasts.
        block: How many periods swap together. By default two weeks, or up to the next refit, or as long as the spectrum
            of the differences says that they depend on one another, whichever is longest; at most an eighth of them all.

    Raises:
        InvalidInputError: the evidence cannot be judged, or such blocks are too few.

    >>> days = pl.DataFrame({"period": range(112), "unit": "shop", "value_champion": 1.0, "value_challenger": [3.0, 2.0] * 56})
    >>> placebos = placebos_of(days, Criteria())
    >>> placebos.block, placebos.frame["value_challenger"].head(2).to_list()
    (14, [1.5, 0.5])
    """
    found = cleaned(frame, criteria)
    if found.refusal:
        raise InvalidInputError(f"There is nothing to simulate with. {found.refusal}")
    pairs = paired(found.frame, "value")
    sums, counts = pairs.series
    length, is_short = _block(sums, counts, criteria, block)
    champion, challenger = (pl.col(f"value_{role}").cast(pl.Float64) for role in ("champion", "challenger"))
    gain = float(sums.sum() / counts.sum()) if counts.size else 0.0
    # The verdict bins periods by itself and is given those that came; only the blocks are made of binned ones.
    rows = frame.select(COLUMNS).unique().sort(COLUMNS)
    return Placebos(
        frame=rows.with_columns(champion, challenger - gain),
        place=found.frame["period"].sort().rank("dense").to_numpy().astype(np.int64) - 1,
        block=length,
        is_short=is_short,
    )


def _block(sums: FloatArray, counts: FloatArray, criteria: Criteria, asked: int | None) -> tuple[int, bool]:
    """How many periods swap together, and whether the differences depend on one another for longer."""
    seen = counts.size
    most = max(seen // _FEWEST_BLOCKS, 1)
    if asked is not None and not 1 <= asked <= most:
        raise InvalidInputError(
            f"Blocks of {asked} were asked for. There are {seen:,} periods, and at least {_FEWEST_BLOCKS} blocks are "
            f"needed: ask for 1 to {most}."
        )
    _, influence = influence_series(sums, counts) if seen else (0.0, sums)
    flat = flat_count(influence, seen - 1) if seen else 0
    # The fastest cosine up to which the spectrum is flat turns once in so many periods: so long is one half of its wave.
    lasting = max(math.ceil(seen / flat) if flat else seen, criteria.refit_periods)
    fortnight = math.ceil(_SHORTEST_DAYS / criteria.days_per_period)
    length = min(max(fortnight, lasting), most) if asked is None else asked
    return length, lasting > length
