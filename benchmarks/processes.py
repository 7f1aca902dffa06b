"""Times whole processes, as a person at a terminal waits for them."""

from __future__ import annotations

import resource
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The medians of several runs of one command, in milliseconds."""

    wall_ms: float
    cpu_ms: float


def time_processes(
    commands: Mapping[str, Sequence[str]], *, runs: int, folder: Path | None = None
) -> dict[str, Timing]:
    """Runs every command once unmeasured, then `runs` rounds of all of them in turn, so that load falls on each alike.

    Raises:
        RuntimeError: a command failed; a failing command is no measurement.
    """
    for command in commands.values():
        _one(command, folder)
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            measured[name].append(_one(command, folder))
    return {
        name: Timing(
            wall_ms=statistics.median(wall for wall, _ in pairs), cpu_ms=statistics.median(cpu for _, cpu in pairs)
        )
        for name, pairs in measured.items()
    }


def _one(command: Sequence[str], folder: Path | None) -> tuple[float, float]:
    """Returns wall and processor milliseconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr.strip()[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall * 1000, cpu * 1000
