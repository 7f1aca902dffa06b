"""Seeded series and frames of evidence for the tests of statistics and analysis."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Array = NDArray[np.float64]

FIRST_DAY = date(2024, 1, 1)


def autoregression(rng: np.random.Generator, phi: float, periods: int, series: int = 1) -> Array:
    """Draws AR(1) series with mean 0 and standard deviation 1, shape (series, periods)."""
    noise = rng.normal(size=(series, periods)) * np.sqrt(1.0 - phi**2)
    drawn = np.empty_like(noise)
    drawn[:, 0] = rng.normal(size=series)
    for period in range(1, periods):
        drawn[:, period] = phi * drawn[:, period - 1] + noise[:, period]
    return drawn


def days(count: int) -> list[date]:
    """Returns consecutive days."""
    return [FIRST_DAY + timedelta(days=day) for day in range(count)]


def evidence(differences: Any, periods: Any = None, **columns: Any) -> pl.DataFrame:
    """Makes paired rows from differences of shape (periods,) or (periods, units)."""
    table = np.atleast_2d(np.asarray(differences, dtype=np.float64).T).T
    count, units = table.shape
    calendar = pl.Series(days(count) if periods is None else periods)
    return pl.DataFrame(
        {
            "period": calendar.gather(np.repeat(np.arange(count), units)),
            "unit": np.tile([f"shop-{unit:03d}" for unit in range(units)], count),
            "value_champion": np.zeros(table.size),
            "value_challenger": table.ravel(),
            **columns,
        }
    )


def clear_gain(periods: int = 60, units: int = 4, *, seed: int = 7) -> Array:
    """Draws differences that are clearly above zero, shape (periods, units)."""
    rng = np.random.default_rng(seed)
    return 1.0 + 0.5 * rng.normal(size=(periods, 1)) + rng.normal(size=(periods, units))
