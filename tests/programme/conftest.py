"""A kiosk that was walked to a verdict, for all that looks over ideas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest

from shipworthy.analysis.analyse import analyse_idea
from shipworthy.data.examine import examine_data
from shipworthy.project import Project, open_project
from shipworthy.research.research import research_idea
from tests.ship import kiosk


@pytest.fixture(scope="session")
def walked_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kiosk whose first idea has a verdict to ship, and whose second one waits; to be copied, not changed."""
    folder = kiosk.lay(tmp_path_factory.mktemp("programme") / "kiosk")
    kiosk.write_idea(folder, 1)
    path = kiosk.write_idea(folder, 2)
    path.write_text(
        path.read_text().replace("[worth]", "deadline = 2026-11-20\n\n[worth]") + "expected_gain = [1.0, 5.0, 9.0]\n"
    )
    project = open_project(folder)
    for walk in (examine_data, research_idea, analyse_idea):
        walk(project, 1)
    project.records.close()
    return folder


@pytest.fixture
def walked(walked_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A kiosk of one's own."""
    monkeypatch.setenv("SHIPWORTHY_USER", "ann")
    project = open_project(copytree(walked_folder, tmp_path / "kiosk"))
    assert project.records.head().seq
    yield project
    project.records.close()
