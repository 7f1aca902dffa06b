"""Runs the simulations: all parts, or those that are named."""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks.honesty import __doc__ as what
from benchmarks.honesty import forecasts, ideas, offline, shadow, trials
from benchmarks.machine import describe

PARTS = {
    "offline": offline.run,
    "ideas": ideas.run,
    "shadow": shadow.run,
    "trials": trials.run,
    "forecasts": forecasts.run,
}


def main() -> int:
    """Returns 0 if every target was met."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.honesty", description=what, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)} (all)")
    parser.add_argument("--replicates", type=int, default=600, help="for each setting (600)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    if unknown := [name for name in asked.parts if name not in PARTS]:
        parser.error(f"no part {', '.join(unknown)}; there is: {', '.join(PARTS)}")
    print(describe())
    print(f"{asked.replicates} replicates a setting, seed {asked.seed}")
    missed = []
    for name in asked.parts or PARTS:
        began = time.perf_counter()
        print()
        if not PARTS[name](asked.replicates, asked.seed, asked.processes):
            missed.append(name)
        print(f"{name}: {time.perf_counter() - began:.0f} s")
    print(f"\nmissed a target: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
