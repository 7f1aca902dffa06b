"""How honest is the verdict? False ships, coverage and power over a grid of settings, beside what is usually done.

Each replicate draws paired evidence (days by units, autocorrelated shocks shared by all units of a day) and asks the
public `verdict` three times: without any gain, with the gain that an oracle who knew the true spread would find in
80 %, and with as large a loss. Beside it stand "the higher mean wins" and the t-test over rows, on the same rows
without gain. Nominal false ship is 2.5 %, the promise is at most 5 %.

    python benchmarks/honesty.py --replicates 200 --seed 1
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from multiprocessing import get_context

import numpy as np
import polars as pl
import scipy
from numpy.typing import NDArray

from shipworthy.analysis import Criteria, Decision, Verdict, verdict

Array = NDArray[np.float64]

ORACLE = 1.959964 + 0.841621
WARM_UP = 60
SPREAD_DRAWS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One cell of the grid."""

    phi: float
    periods: int
    units: int
    tail: str
    refit_periods: int = 0

    def __str__(self) -> str:
        """Names the cell in a table."""
        refit = f"refit {self.refit_periods}" if self.refit_periods else ""
        return f"{self.phi:>4} {self.periods:>6} {self.units:>6}  {self.tail:<7}{refit:<9}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Shares over the replicates of one setting."""

    setting: Setting
    false_ship: float
    coverage: float
    power: float
    higher_mean: float
    row_t_test: float
    harmful: float


def settings() -> Iterator[Setting]:
    """Yields the grid: autocorrelation by length by units by tail, then refits every 7 and 28 days."""
    grid = product((0.0, 0.3, 0.6, 0.8), (60, 120, 365), (1, 20, 200), ("normal", "heavy", "skew"))
    for phi, periods, units, tail in grid:
        yield Setting(phi=phi, periods=periods, units=units, tail=tail)
    for periods, refit in ((60, 7), (120, 7), (120, 28), (365, 28)):
        yield Setting(phi=0.0, periods=periods, units=20, tail="normal", refit_periods=refit)


def noise(rng: np.random.Generator, tail: str, shape: tuple[int, ...]) -> Array:
    """Draws mean 0, variance 1: normal, Student's t with 3 degrees, or rare big losses."""
    if tail == "heavy":
        return rng.standard_t(3, size=shape) / math.sqrt(3.0)
    if tail == "skew":
        return 1.0 - rng.exponential(size=shape)
    return rng.normal(size=shape)


def shocks(rng: np.random.Generator, setting: Setting, draws: int) -> Array:
    """Draws what the units of a day share, shape (draws, periods): an autoregression plus the luck of each refit."""
    fresh = noise(rng, setting.tail, (draws, setting.periods + WARM_UP)) * math.sqrt(1.0 - setting.phi**2)
    for period in range(1, fresh.shape[1]):
        fresh[:, period] += setting.phi * fresh[:, period - 1]
    shared = fresh[:, WARM_UP:]
    if setting.refit_periods:
        fits = rng.normal(size=(draws, math.ceil(setting.periods / setting.refit_periods)))
        shared = shared + 0.5 * np.repeat(fits, setting.refit_periods, axis=1)[:, : setting.periods]
    return shared


def score(task: tuple[Setting, int, int]) -> Score:
    """Plays one setting."""
    setting, replicates, seed = task
    rng = np.random.default_rng([seed, *str(setting).encode()])
    # Rows add independent noise of variance 2; its mean's variance is known, that of the shocks is drawn.
    spread = math.hypot(
        float(shocks(rng, setting, SPREAD_DRAWS).mean(axis=1).std()), math.sqrt(2.0 / (setting.periods * setting.units))
    )
    frame = pl.DataFrame(
        {
            "period": np.repeat(np.arange(setting.periods), setting.units),
            "unit": np.tile(np.arange(setting.units), setting.periods),
            "value_champion": np.zeros(setting.periods * setting.units),
        }
    )
    criteria = Criteria(refit_periods=setting.refit_periods)
    tallies = np.zeros(6)
    for _ in range(replicates):
        own = noise(rng, setting.tail, (setting.periods, setting.units))
        rows = shocks(rng, setting, 1)[0][:, None] + math.sqrt(2.0) * own
        null, gain, harm = (judged(frame, rows + ORACLE * spread * times, criteria) for times in (0.0, 1.0, -1.0))
        t = rows.mean() / (rows.std(ddof=1) / math.sqrt(rows.size))
        covers = null.low <= 0.0 <= null.high
        tallies += [ships(null), covers, ships(gain), rows.mean() > 0.0, t > 1.959964, ships(harm)]
    shares = 100.0 * tallies / replicates
    return Score(
        setting=setting,
        false_ship=float(shares[0]),
        coverage=float(shares[1]),
        power=float(shares[2]),
        higher_mean=float(shares[3]),
        row_t_test=float(shares[4]),
        harmful=float(shares[5]),
    )


def judged(frame: pl.DataFrame, differences: Array, criteria: Criteria) -> Verdict:
    """Asks the public verdict."""
    return verdict(frame.with_columns(value_challenger=pl.Series(differences.ravel())), criteria)


def ships(found: Verdict) -> bool:
    """Whether the verdict ships."""
    return found.decision is Decision.SHIP


def main() -> None:
    """Prints one line a setting, then the pooled figures against the targets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=200, help="replicates for each setting")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    began = time.perf_counter()
    versions = f"numpy {np.__version__}, scipy {scipy.__version__}, polars {pl.__version__}"
    print(f"python {sys.version.split()[0]}, {versions}")
    print(f"{asked.replicates} replicates a setting, seed {asked.seed}; all figures in %")
    print(" phi   days  units  tail            | false ship  coverage  power | higher mean  t on rows")
    tasks = [(setting, asked.replicates, asked.seed) for setting in settings()]
    scores = []
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        for one in pool.map(score, tasks):
            scores.append(one)
            print(
                f"{one.setting!s} |{one.false_ship:>11.1f}{one.coverage:>10.1f}{one.power:>7.1f} |"
                f"{one.higher_mean:>12.1f}{one.row_t_test:>11.1f}",
                flush=True,
            )
    summary(scores, asked.replicates)
    print(f"{time.perf_counter() - began:.0f} s")


def summary(scores: list[Score], replicates: int) -> None:
    """Prints the pooled figures beside what they must reach."""

    def mean(name: str) -> float:
        return float(np.mean([getattr(one, name) for one in scores]))

    worst = max(scores, key=lambda one: one.false_ship)
    # Above this a setting is significantly over 5 % at the level of 0.1 %.
    limit = 5.0 + 3.09 * math.sqrt(5.0 * 95.0 / replicates)
    print(f"false ship    worst {worst.false_ship:.1f} (limit with chance {limit:.1f}) at {worst.setting}")
    print(f"false ship    pooled {mean('false_ship'):.2f} (at most 3.0)")
    print(f"coverage      pooled {mean('coverage'):.1f} (at least 94), worst {min(one.coverage for one in scores):.1f}")
    print(f"power         mean {mean('power'):.1f} (at least 65), where an oracle has 80")
    print(f"ships harm    {mean('harmful'):.2f} (at most 0.1)")
    print(f"higher mean   pooled {mean('higher_mean'):.1f}, t-test on rows pooled {mean('row_t_test'):.1f}")


if __name__ == "__main__":
    main()
