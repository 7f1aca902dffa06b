"""What an engine adds to a task that does nothing, beside others.

    python -m benchmarks.engine
    python -m benchmarks.engine --rivals /path/to/environment    # with metaflow installed

1,000 tasks each with two workers that are there already; Metaflow's `foreach`, which starts a process for every task, 20.
Target: a task at most twice as dear as with joblib, and a hundred times cheaper than with Metaflow.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import ray

from benchmarks.machine import describe
from shipworthy.engine import ProcessEngine
from shipworthy.engine.ray_cluster import RayEngine

TASKS, FEWER, WORKERS = 1_000, 20, 2
FLOW = """
    from metaflow import FlowSpec, step
    class Nothing(FlowSpec):
        @step
        def start(self):
            self.tasks = list(range({tasks}))
            self.next(self.each, foreach="tasks")
        @step
        def each(self):
            self.result = abs(self.input)
            self.next(self.join)
        @step
        def join(self, inputs):
            self.next(self.end)
        @step
        def end(self):
            pass
    if __name__ == "__main__":
        Nothing()
"""


def main() -> int:
    """Prints one table; returns 1 where the target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7, help="rounds of each (7)")
    parser.add_argument("--rivals", type=Path, help="an environment of its own with metaflow installed")
    options = parser.parse_args()

    print(describe(), end="\n\n")
    print(
        f"{'engine':<24}{'start s':>9}{'us a task':>11}    median of {options.runs}, {TASKS:,} tasks, {WORKERS} workers"
    )
    told = {}
    for name, measure in _MEASURES.items():
        start, each = measure(options.runs)
        told[name] = each
        print(f"{name:<24}{start:>9.2f}{each * 1e6:>11.0f}", flush=True)
    if options.rivals:
        told["metaflow"] = _metaflow(options.rivals)
        print(
            f"{'metaflow':<24}{'':>9}{told['metaflow'] * 1e6:>11.0f}    one run, the difference of {FEWER} tasks and 1"
        )
    else:
        print("metaflow                  skipped: no --rivals")

    ours = told["shipworthy processes"]
    missed = [
        name for name, times in (("joblib", 2.0), ("metaflow", 0.01)) if ours > times * told.get(name, float("inf"))
    ]
    print(f"\ntarget: 2 x joblib, metaflow / 100  ->  {'missed: ' + ', '.join(missed) if missed else 'met'}")
    return 1 if missed else 0


def _processes(runs: int) -> tuple[float, float]:
    with ProcessEngine(workers=WORKERS) as engine:
        return _timed(lambda: engine.run(abs, range(TASKS), _nobody), runs)


def _ray_engine(runs: int) -> tuple[float, float]:
    with RayEngine(workers=WORKERS) as engine:
        return _timed(lambda: engine.run(abs, range(TASKS), _nobody), runs)


def _joblib(runs: int) -> tuple[float, float]:
    with joblib.Parallel(n_jobs=WORKERS) as parallel:
        return _timed(lambda: parallel(joblib.delayed(abs)(task) for task in range(TASKS)), runs)


def _ray(runs: int) -> tuple[float, float]:
    nothing: Any = ray.remote(lambda task: abs(task))  # noqa: PLW0108  (a builtin cannot be remote)

    def run() -> object:
        if not ray.is_initialized():
            ray.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        return ray.get([nothing.remote(task) for task in range(TASKS)])

    try:
        return _timed(run, runs)
    finally:
        ray.shutdown()


_MEASURES: dict[str, Callable[[int], tuple[float, float]]] = {
    "shipworthy processes": _processes,
    "joblib": _joblib,
    "shipworthy ray": _ray_engine,
    "ray tasks": _ray,
}


def _timed(run: Callable[[], object], runs: int) -> tuple[float, float]:
    """The seconds of the first run, with the start of the workers, and of one task of those that follow."""
    seconds = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return seconds[0], statistics.median(seconds[1:]) / TASKS


def _metaflow(environment: Path) -> float:
    """The seconds of one more task of a `foreach`."""
    seconds = {}
    for tasks in (1, FEWER + 1):
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "flow.py"
            script.write_text(textwrap.dedent(FLOW.format(tasks=tasks)), encoding="utf-8")
            command = [str(environment / "bin" / "python"), str(script), "run", "--max-workers", str(WORKERS)]
            began = time.perf_counter()
            told = subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, "USERNAME": "bench", "HOME": folder, "PYTHONPATH": ""},
                capture_output=True,
                text=True,
                check=False,
            )
            seconds[tasks] = time.perf_counter() - began
            if told.returncode != 0:
                raise RuntimeError(told.stderr[-2000:])
    return (seconds[FEWER + 1] - seconds[1]) / FEWER


def _nobody(done: int, of: int) -> None:
    del done, of


if __name__ == "__main__":
    sys.exit(main())
