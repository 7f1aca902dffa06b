"""What each dependency costs: processor time of its import over an empty interpreter, and its size on the disk.

    python -m benchmarks.imports

The size is that of the package itself, with the parts that are only its own (polars-runtime-32 counts for polars).
"""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from benchmarks.machine import describe
from benchmarks.processes import time_processes


class Dependency(NamedTuple):
    """What is installed, and what of it we import."""

    needed_for: str
    name: str
    module: str
    parts: tuple[str, ...] = ()


DEPENDENCIES = (
    Dependency("core", "click", "click"),
    Dependency("core", "numpy", "numpy"),
    Dependency("core", "polars", "polars", ("polars-runtime-32",)),
    Dependency("core", "rich", "rich.table"),
    Dependency("core", "scipy", "scipy.special"),
    Dependency("serve", "uvicorn", "uvicorn"),
    Dependency("serve", "msgspec", "msgspec"),
    Dependency("serve", "prometheus-client", "prometheus_client"),
    Dependency("serve", "starlette", "starlette.applications"),
    Dependency("report", "altair", "altair"),
    Dependency("report", "jinja2", "jinja2"),
    Dependency("report", "python-pptx", "pptx", ("lxml", "XlsxWriter")),
    Dependency("report", "vl-convert-python", "vl_convert"),
    Dependency("sql", "duckdb", "duckdb"),
    Dependency("sql", "adbc-driver-postgresql", "adbc_driver_postgresql.dbapi", ("adbc-driver-manager",)),
    Dependency("sql", "pyarrow", "pyarrow"),
    Dependency("delta", "deltalake", "deltalake", ("arro3-core",)),
    Dependency("solvers", "highspy", "highspy"),
    Dependency("solvers", "ortools", "ortools.sat.python.cp_model"),
    Dependency("solvers", "ortools", "ortools.constraint_solver.pywrapcp"),
    Dependency("solvers", "ortools", "ortools.math_opt.python.mathopt"),
    Dependency("solvers", "pyvrp", "pyvrp"),
    Dependency("bucket", "obstore", "obstore.store"),
    Dependency("ray", "ray", "ray"),
    Dependency("mlflow", "mlflow-skinny", "mlflow"),
    Dependency("mlflow", "mlflow-skinny", "mlflow.pyfunc"),
    Dependency("mlflow", "pandas", "pandas"),
    Dependency("tuning", "optuna", "optuna"),
    Dependency("examples", "lightgbm", "lightgbm"),
    Dependency("examples", "scikit-learn", "sklearn.ensemble"),
    Dependency("dev", "markdown-it-py", "markdown_it", ("mdurl",)),
    Dependency("not used", "scipy", "scipy.stats"),
)


def main() -> int:
    """Prints a Markdown table, one line per dependency."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7, help="rounds of all imports (7)")
    options = parser.parse_args()

    commands = {"": [sys.executable, "-c", "pass"]}
    commands |= {one.module: [sys.executable, "-c", f"import {one.module}"] for one in DEPENDENCIES}
    timings = time_processes(commands, runs=options.runs)
    floor = timings[""]

    print(describe(), end="\n\n")
    print(f"Empty interpreter: {floor.cpu_ms:.0f} ms cpu, {floor.wall_ms:.0f} ms wall. Medians of {options.runs}.\n")
    print("| for | dependency | version | import | cpu ms | wall ms | MB |")
    print("|---|---|---|---|---:|---:|---:|")
    for one in DEPENDENCIES:
        cpu_ms = timings[one.module].cpu_ms - floor.cpu_ms
        wall_ms = timings[one.module].wall_ms - floor.wall_ms
        size_mb = sum(_bytes(name) for name in (one.name, *one.parts)) / 1e6
        cells = (one.needed_for, one.name, distribution(one.name).version, f"`{one.module}`")
        print(f"| {' | '.join(cells)} | {cpu_ms:.0f} | {wall_ms:.0f} | {size_mb:.1f} |")
    return 0


def _bytes(name: str) -> int:
    """Returns what the files of an installed distribution weigh, compiled files included; 0 if it is absent."""
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        return 0
    paths = [Path(str(file.locate())) for file in files]
    return sum(path.stat().st_size for path in paths if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
