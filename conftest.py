"""What pytest may take for a test: the doctests of the package and the files test_*.py, nothing else."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # as in a worker: then a small replay needs no process of its own
ROOT = Path(__file__).parent
STARTER = ROOT / "src" / "shipworthy" / "starter"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leaves out the projects that tests and `shipworthy init` start from: they are data for us, not modules of ours."""
    if collection_path.is_relative_to(STARTER):
        return True
    if collection_path.suffix == ".py" and collection_path.is_relative_to(ROOT / "tests"):
        return None if collection_path.name.startswith(("test_", "conftest")) else True
    return None
