"""What a replay lends to its live successor: the variance of its paired differences, period by period."""

from __future__ import annotations

import numpy as np
import polars as pl

from shipworthy.research.repetitions import ONCE
from shipworthy.statistics.sequential import Backtest
from shipworthy.statistics.series import FloatArray

FEWEST_LENT = 20
"""How many periods a replay has at least that lends anything."""


def one_measure(evidence: pl.DataFrame, name: str = "value", better: str = "higher") -> pl.DataFrame:
    """One measure of paired evidence in the form of money: period, unit, value_champion, value_challenger; more is better.

    Where a replay averages several repetitions it is that of one of them: a live period is decided once.

    >>> frame = pl.DataFrame({"period": [1], "unit": ["a"], "waste_champion": [2.0], "waste_challenger": [3.0]})
    >>> one_measure(frame, "waste", "lower").rows()
    [(1, 'a', -2.0, -3.0)]
    """
    single = f"{ONCE}{name}" if f"{ONCE}{name}_challenger" in evidence.columns else name
    sign = 1.0 if better == "higher" else -1.0
    sides = {f"value_{role}": pl.col(f"{single}_{role}") * sign for role in ("champion", "challenger")}
    return evidence.select("period", "unit", **sides)


def differences(rows: pl.DataFrame) -> pl.DataFrame:
    """Challenger less champion, as column d, of each period and unit."""
    return rows.select("period", "unit", d=pl.col("value_challenger") - pl.col("value_champion"))


def per_period(paired: pl.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Sums and counts of the periods that have differences, added up in the order of the units."""
    daily = paired.drop_nulls("d").sort("period", "unit").group_by("period", maintain_order=True).agg(pl.col("d"))
    return (
        np.array([float(np.sum(one.to_numpy())) for one in daily["d"]], dtype=np.float64),
        daily["d"].list.len().to_numpy().astype(np.float64),
    )


def lent_by(replayed: pl.DataFrame, refit_periods: int = 0) -> Backtest | None:
    """What a replay lends; None where it has fewer than 20 periods.

    Args:
        replayed: Columns period, unit, value_champion, value_challenger.
        refit_periods: The challenger is refitted every so many periods; 0 where it is frozen.
    """
    sums, counts = per_period(differences(replayed))
    return Backtest.from_sums(sums, counts, refit_periods=refit_periods) if sums.size >= FEWEST_LENT else None
