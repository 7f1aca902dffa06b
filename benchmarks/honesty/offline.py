"""One idea on one history: how often the verdict ships what is no better, and how often it finds what is.

Each replicate draws a history without any gain and asks the public `verdict` once. A gain of a known size would shift the whole
interval by just that (a test proves it), so the same answer tells whether the verdict would have shipped the gain that somebody
who knew the true spread finds in 80 % of cases, twice that gain, and as large a loss. Beside it stand "the higher mean
wins" and the t-test over rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np
import polars as pl

from benchmarks.honesty.draws import Array
from benchmarks.honesty.pool import spread_over
from benchmarks.honesty.settings import Setting, grid, hard, hopeless
from benchmarks.honesty.target import Target, share_within, summary
from shipworthy.analysis import Criteria, Verdict, verdict

ORACLE = 1.959964 + 0.841621
_FEWEST_TO_SHIP = 28
_FEWEST_COSINES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Shares over the replicates of one setting, in %."""

    false_ship: float
    coverage: float
    power: float
    power_at_twice: float
    harmful: float
    higher_mean: float
    row_t_test: float


def run(replicates: int, seed: int, processes: int) -> bool:
    """Prints one line a setting, then the targets; returns whether all are met."""
    print("offline: one idea on one history; all figures in %")
    print(" days units  setting                          | false ship coverage power at 2x  | higher mean  t on rows")
    groups = {"grid": list(grid()), "hard": list(hard()), "hopeless": list(hopeless())}
    settings = list(chain.from_iterable(groups.values()))
    scores = []
    for at, one in enumerate(spread_over(score, [(at, replicates, seed) for at in range(len(settings))], processes)):
        scores.append(one)
        print(
            f"{settings[at]!s} |{one.false_ship:>11.1f}{one.coverage:>9.1f}{one.power:>6.1f}{one.power_at_twice:>6.1f}  |"
            f"{one.higher_mean:>12.1f}{one.row_t_test:>11.1f}",
            flush=True,
        )
    found = dict(zip(settings_keys(groups), scores, strict=True))
    targets: list[Target] = []
    for name in ("grid", "hard"):
        targets += pooled(name, {at: found[name, at] for at in range(len(groups[name]))}, groups[name], replicates)
    targets += [
        share_within(
            f"no method can: {one.name}, {one.periods} days", found["hopeless", at].false_ship, replicates, one.most
        )
        for at, one in enumerate(groups["hopeless"])
    ]
    return summary(targets)


def settings_keys(groups: dict[str, list[Setting]]) -> list[tuple[str, int]]:
    """Names each setting by its group and its place in it."""
    return [(name, at) for name, members in groups.items() for at in range(len(members))]


def pooled(name: str, scores: dict[int, Score], settings: list[Setting], replicates: int) -> list[Target]:
    """What a group of settings has to reach together."""

    def mean(field: str) -> float:
        return float(np.mean([getattr(one, field) for one in scores.values()]))

    worst = max(scores, key=lambda at: scores[at].false_ship)
    where = f"{settings[worst].name}, {settings[worst].periods} x {settings[worst].units}"
    label = f"{name}, {len(scores)} settings"
    print(
        f"\n{label}: higher mean ships {mean('higher_mean'):.1f}, t-test on rows {mean('row_t_test'):.1f}, "
        f"shipworthy {mean('false_ship'):.2f}"
    )
    return [
        share_within(f"{name}: false ship, worst ({where})", scores[worst].false_ship, replicates, 5.0),
        Target(what=f"{label}: false ship, pooled", found=mean("false_ship"), most=3.0),
        Target(what=f"{label}: coverage, pooled", found=mean("coverage"), least=94.0),
        Target(what=f"{label}: coverage, worst", found=min(one.coverage for one in scores.values()), least=90.0),
        Target(what=f"{label}: power where an oracle has 80, mean", found=mean("power"), least=65.0),
        Target(what=f"{label}: power at twice that gain, mean", found=mean("power_at_twice"), least=93.0),
        Target(what=f"{label}: ships a loss as large, mean", found=mean("harmful"), most=0.1),
    ]


def score(task: tuple[int, int, int]) -> Score:
    """Plays one setting, given by its place in the list of all."""
    place, replicates, seed = task
    setting = [*grid(), *hard(), *hopeless()][place]
    rng = np.random.default_rng([seed, *str(setting).encode()])
    means, lows, highs, spreads = (np.empty(replicates) for _ in range(4))
    criteria = Criteria(**setting.criteria)
    for at in range(replicates):
        rows = setting.draw(rng)
        found = judged(rows, criteria)
        means[at], lows[at], highs[at] = np.nanmean(rows), shippable_low(found), found.high
        spreads[at] = np.nanstd(rows, ddof=1) / np.sqrt(np.isfinite(rows).sum())
    gain = ORACLE * float(means.std())
    return Score(
        false_ship=_share(lows > 0.0),
        coverage=_share((lows <= 0.0) & (highs >= 0.0)),
        power=_share(lows + gain > 0.0),
        power_at_twice=_share(lows + 2.0 * gain > 0.0),
        harmful=_share(lows - gain > 0.0),
        higher_mean=_share(means > 0.0),
        row_t_test=_share(means > 1.959964 * spreads),
    )


def judged(rows: Array, criteria: Criteria) -> Verdict:
    """Asks the public verdict for differences of shape (periods, units); NaN is a row that is not there."""
    period, unit = np.nonzero(np.isfinite(rows))
    table = pl.DataFrame({"period": period, "unit": unit, "value_challenger": rows[period, unit]})
    return verdict(table.with_columns(value_champion=pl.lit(0.0)), criteria)


def shippable_low(found: Verdict) -> float:
    """The low end if the verdict could ship on it; minus infinity where it ships nothing, however large the gain."""
    if found.nu < _FEWEST_COSINES or found.exposure is None or found.exposure.periods < _FEWEST_TO_SHIP:
        return -np.inf
    return found.low


def _share(hits: np.ndarray) -> float:
    """How many, in %."""
    return 100.0 * float(np.mean(hits))
