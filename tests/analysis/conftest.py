"""A project that was walked up to its verdict, and others whose evidence a test chooses."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Protocol

import polars as pl
import pytest

import shipworthy
from shipworthy.analysis import Criteria, verdict
from shipworthy.analysis.analyse import Analysis, analyse_idea, read_analysis
from shipworthy.data.examine import examine_data
from shipworthy.project import Project, open_project
from shipworthy.research.evidence import FOLDER
from shipworthy.research.research import read_research, research_idea
from shipworthy.store import Change
from shipworthy.store.frames import put_frame


class Judge(Protocol):
    """Puts a verdict about a frame of paired rows on record, as if the replay had given that frame."""

    def __call__(self, frame: pl.DataFrame, criteria: Criteria) -> Analysis:
        """Judges the frame by the criteria."""


@pytest.fixture(scope="session")
def walked_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter's bakery, walked from its idea to its verdict in this one process."""
    folder = tmp_path_factory.mktemp("walked") / "bakery"
    starter = Path(shipworthy.__file__).parent / "starter"
    shutil.copytree(starter, folder, ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "shipworthy.toml").open("a", encoding="utf-8") as file:
        file.write("\n[research]\nworkers = 1\n")
    project = open_project(folder)
    examine_data(project, 1)
    research_idea(project, 1)
    analyse_idea(project, 1)
    project.records.close()
    return folder


@pytest.fixture
def walked(walked_once: Path, tmp_path: Path) -> Iterator[Project]:
    """A copy of that bakery which the test may change."""
    project = open_project(Path(shutil.copytree(walked_once, tmp_path / "bakery")))
    yield project
    project.records.close()


@pytest.fixture
def judge(walked: Project) -> Judge:
    """Replaces the evidence of the bakery's idea and judges it."""

    def judged(frame: pl.DataFrame, criteria: Criteria) -> Analysis:
        record = walked.records.get("research", "0001")
        before = walked.records.get("verdict", "0001")
        assert record is not None
        assert before is not None
        address = put_frame(walked.objects, FOLDER, frame)
        research = replace(read_research(record), evidence=address)
        found = verdict(frame, criteria)
        walked.records.add(
            Change(kind="research", key="0001", body=asdict(research)),
            Change(kind="verdict", key="0001", body={**before.body, "evidence": address, "verdict": found.to_dict()}),
            by="tester",
        )
        return replace(read_analysis(before), evidence=address, verdict=found)

    return judged
