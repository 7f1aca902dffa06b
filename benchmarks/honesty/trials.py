"""Live trials, looked at after every period: canaries with arms drawn anew or for good, and switchbacks.

Canary: shops of unlike size with days of their own and days that all share, 90 days. Switchback: one market by the hour for 28
days, slots of four hours, an effect that takes two hours to build up. Beside each stands a t-test on rows at each look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.honesty.draws import Array, autoregression
from benchmarks.honesty.pool import spread_over
from benchmarks.honesty.target import share_within, summary
from shipworthy.statistics import means_before, pairs_interval, pairs_path, period_effects, randomised_path, sticky_path

_DAYS, _BEFORE, _HOURS, _SLOT, _CARRIED = 90, 28, 28 * 24, 4, 2
_FIRST_LOOK = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One kind of trial; the gain is in the value's unit."""

    name: str
    units: int
    gain: float
    play: Callable[[np.random.Generator, int, float], tuple[Array, Array, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Shares in %, over all looks of a trial; `ends_covered` is that of the last look's interval."""

    false_ship: float
    false_rollback: float
    t_test: float
    shipped: float
    median_look: float
    ends_covered: float


def shops(rng: np.random.Generator, units: int) -> Array:
    """Draws what shops earn a day, shape (days, units), from 28 days before the trial on."""
    sizes = 100.0 * rng.lognormal(0.0, 0.5, size=units)
    own = autoregression(rng, 0.4, (units, _BEFORE + _DAYS)).T
    shared = autoregression(rng, 0.6, (_BEFORE + _DAYS,))[:, None]
    return sizes * (1.0 + 0.1 * own + 0.1 * shared)


def drawn_anew(rng: np.random.Generator, units: int, gain: float) -> tuple[Array, Array, float]:
    """Plays a canary whose arms are drawn anew each day; the forecast is each shop's mean so far."""
    days = shops(rng, units)[_BEFORE - 1 :]
    tried = rng.random(size=days.shape) < 0.5
    values = (days + gain * tried).ravel()
    who, when = np.tile(np.arange(units), len(days)), np.repeat(np.arange(len(days)), units)
    expected = means_before(values, who, when)
    known = when > 0
    effects = period_effects(values[known], expected[known], tried.ravel()[known], when[known] - 1, 0.5)
    path = randomised_path(effects)
    return path.low, path.high, row_t_test(days[1:] + gain * tried[1:], tried[1:])


def drawn_for_good(rng: np.random.Generator, units: int, gain: float) -> tuple[Array, Array, float]:
    """Plays a canary in which each shop keeps its arm, freed of what 28 days before explain."""
    days = shops(rng, units)
    arms = rng.permutation(units) < units // 2
    values = days[_BEFORE:] + gain * arms
    path = sticky_path(values, np.ones(values.shape), arms, before=days[:_BEFORE].mean(axis=0), planned=_DAYS)
    return path.low, path.high, row_t_test(values, np.broadcast_to(arms, values.shape))


def switched(rng: np.random.Generator, units: int, gain: float) -> tuple[Array, Array, float]:
    """Plays a switchback in one market: pairs of the same slot on adjacent days, a coin for each, two hours dropped."""
    assert units == 1, "a switchback has one market"
    slots_a_day = 24 // _SLOT
    first = rng.random(size=(_HOURS // 48, slots_a_day)) < 0.5
    slots = np.stack([first, ~first], axis=1)  # (pairs of days, day of the pair, slot)
    tried = np.repeat(slots.reshape(-1), _SLOT)
    felt = np.convolve(tried, np.full(_CARRIED, 1.0 / _CARRIED))[:_HOURS]
    hours = 20.0 * np.sin(np.arange(_HOURS) / 24 * 2 * np.pi) + 8.0 * autoregression(rng, 0.7, (_HOURS,)) + gain * felt
    means = hours.reshape(-1, 2, slots_a_day, _SLOT)[..., _CARRIED:].mean(axis=-1)
    differences = np.where(first, means[:, 0] - means[:, 1], means[:, 1] - means[:, 0]).ravel()
    path = pairs_path(differences, planned=differences.size)
    _, low, high = pairs_interval(differences)
    lows, highs = np.append(path.low, low), np.append(path.high, high)
    return lows, highs, row_t_test(hours.reshape(-1, 24), tried.reshape(-1, 24))


TRIALS = (
    *(Trial(name=f"canary, anew, {units} shops", units=units, gain=2.0, play=drawn_anew) for units in (20, 100, 400)),
    *(
        Trial(name=f"canary, for good, {units} shops", units=units, gain=4.0, play=drawn_for_good)
        for units in (20, 100, 400)
    ),
    Trial(name="switchback, 84 pairs", units=1, gain=3.0, play=switched),
)


def run(replicates: int, seed: int, processes: int) -> bool:
    """Prints one line a trial, then the targets; returns whether all are met."""
    print("trials: every look counts; shares in %")
    print("                                false  false    t-test on |  gain | shipped, at     end's interval")
    print("trial                            ship  rollback rows ships|       |       look      covers")
    tasks = [(at, replicates, seed) for at in range(len(TRIALS))]
    targets = []
    for trial, one in zip(TRIALS, spread_over(score, tasks, processes), strict=True):
        print(
            f"{trial.name:<31}{one.false_ship:>6.1f}{one.false_rollback:>9.1f}{one.t_test:>11.1f} |{trial.gain:>6.1f} |"
            f"{one.shipped:>7.1f}{one.median_look:>5.0f}{one.ends_covered:>12.1f}",
            flush=True,
        )
        targets += [
            share_within(f"{trial.name}: false ship", one.false_ship, replicates, 5.0),
            share_within(f"{trial.name}: false rollback", one.false_rollback, replicates, 5.0),
        ]
    return summary(targets)


def score(task: tuple[int, int, int]) -> Score:
    """Plays one kind of trial; a switchback's last interval, a t interval to be read once, is no look."""
    place, replicates, seed = task
    trial = TRIALS[place]
    rng = np.random.default_rng([seed, *trial.name.encode()])
    looks = slice(None, -1) if trial.play is switched else slice(None)
    tallies, found_at = np.zeros(5), []
    for _ in range(replicates):
        low, high, t = trial.play(rng, trial.units, 0.0)
        found = np.flatnonzero(trial.play(rng, trial.units, trial.gain)[0][looks] > 0.0)
        found_at.append(found[0] + 1 if found.size else np.inf)
        tallies += [
            bool(np.any(low[looks] > 0.0)),
            bool(np.any(high[looks] < 0.0)),
            t > 1.96,
            found.size > 0,
            low[-1] <= 0.0 <= high[-1],
        ]
    shares = 100.0 * tallies / replicates
    return Score(
        false_ship=float(shares[0]),
        false_rollback=float(shares[1]),
        t_test=float(shares[2]),
        shipped=float(shares[3]),
        median_look=float(np.median(found_at)),
        ends_covered=float(shares[4]),
    )


def row_t_test(values: Array, tried: np.ndarray) -> float:
    """The largest t of both arms' rows over all looks, each row taken as independent; shapes (periods, rows)."""
    weights = [tried.astype(np.float64), 1.0 - tried]
    counts = [np.cumsum(weight.sum(axis=1)) for weight in weights]
    with np.errstate(divide="ignore", invalid="ignore"):
        means = [np.cumsum((values * w).sum(axis=1)) / n for w, n in zip(weights, counts, strict=True)]
        squares = [np.cumsum((values**2 * w).sum(axis=1)) / n for w, n in zip(weights, counts, strict=True)]
        errors = [(square - mean**2) / n for square, mean, n in zip(squares, means, counts, strict=True)]
        t = (means[0] - means[1]) / np.sqrt(errors[0] + errors[1])
    return float(np.nanmax(t[_FIRST_LOOK - 1 :]))
