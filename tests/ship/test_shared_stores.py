"""A deployment whose containers use the project's own stores: a database and a bucket."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shipworthy.project import Project, open_project
from shipworthy.project.move import move_project
from shipworthy.ship.release import open_release
from shipworthy.ship.rollout import read_rollout
from tests.cli.typed import typed
from tests.store.buckets import use


@pytest.fixture
def shared(shadowed: Project, empty_database: str, object_store: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The kiosk whose first idea is in shadow, moved to a PostgreSQL and a bucket whose addresses are in the environment."""
    monkeypatch.setenv("SHOP_RECORDS", empty_database)
    monkeypatch.setenv("SHOP_OBJECTS", use(object_store, monkeypatch))
    move_project(shadowed, records="$SHOP_RECORDS", objects="$SHOP_OBJECTS", write=True)
    return open_project(shadowed.root)


def test_a_container_follows_the_rollout_in_the_stores_of_the_project(shared: Project, tmp_path: Path):
    """The image names the variables, and holds neither records nor objects nor an address; a move reaches it as it is."""
    said = typed(shared.root, "deploy", "--to", "kubernetes", "--state", "stores", "--out", tmp_path)
    assert said.code == 0, said.err
    packed = open_project(tmp_path / "image" / "project")
    assert dict(packed.settings["store"]) == {"records": "$SHOP_RECORDS", "objects": "$SHOP_OBJECTS"}
    assert (packed.space, (packed.root / ".shipworthy").exists()) == (shared.space, False)
    assert {b"psycopg", b"obstore"} <= {
        line.partition(b"==")[0] for line in (tmp_path / "image" / "requirements.txt").read_bytes().splitlines()
    }
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for name in ("SHOP_RECORDS", "SHOP_OBJECTS"):
        assert os.environ[name].encode() not in everything
    said = typed(shared.root, "deploy", "--state", "stores", "--out", tmp_path)
    shown = " ".join(said.out.split())
    assert "--env SHOP_RECORDS --env SHOP_OBJECTS" in shown
    assert "--tmpfs /project/.shipworthy:mode=1777" in shown
    for version in (2, 3):
        rollout = read_rollout(packed, "kiosk")
        assert (rollout, rollout.version) == (read_rollout(shared, "kiosk"), version)
        assert open_release(packed, rollout.champion).id == rollout.champion
        assert typed(shared.root, "rollback", "kiosk", "--why", "to see it follow").code == (0 if version == 2 else 2)
    packed.records.close()
    shared.records.close()


@pytest.mark.parametrize(
    ("state", "records", "objects", "match"),
    [
        (
            "stores",
            "$SHOP_RECORDS",
            ".shipworthy/objects",
            "store.objects is '.shipworthy/objects', which only this machine has",
        ),
        ("stores", "here.db", "s3://shop/kiosk", "store.records is 'here.db', which only this machine has"),
        (
            "stores",
            "postgresql://ann:secret@host/shop",
            "s3://shop/kiosk",
            "would carry it with whatever password it holds",
        ),
        ("volume", "$SHOP_RECORDS", ".shipworthy/objects", "store.records is not on this machine"),
        ("volume", "here.db", "s3://shop/kiosk", "store.objects is not on this machine"),
    ],
)
def test_what_cannot_run_is_refused(
    bakery: Project, monkeypatch: pytest.MonkeyPatch, state: str, records: str, objects: str, match: str
):
    """Stores that only this machine has, a password in an image, and a volume without the stores are said before any file."""
    monkeypatch.setenv("SHOP_RECORDS", "postgresql://ann:secret@host/shop")
    (bakery.root / "shipworthy.toml").write_text(
        f"[project]\nproblems = ['problem:bakery']\n[store]\nrecords = '{records}'\nobjects = '{objects}'\n"
    )
    said = typed(bakery.root, "deploy", "bakery", "--state", state)
    assert (said.code, match in said.err, "secret" in said.err) == (2, True, False), said.err
    assert not (bakery.root / "deploy").exists()
