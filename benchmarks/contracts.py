"""How long it takes to hold rows against a contract, beside pandera: many small frames, as requests bring them, and a large one.

    python -m benchmarks.contracts

Target: 1,000 frames of 7 rows and 10 columns in at most a fifth of pandera's time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import date, timedelta
from importlib.metadata import version
from statistics import median
from time import perf_counter

import numpy as np
import pandera.polars as pa
import polars as pl

from benchmarks.machine import describe
from shipworthy.data.contract import parse_contract
from shipworthy.data.guard import Guard
from shipworthy.data.quarantine import broken_rows
from shipworthy.problem import Problem
from shipworthy.sources.frame import frame

TARGET = 1 / 5
FRAMES = 1_000
ROWS = 7
LARGE = 1_000_000
DISHES = ("calamari", "chicken", "fish", "koefte", "lamb", "shrimp", "steak")

CONTRACT = b"""
[columns]
day        = { type = "date", required = true, min = 2013-01-01 }
dish       = { type = "text", required = true, one_of = ["calamari", "chicken", "fish", "koefte", "lamb", "shrimp", "steak"] }
code       = { type = "text", required = true, pattern = "[A-Z]{2}[0-9]+" }
is_holiday = { type = "integer", required = true, min = 0, max = 1 }
is_open    = { type = "boolean", required = true }
price      = { type = "number", required = true, min = 0, max = 100 }
cost       = { type = "number", required = true, min = 0, max = 100 }
minutes    = { type = "number", required = true, min = 0, max = 60 }
lag_1      = { type = "number", min = 0 }
lag_7      = { type = "number", min = 0 }
"""

SCHEMA = pa.DataFrameSchema(
    {
        "day": pa.Column(pl.Date, pa.Check.ge(date(2013, 1, 1))),
        "dish": pa.Column(pl.String, pa.Check.isin(DISHES)),
        "code": pa.Column(pl.String, pa.Check.str_matches(r"[A-Z]{2}[0-9]+$")),
        "is_holiday": pa.Column(pl.Int64, pa.Check.in_range(0, 1)),
        "is_open": pa.Column(pl.Boolean),
        "price": pa.Column(pl.Float64, pa.Check.in_range(0, 100)),
        "cost": pa.Column(pl.Float64, pa.Check.in_range(0, 100)),
        "minutes": pa.Column(pl.Float64, pa.Check.in_range(0, 60)),
        "lag_1": pa.Column(pl.Float64, pa.Check.ge(0), nullable=True),
        "lag_7": pa.Column(pl.Float64, pa.Check.ge(0), nullable=True),
    }
)
"""The same contract as pandera says it."""


def main() -> int:
    """Prints one table; returns 1 where the target is missed, or where a bad frame passes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contracts", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="rounds of all frames (5)")
    runs = parser.parse_args().runs

    small = [table(ROWS, seed) for seed in range(FRAMES)]
    large = table(LARGE, 0)
    contract = parse_contract(CONTRACT, "contracts/bench.toml")
    guard = Guard(contract, small[0].schema)
    problem = Problem("bench", rows=frame(large), period="day", unit="code", outcome="lag_1")
    if refused := _passes_what_is_bad(guard, small[0]):
        print(refused)
        return 1

    ours, theirs = _medians(
        lambda: [guard.breaks(rows) for rows in small],
        lambda: [SCHEMA.validate(rows, lazy=True) for rows in small],
        runs=runs,
    )
    held, parted, validated = _medians(
        lambda: guard.breaks(large),
        lambda: broken_rows(problem, large, contract),
        lambda: SCHEMA.validate(large, lazy=True),
        runs=runs,
    )

    print(describe(), end="\n\n")
    print(f"shipworthy's contract beside pandera {version('pandera')}, Polars {version('polars')}\n")
    print(f"{'':<44}{'ours ms':>10}{'pandera ms':>12}{'ratio':>8}    median of {runs}")
    for what, own, other in (
        (f"{FRAMES:,} frames of {ROWS} x {small[0].width}", ours, theirs),
        (f"{LARGE:,} rows", held, validated),
        (f"{LARGE:,} rows; ours looks for copies too", parted, validated),
    ):
        print(f"{what:<44}{own:>10.0f}{other:>12.0f}{own / other:>8.3f}")
    met = ours <= TARGET * theirs
    target = f"small frames in at most {TARGET:.2f} of pandera's time"
    print(f"\none small frame: {ours / FRAMES:.3f} ms; target: {target}  ->  {'met' if met else 'missed'}")
    return 0 if met else 1


def table(n: int, seed: int) -> pl.DataFrame:
    """So many good rows of ten columns, one per day and code."""
    rng = np.random.default_rng(seed)
    numbers = {name: rng.uniform(0, 60, n) for name in ("price", "cost", "minutes", "lag_1", "lag_7")}
    return pl.DataFrame(
        {
            "day": [date(2013, 1, 1) + timedelta(days=i // len(DISHES) % 3_000) for i in range(n)],
            "dish": [DISHES[i % len(DISHES)] for i in range(n)],
            "code": [f"AB{i}" for i in range(n)],
            "is_holiday": rng.integers(0, 2, n),
            "is_open": rng.integers(0, 2, n) == 1,
            **numbers,
        }
    )


def _passes_what_is_bad(guard: Guard, good: pl.DataFrame) -> str | None:
    """Whether either of the two takes a frame with a price below zero, which would make its time worth nothing."""
    bad = good.with_columns(price=pl.lit(-1.0))
    if guard.breaks(good) or not guard.breaks(bad):
        return "our contract takes what is bad, or refuses what is good"
    SCHEMA.validate(good, lazy=True)
    try:
        SCHEMA.validate(bad, lazy=True)
    except pa.errors.SchemaErrors:
        return None
    return "pandera takes what is bad"


def _medians(*works: Callable[[], object], runs: int) -> list[float]:
    """The median milliseconds of each work, by turns, so that a busy machine slows all of them."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(runs):
        for times, work in zip(taken, works, strict=True):
            started = perf_counter()
            work()
            times.append((perf_counter() - started) * 1000)
    return [median(times) for times in taken]


if __name__ == "__main__":
    sys.exit(main())
