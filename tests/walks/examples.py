"""The examples whose data are not ours to ship: laid in a folder of a test's own, over data that lie elsewhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import polars as pl
import pytest

from shipworthy.engine import ProcessEngine, Replay, Track, replay
from shipworthy.project import Project, open_project
from tests.problems import replay_of

REPOSITORY = Path(__file__).parents[2]
DATA = Path(os.environ.get("SHIPWORTHY_DATA") or REPOSITORY.parent / "shared" / "data")

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the data of this example are not ours to ship; name their folder in SHIPWORTHY_DATA"
)
full = pytest.mark.skipif(
    os.environ.get("SHIPWORTHY_WALKS") != "full", reason="minutes long; it runs with SHIPWORTHY_WALKS=full"
)


def lay(folder: Path, name: str, more: str = "", settings: str = "") -> Project:
    """Copies an example, with `more` at the end of its problem, and opens it; it is walked in this very process."""
    source = REPOSITORY / "examples" / name
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__", ".shipworthy", "reports"))
    problem = folder / "problem.py"
    problem.write_text(problem.read_text(encoding="utf-8") + more, encoding="utf-8")
    file = folder / "shipworthy.toml"
    file.write_text(f"{file.read_text(encoding='utf-8')}[research]\nworkers = 1\n{settings}", encoding="utf-8")
    return open_project(folder)


def replays(project: Project, problem: str, *policies: str) -> tuple[Replay, list[Track]]:
    """Some policies replayed over one snapshot, in this process."""
    replayed = replay_of(project, problem)
    return replayed, [replay(replayed, policy, ProcessEngine(workers=1)) for policy in policies]


def per_period(track: Track, period: str) -> pl.Series:
    """What a policy earned, period by period."""
    return track.table.group_by(period, maintain_order=True).agg(pl.col("value").sum())["value"]
