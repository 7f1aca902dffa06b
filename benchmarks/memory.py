"""What memory a worker of a replay needs, by the size of the rows: the figures behind `engine/choice.py`.

python -m benchmarks.memory
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.machine import describe
from shipworthy.data.snapshot import take_snapshot
from shipworthy.engine import ProcessEngine, Replay, replay
from shipworthy.project import open_project
from shipworthy.project.code import load_problem
from shipworthy.step import History

SIZES = ((100, 10), (400, 500), (400, 2000))
PROJECT = """
from pathlib import Path
import lightgbm
import numpy as np
import polars as pl
import shipworthy as sw

def peak():
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
    return int(line.split()[1]) * 1024 / 1e6

PERIODS, UNITS = {periods}, {units}
COLUMNS = [f"column_{{i}}" for i in range(20)]

def rows():
    chance = np.random.default_rng(1)
    key = {{"day": np.repeat(np.arange(PERIODS), UNITS), "item": np.tile(np.arange(UNITS), PERIODS)}}
    return pl.DataFrame(key | {{name: chance.random(PERIODS * UNITS) for name in ["sold", *COLUMNS]}})

shop = sw.Problem("shop", rows=sw.frame(rows), period="day", unit="item", outcome="sold", decision="stock")

@shop.value
def profit(happened):
    return pl.col("stock") * pl.col("sold")

@shop.policy(champion=True)
class Counting(sw.Policy):
    memory, refit = "1", "30"
    def fit(self, past):
        return past.height
    def decide(self, now, fitted):
        return [peak()] * now.rows.height

@shop.policy
class Boosting(Counting):
    def fit(self, past):
        model = lightgbm.LGBMRegressor(n_estimators=5, n_jobs=1, verbose=-1)
        return model.fit(past.select(COLUMNS).to_numpy(), past["sold"].to_numpy())
"""


def main() -> int:
    """Prints one table."""
    print(describe(), end="\n\n")
    print(f"{'policy':<12}{'rows MB':>9}{'peak MB':>9}{'more, times the rows':>22}")
    for policy in ("counting", "boosting"):
        first: tuple[float, float] | None = None
        for periods, units in SIZES:
            rows, peak = _measured(policy, periods, units)
            first = first or (rows, peak)
            times = f"{(peak - first[1]) / (rows - first[0]):.1f}" if rows > first[0] else ""
            print(f"{policy:<12}{rows:>9.1f}{peak:>9.0f}{times:>22}", flush=True)
    return 0


def _measured(policy: str, periods: int, units: int) -> tuple[float, float]:
    """The size of the rows, and the peak of a worker, which its policy tells as its decision, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "shipworthy.toml").write_text('[project]\nproblems = ["problem:shop"]\n', encoding="utf-8")
        (Path(folder) / "problem.py").write_text(PROJECT.format(periods=periods, units=units), encoding="utf-8")
        project = open_project(Path(folder))
        code, problem = load_problem(project, "shop")
        snapshot = take_snapshot(project, problem)
        history = History(problem, snapshot.rows)
        replayed = Replay(project=project, code=code, problem=problem, snapshot=snapshot.address, history=history)
        track = replay(replayed, policy, ProcessEngine(workers=2))
        return history.rows.estimated_size() / 1e6, track.table["stock"].cast(float).to_numpy().max()


if __name__ == "__main__":
    sys.exit(main())
