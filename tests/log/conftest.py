"""A project whose logs are written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.project import Project, open_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without a problem."""
    (tmp_path / "shipworthy.toml").touch()
    return open_project(tmp_path)
