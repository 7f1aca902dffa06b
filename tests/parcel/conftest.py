"""The starter's whole walk, by its commands, with every object in a bucket."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipworthy.cli.app import root
from shipworthy.parcel.export import export_project
from shipworthy.project import Project, open_project
from tests.conftest import STARTER
from tests.store.buckets import use

LAST = "2026-02-04"
WALK = (
    ["data", "1"],
    ["research", "1"],
    ["analyse", "1"],
    ["ship", "1"],
    ["decide", "--from-source", LAST],
    ["shadow", "bakery", "--once"],
    ["outcomes", "--from-source"],
    ["compact"],
)


def run(folder: Path, *words: str) -> Result:
    """Runs a command of shipworthy in a folder; it must succeed."""
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        done = CliRunner().invoke(root, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture(scope="session")
def _walk(object_store: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("walk") / "bakery"
    with pytest.MonkeyPatch.context() as patched:
        address = use(object_store, patched)
        patched.setenv("SHIPWORTHY_USER", "ann")
        shutil.copytree(STARTER, folder, ignore=shutil.ignore_patterns("__pycache__"))
        with (folder / "shipworthy.toml").open("a") as file:
            file.write(f"\n[store]\nobjects = {address!r}\n")
        for words in WALK:
            run(folder, *words)
        export_project(open_project(folder), folder.parent / "parcel")
    return folder


@pytest.fixture
def walked(_walk: Path, object_store: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A bakery whose idea is in the shadow, with a decision and an outcome, compacted."""
    use(object_store, monkeypatch)
    project = open_project(_walk)
    yield project
    project.records.close()


@pytest.fixture
def parcel(_walk: Path) -> Path:
    """All of the bakery in a folder; to be copied, not changed."""
    return _walk.parent / "parcel"
