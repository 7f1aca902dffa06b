"""The replay beside the same loop written by hand, on one process and on two, and again when nothing changed.

    python -m benchmarks.replay

The loop by hand has the same rows, model, refits and solver as the kitchen example's `demand_forecast`, and nothing else: no
store, no checks, no ladder, no record of anything; its features are computed once, for the whole history.

How much a second process gains is measured with a fit every three days instead of every four weeks, so that fits dominate.

Targets: one process within 1.10 of the loop; two processes at least 1.8 times as fast as one; again, at most 1 s and no fit.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.machine import describe

KITCHEN = Path(__file__).parents[1] / "examples" / "kitchen"
POLICY = "demand_forecast"
FITTED_OFTEN = """

@kitchen.policy
def fitted_often():
    policy = demand_forecast()
    policy.refit = "3d"
    return policy
"""
MOST_OVERHEAD = 1.10
LEAST_SPEED_UP = 1.8
MOST_SECONDS_AGAIN = 1.0

_BY_HAND = """
import time
from datetime import timedelta
import numpy as np
import polars as pl
import forecast, problem

began = time.perf_counter()
rows = problem.one_row_per_dish(pl.read_parquet("data/daily.parquet"))
table = forecast.calendar_and_past(rows)
days = table["date"].unique().sort().to_list()
days = days[len(days) // 3 :]
fitted_on, model, profits = None, None, []
for day in days:
    if fitted_on is None or day >= fitted_on + timedelta(days=28):
        past = table.filter(pl.col("date") < day)
        X = past.select(forecast.CALENDAR_AND_PAST).cast(pl.Float64).to_numpy()
        model = forecast.Quantiles().fit(X, past["demand"].to_numpy())
        fitted_on = day
    today = table.filter(pl.col("date") == day)
    X = today.select(forecast.CALENDAR_AND_PAST).cast(pl.Float64).to_numpy()
    now = problem.sw.Now(period=day, key=("date", "dish"), rows=today, past=today.clear(), time_limit=5.0)
    plan = forecast.fill_kitchen(now, model.predict(X), problem.KITCHEN_MINUTES)
    decided = today.with_columns(portions=pl.Series(plan.decisions))
    profits.append(decided.select(problem.profit(decided).sum()).item())
print(time.perf_counter() - began)
"""

_BY_US = """
import sys, time
from pathlib import Path
from shipworthy.data.snapshot import take_snapshot
from shipworthy.engine import ProcessEngine, Replay, replay
from shipworthy.project import open_project
from shipworthy.project.code import load_problem
from shipworthy.step import History

if __name__ == "__main__":
    project = open_project(Path.cwd())
    code, problem = load_problem(project, "kitchen")
    began = time.perf_counter()
    snapshot = take_snapshot(project, problem)
    history = History(problem, snapshot.rows)
    replayed = Replay(project=project, code=code, problem=problem, snapshot=snapshot.address, history=history)
    track = replay(replayed, sys.argv[1], ProcessEngine(workers=int(sys.argv[2])))
    print(time.perf_counter() - began, track.fits)
"""


def main() -> int:
    """Prints one table; returns 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="rounds of all (3)")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "kitchen"
        shutil.copytree(KITCHEN, project, ignore=shutil.ignore_patterns("__pycache__", ".shipworthy"))
        declared = project / "problem.py"
        declared.write_text(declared.read_text() + FITTED_OFTEN)
        measured = _measured(project, runs)
    medians = {name: statistics.median(times) for name, times in measured.items()}

    print(describe(), end="\n\n")
    print(f"{'':<34}{'seconds':>9}    median of {runs}, {POLICY} over the kitchen's 510 days")
    for name, seconds in medians.items():
        print(f"{name:<34}{seconds:>9.2f}")
    by_hand, one, again, often, often_two = medians.values()
    return _judged(
        [
            (f"one process is {one / by_hand:.2f} x the loop by hand", one / by_hand <= MOST_OVERHEAD, "at most 1.10"),
            (
                f"two processes are {often / often_two:.2f} x as fast as one where fits dominate",
                often / often_two >= LEAST_SPEED_UP,
                "at least 1.8",
            ),
            (f"again takes {again:.2f} s", again <= MOST_SECONDS_AGAIN, "at most 1 s, without a fit"),
        ]
    )


def _measured(project: Path, runs: int) -> dict[str, list[float]]:
    rounds: dict[str, Callable[[], float]] = {
        "by hand": lambda: _ran(project, _BY_HAND)[0],
        "one process": lambda: _afresh(project, POLICY, workers=1),
        "one process, nothing changed": lambda: _again(project),
        "a fit every 3 days, one process": lambda: _afresh(project, "fitted_often", workers=1),
        "a fit every 3 days, two processes": lambda: _afresh(project, "fitted_often", workers=2),
    }
    measured: dict[str, list[float]] = {name: [] for name in rounds}
    for _ in range(runs):
        for name, one in rounds.items():
            measured[name].append(one())
    return measured


def _afresh(project: Path, policy: str, *, workers: int) -> float:
    shutil.rmtree(project / ".shipworthy", ignore_errors=True)
    seconds, fits = _ran(project, _BY_US, policy, str(workers))
    assert fits, "a fresh replay fits"
    return seconds


def _again(project: Path) -> float:
    seconds, fits = _ran(project, _BY_US, POLICY, "1")
    assert not fits, "nothing changed, so nothing is fitted"
    return seconds


def _ran(project: Path, script: str, *arguments: str) -> list[float]:
    """The numbers that a script prints, run in the project's folder with one thread for each library."""
    place = project / "measured_script.py"
    place.write_text(script)
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(place), *arguments],
        cwd=project,
        env={**os.environ, **one_thread},
        capture_output=True,
        text=True,
        check=False,
    )
    place.unlink()
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip()[-2000:])
    return [float(number) for number in done.stdout.split()]


def _judged(findings: list[tuple[str, bool, str]]) -> int:
    print()
    for finding, is_met, target in findings:
        print(f"{finding}; target: {target}  ->  {'met' if is_met else 'missed'}")
    return 0 if all(is_met for _, is_met, _ in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
