"""The servers of others, each in an environment of its own, with the same model: LightGBM, 200 trees, 20 features."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVERS = Path(__file__).parent / "servers"
Rows = Sequence[Mapping[str, Any]]


def _as_ours(period: int, rows: Rows) -> bytes:
    return json.dumps({"period": period, "rows": rows}).encode()


def _as_records(period: int, rows: Rows) -> bytes:
    del period
    return json.dumps(
        {"dataframe_records": [{k: v for k, v in row.items() if k != "customer"} for row in rows]}
    ).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A server of somebody else.

    Attributes:
        packages: What its environment holds.
        path: Where it takes requests.
        body: How it wants rows to be sent.
        ready: The path that answers once it serves.
    """

    packages: Sequence[str]
    path: str = "/decide"
    body: Callable[[int, Rows], bytes] = _as_ours
    ready: str = "/health"

    def command(self, name: str, environments: Path, model: Path, port: int) -> list[str]:
        """How it is started, in its own environment, with two workers."""
        return [str(environments / name / "bin" / "python"), str(SERVERS / f"{name}_server.py"), str(model), str(port)]


_MODEL = ("lightgbm", "numpy", "scikit-learn")

RIVALS: Mapping[str, Rival] = {
    "fastapi": Rival(packages=("fastapi", "uvicorn[standard]", *_MODEL)),
    "mlflow": Rival(
        packages=("mlflow", "pandas<3", "pyarrow<26", *_MODEL), path="/invocations", body=_as_records, ready="/ping"
    ),
    "bentoml": Rival(packages=("bentoml", *_MODEL), ready="/readyz"),
    "litserve": Rival(packages=("litserve", *_MODEL)),
    "ray": Rival(packages=("ray[serve]", *_MODEL), ready="/-/healthz"),
}


def install(environments: Path) -> None:
    """Makes one environment per rival; what does not install is said and left out."""
    uv = str(Path(sys.executable).with_name("uv"))
    for name, rival in RIVALS.items():
        home = environments / name
        python = str(home / "bin" / "python")
        try:
            subprocess.run([uv, "venv", "--quiet", str(home)], check=True)
            subprocess.run(
                [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *rival.packages], check=True
            )
            print(f"{name}: installed in {home}")
        except subprocess.CalledProcessError as error:
            print(f"{name}: does not install ({error})")
