"""What every test may use: the starter project, laid fresh in a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import shipworthy
from shipworthy.project import Project, open_project

STARTER = Path(shipworthy.__file__).parent / "starter"


@pytest.fixture
def bakery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """The starter's bakery as `shipworthy init` lays it: three breads, 400 days, one idea that is worth shipping."""
    folder = tmp_path / "bakery"
    shutil.copytree(STARTER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("SHIPWORTHY_USER", "tester")
    project = open_project(folder)
    yield project
    project.records.close()
