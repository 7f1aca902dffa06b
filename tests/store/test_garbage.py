"""Garbage: only what no record leads to, only once it is old, and never a part of a release."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from shipworthy.cli.app import root
from shipworthy.data.examine import examine_data
from shipworthy.project import Project
from shipworthy.research.research import research_idea
from shipworthy.store import Change, FolderObjectStore, SqliteRecordStore, canonical, put_content
from shipworthy.store.garbage import find_garbage

LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def stores(tmp_path):
    """A record store and an object store, both empty."""
    records = SqliteRecordStore(tmp_path / "records.db")
    yield records, FolderObjectStore(tmp_path / "objects")
    records.close()


def names(stores, before=LATER):
    """The names of the garbage."""
    return [garbage.name for garbage in find_garbage(*stores, before=before)]


def test_what_a_record_leads_to_is_kept_whatever_its_version_and_whatever_lies_between(stores):
    """A manifest's files are reached through the manifest, and an older version of a record holds on as well."""
    records, objects = stores
    lonely, file, old = (
        put_content(objects, folder, folder.encode()) for folder in ("cache", "release-files", "evidence")
    )
    manifest = put_content(objects, "releases", canonical({"files": {"fitted": file}}))
    for body in ({"evidence": old}, {"manifest": [manifest]}):
        records.add(Change(kind="thing", key="1", body=body), by="me")
    assert names(stores) == [lonely]


def test_what_is_young_is_kept(stores):
    """A run records its objects last; until then nothing leads to them."""
    put_content(stores[1], "evidence", b"of a run that still goes on")
    assert names(stores, before=datetime.now(UTC) - timedelta(days=7)) == []
    assert len(names(stores)) == 1


def test_the_verb_shows_first_deletes_when_told_and_nothing_that_is_needed(bakery: Project, monkeypatch):
    """Afterwards the snapshot and the evidence are there, and research knows its answer without the cache."""
    monkeypatch.chdir(bakery.root)
    examine_data(bakery, 1)
    found = research_idea(bakery, 1)
    shown = CliRunner().invoke(root, ["gc", "--older-than", "0d", "--json"], catch_exceptions=False)
    [cache] = json.loads(shown.output)
    assert (cache["folder"], cache["deleted"]) == ("cache", "no")
    assert len(list(bakery.objects.list("cache/"))) == cache["objects"] > 0

    CliRunner().invoke(root, ["gc", "--older-than", "0d", "--delete"], catch_exceptions=False)
    assert list(bakery.objects.list("cache/")) == []
    assert bakery.objects.get(found.evidence)
    assert bakery.objects.get(found.snapshot)
    assert "Nothing can go" in CliRunner().invoke(root, ["gc", "--older-than", "0d"]).output
