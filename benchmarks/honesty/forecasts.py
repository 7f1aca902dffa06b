"""A programme of 100 ideas: what the shipped ones were forecast to earn against what they do earn.

Ideas come one after another; each has a true worth, and 120 autocorrelated days of evidence. Those ship whose interval lies above
zero. The public `forecast` then shrinks the estimate by all ideas before. Beside it stands the raw estimate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.honesty.draws import Array, autoregression
from benchmarks.honesty.pool import spread_over
from benchmarks.honesty.target import Target, summary
from shipworthy.statistics import estimate, forecast

_IDEAS = 100
_DAYS = 120
_PHI = 0.3
_SE = float(np.sqrt((1.0 + _PHI) / (1.0 - _PHI) / _DAYS))  # of the mean of such days
_NORMAL_90 = 1.644854
_SHIPPED_FOR_A_STAGE = 50
_STAGES = ((0, 5), (6, 20), (21, _IDEAS))


def _sparse(rng: np.random.Generator, ideas: int) -> Array:
    return np.where(rng.random(ideas) < 0.3, rng.normal(2.5, 1.0, size=ideas), rng.normal(0.0, 0.1, size=ideas))


def _small(rng: np.random.Generator, ideas: int) -> Array:
    return rng.normal(0.0, 1.0, size=ideas)


def _rare(rng: np.random.Generator, ideas: int) -> Array:
    return np.where(rng.random(ideas) < 0.1, rng.normal(0.0, 4.0, size=ideas), rng.normal(0.0, 0.3, size=ideas))


def _harmful(rng: np.random.Generator, ideas: int) -> Array:
    return rng.normal(-0.5, 1.5, size=ideas)


# What ideas are worth, in standard errors of an estimate.
PROGRAMMES: dict[str, Callable[[np.random.Generator, int], Array]] = {
    "3 in 10 work": _sparse,
    "all a little": _small,
    "1 in 10 much": _rare,
    "more harm": _harmful,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """The ideas of one kind of programme that shipped, over all replicates, in standard errors.

    Attributes:
        before: Ideas before each one.
        truth: What they are worth.
        raw: Their estimates.
        raw_covers: Whether the 90 % interval of the estimate holds the truth.
        shrunk: Their forecasts.
        covers: Whether the 90 % interval of the forecast holds the truth.
    """

    before: Array
    truth: Array
    raw: Array
    raw_covers: Array
    shrunk: Array
    covers: Array


def run(replicates: int, seed: int, processes: int) -> bool:
    """Prints one line a programme and stage, then the targets; returns whether all are met."""
    programmes = max(1, replicates // 6)
    print(f"forecasts: {programmes} programmes of {_IDEAS} ideas of each kind; over shipped ideas")
    print("programme       ideas before | shipped  forecast/realised  90 % covers | raw/realised  covers %")
    targets = []
    kinds = list(PROGRAMMES)
    for kind, one in zip(
        kinds, spread_over(play, [(kind, programmes, seed) for kind in kinds], processes), strict=True
    ):
        for first, last in (*_STAGES, (0, _IDEAS)):
            at = (one.before >= first) & (one.before <= last)
            if at.sum() < _SHIPPED_FOR_A_STAGE:
                continue
            realised = one.truth[at].sum()
            print(
                f"{kind:<16}{f'{first} to {last}':>12} |{at.sum():>8}{one.shrunk[at].sum() / realised:>19.2f}"
                f"{100.0 * one.covers[at].mean():>13.1f} |{one.raw[at].sum() / realised:>13.2f}"
                f"{100.0 * one.raw_covers[at].mean():>10.1f}",
                flush=True,
            )
        ratio, covers = one.shrunk.sum() / one.truth.sum(), 100.0 * float(one.covers.mean())
        targets += [
            Target(what=f"{kind}: forecast / realised", found=ratio, least=0.9, most=1.15),
            Target(what=f"{kind}: 90 % interval covers", found=covers, least=88.0),
        ]
    return summary(targets)


def play(task: tuple[str, int, int]) -> Shipped:
    """Plays one kind of programme."""
    kind, programmes, seed = task
    rng = np.random.default_rng([seed, *kind.encode()])
    rows = []
    for _ in range(programmes):
        truths = PROGRAMMES[kind](rng, _IDEAS)
        days = autoregression(rng, _PHI, (_IDEAS, _DAYS)) / _SE + truths[:, None]
        found = [estimate(one, np.ones(_DAYS)) for one in days]
        estimates, ses = np.array([one.mean for one in found]), np.array([one.se for one in found])
        dfs = np.array([max(one.nu, 1) for one in found])
        for at, one in enumerate(found):
            if one.nu < 3 or one.low <= 0.0:
                continue
            made = forecast(
                one.mean, one.se, df=one.nu, past_estimates=estimates[:at], past_ses=ses[:at], past_dfs=dfs[:at]
            )
            raw_covers = abs(one.mean - truths[at]) <= _NORMAL_90 * one.se
            rows.append((at, truths[at], one.mean, raw_covers, made.mean, made.low <= truths[at] <= made.high))
    before, truth, raw, raw_covers, shrunk, covers = np.array(rows, dtype=np.float64).T
    return Shipped(before=before, truth=truth, raw=raw, raw_covers=raw_covers, shrunk=shrunk, covers=covers)
