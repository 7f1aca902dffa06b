"""How long a verdict takes, beside resampling of rows with arch and scipy.

Targets: a million paired rows within 0.1 s beyond reading them, and a thousand times ahead of resampling rows ten thousand times.
Resampling grows with the number of resamples; fewer are measured here, on all the rows, and the ratio says how many it is for.

    python -m benchmarks.verdict
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import polars as pl
from arch.bootstrap import StationaryBootstrap
from scipy import stats

from benchmarks.machine import describe
from shipworthy.analysis import Criteria, verdict

_DAYS = 365
_REPEATS = 7
_MOST_SECONDS = 0.1
_LEAST_RATIO = 1000.0
_RESAMPLES, _WANTED = 20, 10_000


def evidence(units: int, *, names: bool, shuffled: bool) -> pl.DataFrame:
    """Draws a year of paired rows."""
    rng = np.random.default_rng(1)
    days = [date(2024, 1, 1) + timedelta(days=day) for day in range(_DAYS)]
    rows = pl.DataFrame(
        {
            "period": pl.Series(days).gather(np.repeat(np.arange(_DAYS), units)),
            "unit": np.tile(np.arange(units), _DAYS),
            "value_champion": rng.gamma(2.0, 50.0, size=_DAYS * units),
            "gain": rng.normal(0.5, 20.0, size=_DAYS * units),
        }
    ).select("period", "unit", "value_champion", value_challenger=pl.col("value_champion") + pl.col("gain"))
    if names:
        rows = rows.with_columns(unit=pl.format("shop-{}", "unit"))
    return rows.sample(fraction=1.0, shuffle=True, seed=1) if shuffled else rows


def seconds(call: Callable[[], object], repeats: int = _REPEATS) -> tuple[float, float]:
    """Returns the median and the fastest of several runs."""
    found = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return statistics.median(found), min(found)


def main() -> int:
    """Returns 0 if the targets are met by the medians."""
    print(describe())
    print(
        f"\nverdict, median and fastest of {_REPEATS}\n     rows  units    order     entities |  median ms  fastest ms"
    )
    slowest, ours = 0.0, 0.0
    for units in (200, 2740):
        for names in (False, True):
            for shuffled in (False, True):
                frame = evidence(units, names=names, shuffled=shuffled)
                for criteria in (Criteria(), Criteria(entities="sample")):
                    median, fastest = seconds(lambda frame=frame, criteria=criteria: verdict(frame, criteria))  # type: ignore[misc]
                    print(
                        f"{frame.height:>9}  {'names  ' if names else 'numbers'}  {'shuffled' if shuffled else 'sorted  '}"
                        f"  {criteria.entities:<8} |{median * 1e3:>11.1f}{fastest * 1e3:>12.1f}",
                        flush=True,
                    )
                    if criteria.entities == "all":
                        slowest = max(slowest, median)
                        ours = median
    rows = evidence(2740, names=False, shuffled=False)
    differences = (rows["value_challenger"] - rows["value_champion"]).to_numpy()
    ratios = resampled(differences, ours)
    is_met = slowest <= _MOST_SECONDS and min(ratios) >= _LEAST_RATIO
    print(
        f"\nslowest median {slowest * 1e3:.0f} ms, at most {_MOST_SECONDS * 1e3:.0f}; smallest ratio {min(ratios):,.0f}, "
        f"at least {_LEAST_RATIO:,.0f}: {'met' if is_met else 'missed'}"
    )
    return 0 if is_met else 1


def resampled(differences: np.ndarray, ours: float) -> list[float]:
    """Prints how long resampling rows takes; returns how many times as long as the verdict, at 10,000 resamples."""
    blocks = StationaryBootstrap(7 * 2740, differences, seed=1)
    calls = {
        "arch StationaryBootstrap": lambda: blocks.apply(np.mean, _RESAMPLES),
        "scipy.stats.bootstrap": lambda: stats.bootstrap(
            (differences,), np.mean, n_resamples=_RESAMPLES, batch=1, method="percentile", rng=1
        ),
    }
    print(
        f"\n{differences.size:,} rows resampled      {_RESAMPLES} resamples s    {_WANTED:,}, scaled s    times the verdict"
    )
    ratios = []
    for name, call in calls.items():
        taken, _ = seconds(call, 3)
        scaled = taken / _RESAMPLES * _WANTED
        ratios.append(scaled / ours)
        print(f"{name:<34}{taken:>17.2f}{scaled:>20.0f}{ratios[-1]:>21,.0f}", flush=True)
    return ratios


if __name__ == "__main__":
    sys.exit(main())
