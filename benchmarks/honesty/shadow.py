"""A year in shadow, looked at every day: false ships, false rollbacks, and how long true gains and losses take.

Each replicate draws a backtest of 180 days and 365 live days of the same kind, and asks the public `monitor` and `first_alarm`
what they say of the stream as it is, with a gain, and with losses from the first day or from day 121. Gains and losses are
counted in standard deviations of a day. Beside it stands a t-test at each look.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from benchmarks.honesty.draws import Array, autoregression
from benchmarks.honesty.pool import spread_over
from benchmarks.honesty.target import Target, share_within, summary
from shipworthy.statistics import Backtest, LiveDecision, breaker_threshold, first_alarm, monitor

_BACKTEST, _YEAR = 180, 365
_LATE = 120
_FIRST_SHIP, _FIRST_STOP = 28, 7
_WANTED_DAYS = {1.0: {0.0: 15, 0.3: 27, 0.6: 45}, 2.0: {0.0: 8, 0.3: 10, 0.6: 16}, _LATE: {0.0: 30, 0.3: 48, 0.6: 90}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One kind of live days."""

    phi: float
    tail: str

    def __str__(self) -> str:
        """Names the stream in a table."""
        return f"AR {self.phi} {self.tail:<7}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What happened within the year; shares in %, times in days, the median over those that were found."""

    false_ship: float
    false_rollback: float
    false_breaker: float
    t_test_ship: float
    t_test_rollback: float
    shipped: float
    days_to_ship: float
    days_to_rollback: float
    days_to_rollback_twice: float
    days_to_late: float


def streams() -> Iterator[Stream]:
    """Yields autocorrelation by tail."""
    for phi, tail in product((0.0, 0.3, 0.6), ("normal", "heavy", "skew")):
        yield Stream(phi=phi, tail=tail)


def run(replicates: int, seed: int, processes: int) -> bool:
    """Prints one line a stream, then the targets; returns whether all are met."""
    print("shadow: 365 daily looks; shares in %, median days until found")
    print(
        "                 false  false    false | t-test at each look | gain 0.5     | loss 1  loss 2  loss 1 from\n"
        "stream            ship  rollback breaker|  ship   rollback    | shipped days |   days    days   day 121, days"
    )
    kinds = list(streams())
    targets: list[Target] = []
    for kind, one in zip(
        kinds, spread_over(score, [(kind, replicates, seed) for kind in kinds], processes), strict=True
    ):
        print(
            f"{kind!s:<17}{one.false_ship:>5.1f}{one.false_rollback:>9.1f}{one.false_breaker:>8.1f} |"
            f"{one.t_test_ship:>7.1f}{one.t_test_rollback:>9.1f}     |{one.shipped:>7.1f}{one.days_to_ship:>6.0f} |"
            f"{one.days_to_rollback:>7.0f}{one.days_to_rollback_twice:>8.0f}{one.days_to_late:>12.0f}",
            flush=True,
        )
        targets += wanted(kind, one, replicates)
    return summary(targets)


def wanted(kind: Stream, one: Score, replicates: int) -> list[Target]:
    """What one stream has to reach; the days to find something are promised for normal days."""
    targets = [
        share_within(f"{kind}: false ship", one.false_ship, replicates, 5.0),
        share_within(f"{kind}: false rollback", one.false_rollback, replicates, 8.0),
        Target(what=f"{kind}: gain of 0.5 shipped", found=one.shipped, least=95.0 if kind.phi <= 0.3 else 90.0),
    ]
    if kind.tail == "normal":
        targets += [
            Target(what=f"{kind}: {what}, median days", found=days, most=_WANTED_DAYS[loss][kind.phi])
            for what, loss, days in (
                ("loss of 1", 1.0, one.days_to_rollback),
                ("loss of 2", 2.0, one.days_to_rollback_twice),
                ("loss of 1 from day 121", _LATE, one.days_to_late),
            )
        ]
    return targets


def score(task: tuple[Stream, int, int]) -> Score:
    """Plays one kind of stream."""
    kind, replicates, seed = task
    rng = np.random.default_rng([seed, *str(kind).encode()])
    days = autoregression(rng, kind.phi, (replicates, _BACKTEST + _YEAR), tail=kind.tail)
    late = np.where(np.arange(_YEAR) >= _LATE, 1.0, 0.0)
    false_ship, false_rollback, false_breaker, shipped = (np.zeros(replicates, dtype=bool) for _ in range(4))
    ship_at, rollback_at, twice_at, late_at = (np.full(replicates, np.inf) for _ in range(4))
    for at, series in enumerate(days):
        backtest = Backtest.from_sums(series[:_BACKTEST], np.ones(_BACKTEST))
        stream = series[_BACKTEST:]
        false_ship[at] = monitor(stream, backtest).decision is LiveDecision.SHIP
        false_rollback[at] = rolled_back_at(stream, backtest) < math.inf
        false_breaker[at] = float(stream.min()) < -breaker_threshold(backtest)
        gained = monitor(stream + 0.5, backtest)
        shipped[at] = gained.decision is LiveDecision.SHIP
        ship_at[at] = gained.decided_at if shipped[at] and gained.decided_at else math.inf
        rollback_at[at] = rolled_back_at(stream - 1.0, backtest)
        twice_at[at] = rolled_back_at(stream - 2.0, backtest)
        late_at[at] = rolled_back_at(stream - late, backtest) - _LATE
    tests = t_statistics(days[:, _BACKTEST:])
    return Score(
        false_ship=100.0 * float(false_ship.mean()),
        false_rollback=100.0 * float(false_rollback.mean()),
        false_breaker=100.0 * float(false_breaker.mean()),
        t_test_ship=100.0 * float(np.any(tests[:, _FIRST_SHIP - 1 :] > 1.96, axis=1).mean()),
        t_test_rollback=100.0 * float(np.any(tests[:, _FIRST_STOP - 1 :] < -1.96, axis=1).mean()),
        shipped=100.0 * float(shipped.mean()),
        days_to_ship=float(np.median(ship_at)),
        days_to_rollback=float(np.median(rollback_at)),
        days_to_rollback_twice=float(np.median(twice_at)),
        days_to_late=float(np.median(late_at[late_at > 0.0])),
    )


def rolled_back_at(stream: Array, backtest: Backtest) -> float:
    """The day on which a rollback starts by itself; inf where none does. A breaker only pauses, so it is looked past."""
    paused = np.maximum(stream, -breaker_threshold(backtest))
    alarm = first_alarm(paused, backtest)
    return math.inf if alarm is None else float(alarm.n)


def t_statistics(streams_of_days: Array) -> Array:
    """The t of the days so far, after each day, shape (streams, days)."""
    n = np.arange(1, streams_of_days.shape[1] + 1)
    mean = np.cumsum(streams_of_days, axis=1) / n
    square = np.cumsum(streams_of_days**2, axis=1) / n
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Array = mean / np.sqrt((square - mean**2) / (n - 1.0))
    return np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0)
