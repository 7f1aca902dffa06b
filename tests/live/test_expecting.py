"""Money before outcomes: its interval covers where it is told, and it is not told where it would be a guess."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from shipworthy.live.watch.expecting import Expected, expect

ROWS = 10
COLUMNS = ["u", "x", "noise"]


def table(rng: np.random.Generator, days: int, first: date, *, level: float = 0.0, slope: float = 10.0) -> pl.DataFrame:
    """Days of ten rows whose money hangs on `x`, which sticks to its level; and on luck that a day's rows share."""
    sticky = np.zeros(days)
    for i in range(days):
        sticky[i] = 0.8 * rng.normal() + (0.6 * sticky[i - 1] if i else 0.0)
    x = level + sticky[:, None] + 0.7 * rng.normal(size=(days, ROWS))
    value = 50.0 + slope * x + 3.0 * rng.normal(size=(days, 1)) + 8.0 * rng.normal(size=(days, ROWS))
    return pl.DataFrame(
        {
            "day": [first + timedelta(days=i) for i in range(days) for _ in range(ROWS)],
            "u": [str(j) for _ in range(days) for j in range(ROWS)],
            "x": x.ravel(),
            "noise": rng.normal(size=days * ROWS),
            "value": value.ravel(),
        }
    )


def simulated(seed: int, days: int, level: float, slope: float = 10.0) -> tuple[Expected | None, float]:
    """What is expected of four weeks after so many days, and what came."""
    rng, first = np.random.default_rng(seed), date(2024, 1, 1)
    history = table(rng, days, first, slope=slope)
    now = table(rng, 28, first + timedelta(days=days), level=level, slope=slope)
    return expect(history, now.drop("value"), "day", COLUMNS), float(now["value"].sum()) / 28


def test_the_interval_covers_where_it_is_told():
    """Over histories of 8 months and 2 years, and shifts of up to a standard deviation, at least 85 of 100 hold what came."""
    told = [simulated(seed, days, level) for seed in range(12) for days in (240, 730) for level in (0.0, -0.5, -1.0)]
    kept = [(expected, came) for expected, came in told if expected is not None]
    covered = [expected.low <= came <= expected.high for expected, came in kept]
    assert len(kept) > 0.75 * len(told)
    assert np.mean(covered) >= 0.85


def test_a_shift_is_seen_before_outcomes():
    """A shift of half a standard deviation moves what is expected to where the money goes, by the column that tells it."""
    expected, came = next(found for seed in range(9) if (found := simulated(seed, 730, -0.5))[0])
    assert expected.by[0] == "x"
    assert expected.value == pytest.approx(came, rel=0.06)
    assert expected.value < expected.replayed - 25.0
    assert 0.5 < expected.slope < 2.0


def test_what_would_be_a_guess_is_not_told():
    """Rows far outside the history, a history too short for stretches, and columns that tell nothing give no figure."""
    assert simulated(1, 730, -3.0)[0] is None
    assert simulated(1, 50, 0.0)[0] is None
    assert simulated(1, 730, 0.0, slope=0.0)[0] is None
