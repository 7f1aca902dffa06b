"""Which engine a project's replays run on: the one place that chooses."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import polars as pl

from shipworthy.engine.engine import Engine
from shipworthy.engine.processes import ProcessEngine
from shipworthy.errors import UnavailableError
from shipworthy.project import Project
from shipworthy.project.environment import environment

_QUIET = {"RAY_DEDUP_LOGS_SKIP_REGEX": "."}
"""Ray, which reads this while it is imported, would print what befalls its processes among what a command prints."""

_WORKER_BYTES = 350_000_000
_COPIES_OF_ROWS = 4
"""What a worker takes: above every figure that `python -m benchmarks.memory` prints."""


def engine_here(project: Project, rows: pl.DataFrame) -> Engine:
    """Processes of this machine, for tasks that read these rows, and files of the project that no other machine has."""
    return ProcessEngine(
        workers=project.workers,
        memory_each=_WORKER_BYTES + _COPIES_OF_ROWS * int(rows.estimated_size()),
        apart=pl.thread_pool_size() > 1,  # with several threads Polars adds up in another order each time
    )


def engine_of(project: Project, rows: pl.DataFrame) -> Engine:
    """The engine that `[research] engine` names, for tasks that read these rows; nothing is started yet.

    Raises:
        UnavailableError: it is Ray, and Ray is not installed.
    """
    research = project.settings["research"]
    if research["engine"] == "processes":
        return engine_here(project, rows)
    try:
        with environment(_QUIET):
            make: Callable[..., Engine] = import_module("shipworthy.engine.ray_cluster").RayEngine
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise UnavailableError(
            "[research] engine is 'ray', but Ray is not installed here: pip install 'shipworthy[ray]'. Or write engine = "
            "'processes'."
        ) from error
    return make(workers=research["workers"], address=research["ray_address"])
