"""How long the command line lets a person wait, beside an empty interpreter and beside other tools' `--help`.

    python -m benchmarks.cli
    python -m benchmarks.cli --rivals /path/to/environment    # its bin/ holds mlflow, zenml, metaflow, kedro

Target: `shipworthy --help` and `shipworthy idea list` within 150 ms, and ahead of all of them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.processes import time_processes

TARGET_MS = 150
RIVALS = {
    "mlflow --help": ["mlflow", "--help"],
    "zenml --help": ["zenml", "--help"],
    "metaflow": ["metaflow"],
    "kedro --help": ["kedro", "--help"],
}
_KITCHEN = Path(__file__).parents[1] / "examples" / "kitchen"


def main() -> int:
    """Prints one table; returns 1 where the target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cli", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15, help="rounds of all commands (15)")
    parser.add_argument("--rivals", type=Path, help="an environment with tools in its bin/ (or put them on PATH)")
    options = parser.parse_args()

    ours = Path(sys.executable).with_name("shipworthy")
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "python -c 'import click'": [sys.executable, "-c", "import click"],
        "shipworthy --help": [str(ours), "--help"],
        "shipworthy idea list": [str(ours), "idea", "list"],
    }
    absent = []
    for name, (program, *arguments) in RIVALS.items():
        found = shutil.which(program, path=_search(options.rivals))
        if found is None:
            absent.append(name)
        else:
            commands[name] = [found, *arguments]

    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "kitchen"
        shutil.copytree(_KITCHEN, project)
        timings = time_processes(commands, runs=options.runs, folder=project)

    print(describe(), end="\n\n")
    print(f"{'command':<28}{'wall ms':>9}{'cpu ms':>9}    median of {options.runs}")
    for name, timing in timings.items():
        print(f"{name:<28}{timing.wall_ms:>9.0f}{timing.cpu_ms:>9.0f}")
    for name in absent:
        print(f"{name:<28}  skipped: not on PATH, and not in the environment of --rivals")

    fastest_rival = min((timings[name].wall_ms for name in RIVALS if name in timings), default=float("inf"))
    limit = min(TARGET_MS, fastest_rival)
    slow = [name for name in timings if name.startswith("shipworthy") and timings[name].wall_ms > limit]
    print(f"\ntarget: at most {limit:.0f} ms  ->  {'missed by ' + ', '.join(slow) if slow else 'met'}")
    return 1 if slow else 0


def _search(rivals: Path | None) -> str:
    path = os.environ.get("PATH", os.defpath)
    return f"{rivals / 'bin'}{os.pathsep}{path}" if rivals else path


if __name__ == "__main__":
    sys.exit(main())
