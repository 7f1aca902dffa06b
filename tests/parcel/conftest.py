"""The starter's whole walk, by its commands, with every object in a bucket."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipworthy.cli.app import root
from shipworthy.project import Project, open_project
from tests.conftest import STARTER
from tests.sources.conftest import object_store
from tests.store.buckets import use

__all__ = ["object_store"]

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


@pytest.fixture(scope="module")
def walked(object_store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A bakery whose idea is in the shadow, with a decision and an outcome, compacted."""
    with pytest.MonkeyPatch.context() as patched:
        address = use(object_store, patched)
        patched.setenv("SHIPWORTHY_USER", "ann")
        folder = tmp_path_factory.mktemp("walk") / "bakery"
        shutil.copytree(STARTER, folder, ignore=shutil.ignore_patterns("__pycache__"))
        with (folder / "shipworthy.toml").open("a") as file:
            file.write(f"\n[store]\nobjects = {address!r}\n")
        for words in WALK:
            run(folder, *words)
        project = open_project(folder)
        yield project
        project.records.close()
