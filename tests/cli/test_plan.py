"""`shipworthy plan`: what it plans with, and what it keeps to itself."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import polars as pl

from shipworthy.analysis.trials.horizon import plan_trials
from shipworthy.project import open_project
from shipworthy.research.evidence import FOLDER
from shipworthy.store import Change
from shipworthy.store.frames import put_frame
from tests.cli.typed import typed


def test_a_sealed_holdout_plans_nothing(tmp_path: Path):
    """Where a holdout is sealed, trials are planned from the open periods: another sealed evidence gives the same plan."""
    typed(tmp_path, "init")
    code = tmp_path / "problem.py"
    code.write_text(code.read_text().replace('outcome_delay="1d",', 'outcome_delay="1d", holdout="60d", embargo="7d",'))
    assert typed(tmp_path, "data", 1).code == 0
    assert typed(tmp_path, "research", 1).code == 0
    project = open_project(tmp_path)
    before = dataclasses.asdict(plan_trials(project, 1, gain=30.0))
    record = project.records.get("research", "0001")
    sealed = pl.read_parquet(project.objects.get(record.body["evidence"]))
    wilder = sealed.with_columns(pl.col("value_challenger") * 7.0 * (pl.int_range(pl.len()) % 2))
    body = {**record.body, "evidence": put_frame(project.objects, FOLDER, wilder)}
    project.records.add(Change(kind="research", key="0001", body=body), by="tester")
    assert dataclasses.asdict(plan_trials(project, 1, gain=30.0)) == before
    assert "shipworthy analyse 1" in typed(tmp_path, "plan", 1, "--gain", 30).out
    project.records.close()
