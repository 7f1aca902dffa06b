"""The walk of an idea, with its objects in a bucket: every step finds what the one before has put there."""

from __future__ import annotations

import json

from shipworthy.log.reading import read_decisions, read_outcomes
from shipworthy.project import open_project
from shipworthy.ship.release import open_release
from shipworthy.ship.rollout import Phase, read_rollout
from tests.parcel.conftest import run


def test_everything_that_is_put_lies_in_the_bucket(walked):
    """Snapshot, evidence, releases, what was logged; on the disk there are copies, and no store."""
    folders = {name.partition("/")[0] for name in walked.objects.list()}
    assert {"snapshots", "evidence", "inputs", "cache", "releases", "release-files", "logs"} <= folders
    assert not (walked.root / ".shipworthy" / "objects").exists()
    assert list((walked.root / ".shipworthy" / "cache").iterdir())


def test_what_was_put_there_is_read_from_there(walked):
    """Without any copy: the rollout, its release, the decision with the answer of the shadow, and its outcome."""
    for copy in (walked.root / ".shipworthy" / "cache").iterdir():
        copy.unlink()
    project = open_project(walked.root)
    rollout = read_rollout(project, "bakery")
    assert rollout.phase is Phase.SHADOW
    assert open_release(project, rollout.challenger).problem.name == "bakery"
    [decision] = read_decisions(project, "bakery")
    [outcome] = read_outcomes(project, "bakery")
    assert set(decision["answers"]) == {"champion", "challenger"}
    assert len(outcome["rows"]) == 3
    project.records.close()


def test_the_store_is_whole_and_garbage_is_only_the_cache(walked):
    """As with a folder."""
    whole = json.loads(run(walked.root, "store", "check", "--json").output)
    assert (whole["wrong"], whole["records"]) == ([], walked.records.head().seq)
    [cache] = json.loads(run(walked.root, "gc", "--older-than", "0d", "--json").output)
    assert cache["folder"] == "cache"


def test_a_deployment_is_written_from_a_bucket(walked, tmp_path):
    """The image holds the objects themselves, and needs neither bucket nor keys."""
    run(walked.root, "deploy", "bakery", "--to", "docker", "--out", str(tmp_path))
    packed = open_project(tmp_path / "image" / "project")
    assert list(packed.objects.list("releases/"))
    assert packed.settings["store"]["objects"] == ".shipworthy/objects"
