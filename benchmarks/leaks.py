"""What the leak proof costs: the time of one replay of the same policy is its measure.

    python -m benchmarks.leaks

On the example kitchen, 765 days x 7 dishes, with `demand_forecast`, which is fitted again every 28 days. Both run on the same
engine, on all cores; the cache is emptied before each replay.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.machine import describe
from shipworthy.data.leakage import find_leaks
from shipworthy.data.snapshot import take_snapshot
from shipworthy.data.suspicion import find_suspicions
from shipworthy.engine import ProcessEngine, Replay, replay
from shipworthy.project import open_project
from shipworthy.project.code import load_problem
from shipworthy.step import History

KITCHEN = Path(__file__).parents[1] / "examples" / "kitchen"
POLICY = "demand_forecast"
MOST = 2.0


def main() -> int:
    """Prints what each takes; 1 where the proof takes more than twice as long as a replay."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leaks", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="rounds of proof and replay in turn (3)")
    options = parser.parse_args()

    with TemporaryDirectory() as folder:
        root = Path(folder) / "kitchen"
        shutil.copytree(KITCHEN, root, ignore=shutil.ignore_patterns(".shipworthy"))
        replayed = _kitchen(root)
        engine = ProcessEngine(workers=replayed.project.workers)
        took: dict[str, list[float]] = {"replay": [], "leak proof": [], "suspicion": []}
        for _ in range(options.runs):
            shutil.rmtree(root / ".shipworthy" / "objects" / "cache", ignore_errors=True)
            took["replay"].append(_seconds(lambda: replay(replayed, POLICY, engine)))
            took["leak proof"].append(_seconds(lambda: _refuse(find_leaks(replayed, POLICY, engine))))
            took["suspicion"].append(
                _seconds(lambda: _refuse(find_suspicions(replayed.problem, replayed.history.rows)))
            )

    medians = {name: statistics.median(seconds) for name, seconds in took.items()}
    rows = replayed.history.rows
    print(describe(), end="\n\n")
    print(f"{rows.height:,} rows, {POLICY}, median of {options.runs}")
    print("what          seconds  of one replay")
    for name, seconds in medians.items():
        print(f"{name:12} {seconds:8.2f} {seconds / medians['replay']:14.2f}")
    return 0 if medians["leak proof"] <= MOST * medians["replay"] else 1


def _kitchen(root: Path) -> Replay:
    project = open_project(root)
    code, problem = load_problem(project, "kitchen")
    snapshot = take_snapshot(project, problem)
    history = History(problem, snapshot.rows)
    return Replay(project=project, code=code, problem=problem, snapshot=snapshot.address, history=history)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _refuse(findings: Sequence[object]) -> None:
    if findings:
        raise RuntimeError(f"The policy is clean, and yet: {findings}")


if __name__ == "__main__":
    sys.exit(main())
