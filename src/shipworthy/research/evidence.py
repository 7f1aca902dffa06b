"""Evidence: the paired table of a replay, one row per (period, unit), both policies side by side."""

from __future__ import annotations

import polars as pl

from shipworthy.engine import WALL_CLOCK, Track
from shipworthy.problem import Problem
from shipworthy.project import Project
from shipworthy.store import digest
from shipworthy.store.frames import get_frame, to_parquet

FOLDER = "evidence"


def pair(problem: Problem, champion: Track, challenger: Track) -> pl.DataFrame:
    """Pairs two tracks of the same replay.

    The columns are `period`, `unit`, and for each policy its decisions, `value`, guardrails and solver telemetry, ending in
    `_champion` or `_challenger`. Seconds are left out: the same replay gives the same evidence, byte for byte.
    """
    tables = [
        _named(problem, track.table, role) for track, role in ((champion, "champion"), (challenger, "challenger"))
    ]
    paired = tables[0].join(tables[1], on=["period", "unit"], how="full", coalesce=True)
    return paired.sort("period", "unit")


def evidence_digest(evidence: pl.DataFrame) -> str:
    """The digest of the evidence as it is stored."""
    return digest(to_parquet(evidence))


def open_evidence(project: Project, address: str) -> pl.DataFrame:
    """The stored evidence, checked against its name."""
    return get_frame(project.objects, address)


def _named(problem: Problem, table: pl.DataFrame, role: str) -> pl.DataFrame:
    names = {problem.period: "period", problem.unit: "unit"}
    rest = [name for name in table.columns if name not in names and name not in WALL_CLOCK]
    return table.select(*names, *rest).rename(names | {name: f"{name}_{role}" for name in rest})
