"""Many ideas on one history: how often any that is worth nothing ships, and how often the one that works is found.

Ideas are judged together (rotation, step-down) or one after another from the history's budget; beside them stand the best mean, a
t-test over days of the best idea, one verdict each without any correction, and Bonferroni. In the garden an analyst sees what
worthless ideas came to, and then submits the average of those that looked good; where the history is sealed, he sees nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.stats import t as student

from benchmarks.honesty.draws import Array, autoregression
from benchmarks.honesty.pool import spread_over
from benchmarks.honesty.target import Target, share_within, summary
from shipworthy.statistics import Estimate, estimate
from shipworthy.statistics.budget import Spent, grant
from shipworthy.statistics.rotation import fingerprint, step_down_p_values
from shipworthy.statistics.spectrum import planned_count

_DAYS, _PHI = 168, 0.3
_COSINES = planned_count(_DAYS)
_SE = math.sqrt((1.0 + _PHI) / (1.0 - _PHI) / _DAYS)
_GAIN = 3.7 * _SE  # which a single verdict finds in nine cases of ten
_DRAWS = 5_000
_ALPHA = 0.025
_IDEAS, _ALIKE = (1, 5, 20, 100), (0.0, 0.5, 0.9)
_GARDENS = (20, 50, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Shares in %: that any worthless idea ships, by each method; and that the one idea that works is found."""

    best_mean: float
    best_t: float
    each: float
    bonferroni: float
    batch: float
    ledger: float
    found_bonferroni: float
    found_batch: float
    found_ledger: float


def run(replicates: int, seed: int, processes: int) -> bool:
    """Prints one line a number of ideas and correlation, then the garden, then the targets; returns whether all are met."""
    print(f"ideas: many on one history of {_DAYS} days; shares in %")
    print(
        "                 any of them ships though all are worthless              | one of them works: found\n"
        "ideas alike repl. best mean  best t-test  each  Bonferroni  batch  ledger | Bonferroni  batch  ledger"
    )
    cells = [(k, rho, max(20, replicates // (6 if k == 100 else 1)), seed) for k, rho in product(_IDEAS, _ALIKE)]
    targets: list[Target] = []
    for (k, rho, n, _), one in zip(cells, spread_over(score, cells, processes), strict=True):
        print(
            f"{k:>5}{rho:>6.1f}{n:>6}{one.best_mean:>10.1f}{one.best_t:>13.1f}{one.each:>6.1f}{one.bonferroni:>12.1f}"
            f"{one.batch:>7.1f}{one.ledger:>8.1f} |{one.found_bonferroni:>11.1f}{one.found_batch:>7.1f}"
            f"{one.found_ledger:>8.1f}",
            flush=True,
        )
        targets += [
            share_within(f"{k} ideas, alike {rho}: any false ship, {how}", found, n, 5.0)
            for how, found in (("together", one.batch), ("one by one", one.ledger))
        ]
        if k == 20:
            targets += [
                Target(what=f"20 ideas, alike {rho}: found, {how}", found=found, least=45.0)
                for how, found in (("together", one.found_batch), ("one by one", one.found_ledger))
            ]
    print("\ngarden: the average of what looked good ships\nideas repl.   open  sealed")
    gardens = [(k, max(20, replicates // (6 if k == 100 else 2)), seed) for k in _GARDENS]
    for (k, n, _), (opened, sealed) in zip(gardens, spread_over(garden, gardens, processes), strict=True):
        print(f"{k:>5}{n:>6}{opened:>7.1f}{sealed:>8.1f}", flush=True)
        targets.append(share_within(f"garden of {k} ideas, sealed: any false ship", sealed, n, 5.0))
    return summary(targets)


def drawn(rng: np.random.Generator, ideas: int, alike: float) -> Array:
    """Draws the days of worthless ideas, shape (ideas, days), which correlate by so much."""
    shared = autoregression(rng, _PHI, (_DAYS,))
    return math.sqrt(alike) * shared + math.sqrt(1.0 - alike) * autoregression(rng, _PHI, (ideas, _DAYS))


def score(task: tuple[int, float, int, int]) -> Score:
    """Plays one number of ideas and one correlation."""
    ideas, alike, replicates, seed = task
    rng = np.random.default_rng([seed, ideas, round(10 * alike)])
    tallies = np.zeros(9)
    for _ in range(replicates):
        days = drawn(rng, ideas, alike)
        chosen = int(rng.integers(ideas))
        works = days.copy()
        works[chosen] += _GAIN
        null, true = shipped(days), shipped(works)
        t_tests = days.mean(axis=1) / (days.std(axis=1, ddof=1) / math.sqrt(_DAYS))
        best = int(days.mean(axis=1).argmax())
        tallies += [
            bool(days.mean(axis=1).max() > 0.0),
            bool(t_tests[best] > 1.96),
            *(bool(one.any()) for one in null),
            *(bool(one[chosen]) for one in true[1:]),
        ]
    return Score(**dict(zip(Score.__slots__, (100.0 * tallies / replicates).tolist(), strict=True)))


def shipped(days: Array) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Which ideas ship each on their own, with Bonferroni, judged together, and one after another; shapes (ideas,)."""
    found = [estimate(one, np.ones(_DAYS)) for one in days]
    prints = np.array([fingerprint(one, np.ones(_DAYS), _COSINES) for one in days])
    each = np.array([above(one, student.ppf(1.0 - _ALPHA, one.df)) for one in found])
    bonferroni = np.array([above(one, student.ppf(1.0 - _ALPHA / len(found), one.df)) for one in found])
    together = (step_down_p_values(prints, draws=_DRAWS) <= _ALPHA) & np.array([one.nu >= 3 for one in found])
    return each, bonferroni, together, one_by_one(found, prints)


def one_by_one(found: list[Estimate], prints: Array) -> np.ndarray:
    """Which ideas ship from the budget of one history, in their order, shape (ideas,)."""
    spent: list[Spent] = []
    ships = np.zeros(len(found), dtype=bool)
    planned = max(20, len(found))
    for at, one in enumerate(found):
        granted = grant(spent, [prints[at]], planned=planned, draws=_DRAWS)
        ships[at] = above(one, granted.critical_at(one.df))
        spent.append(Spent(fingerprints=[prints[at].tolist()], critical=granted.critical))
    return ships


def above(found: Estimate, critical: float) -> bool:
    """Whether an estimate stands so many standard errors above nothing."""
    return found.nu >= 3 and found.mean - critical * found.se + min(0.0, found.skew) > 0.0


def garden(task: tuple[int, int, int]) -> tuple[float, float]:
    """Plays an analyst who sees all estimates, and one who sees decisions alone; how often anything ships, in %."""
    ideas, replicates, seed = task
    rng = np.random.default_rng([seed, ideas])
    tallies = np.zeros(2)
    for _ in range(replicates):
        days = drawn(rng, ideas, 0.0)
        looked_good = days[days.mean(axis=1) > 0.0]
        # Who sees decisions alone knows of no idea that it looked better than another; he averages some.
        some = days[rng.random(size=ideas) < 0.5]
        for at, seen in enumerate((looked_good, some)):
            submitted = np.vstack([days, seen.mean(axis=0) if len(seen) else days[0]])
            found = [estimate(one, np.ones(_DAYS)) for one in submitted]
            prints = np.array([fingerprint(one, np.ones(_DAYS), _COSINES) for one in submitted])
            tallies[at] += one_by_one(found, prints).any()
    opened, sealed = 100.0 * tallies / replicates
    return float(opened), float(sealed)
