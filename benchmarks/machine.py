"""What a figure was measured on: the machine, its load and the versions."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_NAMED = ("shipworthy", "click", "numpy", "polars", "rich", "scipy", "scikit-learn", "highspy", "uvicorn", "starlette")


def describe() -> str:
    """Returns three lines: the machine, the interpreter, the versions of the packages that matter."""
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return "\n".join(
        [
            f"machine   {_processor()}, {os.cpu_count()} cores, load {load}, {platform.system()} {platform.machine()}",
            f"python    {platform.python_implementation()} {platform.python_version()}",
            "versions  " + ", ".join(f"{name} {_version(name)}" for name in _NAMED),
        ]
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unnamed processor"
