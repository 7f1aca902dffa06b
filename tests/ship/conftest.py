"""A kiosk that stands before its first shipping, and one whose idea is in shadow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest

import shipworthy.ship.parity
from shipworthy.analysis.analyse import analyse_idea
from shipworthy.data.examine import examine_data
from shipworthy.project import Project, open_project
from shipworthy.research.research import research_idea
from shipworthy.ship.parity import Parity
from shipworthy.ship.release import Release
from shipworthy.ship.ship import ship_idea
from tests.ship import kiosk


@pytest.fixture(scope="session")
def judged_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kiosk with two ideas, both with a verdict to ship; to be copied, not changed."""
    folder = kiosk.lay(tmp_path_factory.mktemp("kiosk"))
    for number in (1, 2):
        kiosk.write_idea(folder, number)
        project = open_project(folder)
        examine_data(project, number)
        research_idea(project, number)
        assert analyse_idea(project, number).verdict.decision == "ship"
        project.records.close()
    return folder


@pytest.fixture
def judged(judged_folder: Path, tmp_path: Path) -> Iterator[Project]:
    """A kiosk of one's own, with two ideas that may be shipped."""
    project = open_project(copytree(judged_folder, tmp_path / "kiosk"))
    yield project
    project.records.close()


@pytest.fixture
def parity_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes parity for proven, which test_parity.py proves with the real server."""

    def holds(project: Project, release: Release) -> Parity:
        return Parity(periods=10, equal=10, tied=0, broken=())

    monkeypatch.setattr(shipworthy.ship.parity, "prove_parity", holds)


@pytest.fixture
def shadowed(judged: Project, parity_holds: None) -> Project:
    """A kiosk whose first idea is in shadow."""
    ship_idea(judged, 1)
    return judged
