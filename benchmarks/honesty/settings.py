"""The settings in which the offline verdict has to keep its promise, and those in which no method can."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from benchmarks.honesty.draws import Array, autoregression, moving_sum, noise, refits, without_rows

_ROW_SPREAD = math.sqrt(2.0)
_ROW_NAMES = ("normal", "heavy", "skew")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A history in which the challenger is worth exactly as much as the champion.

    Attributes:
        name: What is special about it.
        periods: Days.
        units: Units a day.
        rows: Draws the differences, shape (periods, units); NaN where a row is missing.
        criteria: What the verdict is asked by, beside its defaults.
        most: The false ship that is tolerated, in %; 5 where a method can keep it.
    """

    name: str
    periods: int
    units: int
    rows: Callable[[np.random.Generator, int, int], Array]
    criteria: dict[str, Any] = field(default_factory=dict)
    most: float = 5.0

    def __str__(self) -> str:
        """Names the setting in a table."""
        return f"{self.periods:>5}{self.units:>6}  {self.name:<32}"

    def draw(self, rng: np.random.Generator) -> Array:
        """Draws one history."""
        return self.rows(rng, self.periods, self.units)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Units that share the shocks of their days, and have noise of their own.

    Attributes:
        phi: Autocorrelation of the days.
        theta: Moving average of the days.
        tail: Of the shocks and of the rows.
        refit: The luck of a refit every so many days is added, half as large as the shocks; 0 is a frozen model.
        memory: How much one refit's luck resembles the last one's.
    """

    phi: float = 0.0
    theta: float = 0.0
    tail: str = "normal"
    refit: int = 0
    memory: float = 0.0

    def __call__(self, rng: np.random.Generator, periods: int, units: int) -> Array:
        """Draws rows."""
        days = autoregression(rng, self.phi, (periods,), theta=self.theta, tail=self.tail)
        if self.refit:
            days = days + 0.5 * refits(rng, self.refit, periods, memory=self.memory)
        return _with_rows(rng, days, units, self.tail)


def grid() -> Iterator[Setting]:
    """Yields 112 settings: autocorrelation by length by units by tail, then refits every 7 and 28 days."""
    for phi, periods, units, tail in product((0.0, 0.3, 0.6, 0.8), (60, 120, 365), (1, 20, 200), _ROW_NAMES):
        yield Setting(name=f"AR {phi} {tail}", periods=periods, units=units, rows=Shared(phi=phi, tail=tail))
    for periods, refit in ((60, 7), (120, 7), (120, 28), (365, 28)):
        yield _refit_setting(periods, refit)


def hard() -> Iterator[Setting]:
    """Yields 36 settings, each with something that simpler methods trip over."""
    for periods, units, phi in (
        (28, 20, 0.0),
        (28, 1, 0.3),
        (60, 5, 0.0),
        (60, 50, 0.6),
        (60, 200, 0.9),
        (120, 20, 0.9),
        (180, 50, 0.7),
        (365, 20, 0.9),
        (365, 200, 0.5),
    ):
        yield Setting(name=f"AR {phi}", periods=periods, units=units, rows=Shared(phi=phi))
    for periods in (60, 120, 365):
        yield Setting(name="ARMA 0.9, -0.5", periods=periods, units=20, rows=Shared(phi=0.9, theta=-0.5))
    for periods in (60, 120, 365):
        yield Setting(name="horizons of 7 days overlap", periods=periods, units=20, rows=_overlapping)
    for periods, units, tail, phi in (
        (60, 20, "heavy", 0.3),
        (120, 20, "lottery", 0.0),
        (60, 20, "lottery", 0.6),
        (120, 20, "skew", 0.6),
        (365, 1, "skew", 0.0),
    ):
        yield Setting(name=f"AR {phi} {tail}", periods=periods, units=units, rows=Shared(phi=phi, tail=tail))
    yield Setting(name="one unit is a whale", periods=60, units=50, rows=_whale)
    yield Setting(name="sizes are Pareto", periods=365, units=200, rows=_pareto)
    yield Setting(name="holes, 30 % of the rows", periods=120, units=20, rows=_holes)
    yield Setting(name="units join over time", periods=180, units=100, rows=_growing)
    yield Setting(name="two days a week are closed", periods=120, units=20, rows=_closed)
    yield Setting(name="weekly pattern", periods=60, units=20, rows=_weekly)
    yield Setting(name="gains and losses by unit", periods=60, units=20, rows=_mixed)
    for periods in (60, 365):
        yield Setting(name="newsvendor", periods=periods, units=20, rows=_newsvendor)
    for periods, refit in ((60, 7), (120, 7), (120, 28), (365, 28)):
        yield _refit_setting(periods, refit, phi=0.3)
    for periods, units in ((60, 20), (120, 100), (365, 10)):
        yield Setting(
            name="new units will be served",
            periods=periods,
            units=units,
            rows=_sampled,
            criteria={"entities": "sample"},
        )


def hopeless() -> Iterator[Setting]:
    """Yields settings in which no method can keep 5 %: the loss was never seen, or refits err together."""
    for periods, most in ((60, 10.0), (365, 6.0)):
        yield Setting(name="a crash one day in 50", periods=periods, units=20, rows=_crash, most=most)
    yield Setting(
        name="refits of 28 days resemble",
        periods=365,
        units=20,
        rows=Shared(refit=28, memory=0.5),
        criteria={"refit_periods": 28},
        most=15.0,
    )


def _refit_setting(periods: int, refit: int, phi: float = 0.0) -> Setting:
    """Refits that err independently."""
    return Setting(
        name=f"AR {phi}, refit every {refit}",
        periods=periods,
        units=20,
        rows=Shared(phi=phi, refit=refit),
        criteria={"refit_periods": refit},
    )


def _with_rows(rng: np.random.Generator, days: Array, units: int, tail: str = "normal") -> Array:
    """Adds noise of variance 2 for each row."""
    return days[:, None] + _ROW_SPREAD * noise(rng, tail, (days.size, units))


def _overlapping(rng: np.random.Generator, periods: int, units: int) -> Array:
    return _with_rows(rng, moving_sum(rng, 7, (periods,)), units)


def _whale(rng: np.random.Generator, periods: int, units: int) -> Array:
    rows = _with_rows(rng, autoregression(rng, 0.3, (periods,)), units)
    return rows * np.where(np.arange(units) == 0, 100.0, 1.0)


def _pareto(rng: np.random.Generator, periods: int, units: int) -> Array:
    sizes = 1.0 + rng.pareto(1.2, size=units)
    rows: Array = _with_rows(rng, autoregression(rng, 0.3, (periods,)), units) * sizes
    return rows


def _holes(rng: np.random.Generator, periods: int, units: int) -> Array:
    return without_rows(rng, _with_rows(rng, autoregression(rng, 0.3, (periods,)), units), 0.3)


def _growing(rng: np.random.Generator, periods: int, units: int) -> Array:
    rows = _with_rows(rng, autoregression(rng, 0.3, (periods,)), units)
    joined = np.arange(units) * periods / units
    return np.where(np.arange(periods)[:, None] >= joined, rows, np.nan)


def _closed(rng: np.random.Generator, periods: int, units: int) -> Array:
    rows = _with_rows(rng, autoregression(rng, 0.3, (periods,)), units)
    return np.where((np.arange(periods) % 7 < 5)[:, None], rows, np.nan)


def _weekly(rng: np.random.Generator, periods: int, units: int) -> Array:
    # Better on some days of the week and worse on others, more variable at its end; the history starts on any day.
    day = (np.arange(periods) + rng.integers(7)) % 7
    level = np.array([0.4, 0.4, 0.2, 0.0, -0.2, -0.4, -0.4])[day]
    size = np.array([0.7, 0.7, 0.7, 0.7, 1.0, 1.7, 1.7])[day]
    return _with_rows(rng, level + size * autoregression(rng, 0.3, (periods,)), units)


def _mixed(rng: np.random.Generator, periods: int, units: int) -> Array:
    effects = rng.normal(size=units)
    return _with_rows(rng, autoregression(rng, 0.3, (periods,)), units) + (effects - float(effects.mean()))


def _newsvendor(rng: np.random.Generator, periods: int, units: int) -> Array:
    # Two forecasts, equally good; each orders at the same critical ratio. The demand has days of its own.
    demand = 100.0 + 15.0 * autoregression(rng, 0.5, (periods,))[:, None] + 10.0 * rng.normal(size=(periods, units))
    error = 6.0 * autoregression(rng, 0.4, (2, periods))[:, :, None] + 8.0 * rng.normal(size=(2, periods, units))
    ordered = demand + error + 4.0
    money = 5.0 * np.minimum(ordered, demand) - 2.0 * ordered
    gain: Array = money[1] - money[0]
    return gain


def _sampled(rng: np.random.Generator, periods: int, units: int) -> Array:
    return _with_rows(rng, autoregression(rng, 0.3, (periods,)), units) + rng.normal(size=units)


def _crash(rng: np.random.Generator, periods: int, units: int) -> Array:
    days = autoregression(rng, 0.0, (periods,)) + 0.2 - 10.0 * (rng.random(size=periods) < 1 / 50)
    return _with_rows(rng, days, units)
