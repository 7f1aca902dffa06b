"""Moving a project's stores: the same records and objects elsewhere, whoever is killed, and nothing here is touched."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from shipworthy.cli.app import root
from shipworthy.errors import AlreadyExistsError, InvalidInputError, TamperedError
from shipworthy.project import Project, open_project
from shipworthy.project.move import move_project
from shipworthy.store import Change, Record, SqliteRecordStore, feed, put_content
from tests.store.buckets import use

CONFIG = """\
# ours
[project]
problems = []

[store]   # on this laptop
records = "here/records.db"   # SQLite
# objects lie beside it
objects = 'here/objects'
[research]
seed = 7
"""


@pytest.fixture
def full(tmp_path: Path) -> Project:
    """A project with records of several versions and authors, and objects of which one is not named by its digest."""
    folder = tmp_path / "kitchen"
    folder.mkdir()
    (folder / "shipworthy.toml").write_text(CONFIG)
    project = open_project(folder)
    for n in range(60):
        project.records.add(Change(kind="note", key=str(n % 7), body={"n": n, "text": "ä"}), by=f"writer {n % 3}")
        put_content(project.objects, "evidence", f"{n}".encode() * 5_000)
    project.objects.put("cache/1.parquet", b"block")
    return project


def everything(project: Project) -> tuple[list[Record], dict[str, bytes]]:
    """All that is in its stores."""
    return list(feed(project.records)), {name: project.objects.get(name) for name in project.objects.list()}


def test_there_and_back_again(full, object_store, empty_database, monkeypatch):
    """To PostgreSQL and a bucket, and back: seq, chain, versions, instants, authors and bytes are the same."""
    before = everything(full)
    address = use(object_store, monkeypatch)
    monkeypatch.setenv("RECORDS", empty_database)
    move_project(full, records="$RECORDS", objects=address, write=True)
    there = open_project(full.root)
    assert (there.settings["store"]["records"], there.settings["store"]["objects"]) == ("$RECORDS", address)
    assert everything(there) == before
    found = move_project(there, records="sqlite:back/records.db", objects="back/objects", write=True)
    assert everything(open_project(full.root)) == everything(full) == before
    there.records.close()
    assert (found.stores.objects, found.stores.copied, found.stores.head) == (61, 61, full.records.head())


def test_the_verb_says_which_lines_to_change_and_changes_them_when_told(full, monkeypatch):
    """Comments and everything else stay as they are."""
    monkeypatch.chdir(full.root)
    verb = ["store", "move", "--records", "there/records.db", "--objects", "there/objects"]
    shown = CliRunner().invoke(root, verb, catch_exceptions=False).output
    assert 'records = "there/records.db"' in shown
    assert (full.root / "shipworthy.toml").read_text() == CONFIG
    again = json.loads(CliRunner().invoke(root, [*verb, "--write", "--json"], catch_exceptions=False).output)
    assert (again["records"], again["objects"], again["copied"], again["written"]) == (60, 61, 0, True)
    expected = CONFIG.replace("here/records.db", "there/records.db").replace("'here/objects'", '"there/objects"')
    assert (full.root / "shipworthy.toml").read_text() == expected


def test_an_address_may_stand_in_a_variable(full, monkeypatch):
    """It is written as it was said."""
    monkeypatch.setenv("OBJECTS", "there/objects")
    move_project(full, records=None, objects="$OBJECTS", write=True)
    assert '"$OBJECTS"' in (full.root / "shipworthy.toml").read_text()
    assert everything(open_project(full.root)) == everything(full)


def test_what_was_written_since_is_brought_after(full):
    """A second move takes in what the source has more."""
    move_project(full, records="there/records.db", objects="there/objects")
    full.records.add(Change(kind="note", key="later", body={}), by="me")
    put_content(full.objects, "evidence", b"later")
    found = move_project(full, records="there/records.db", objects="there/objects", write=True)
    assert (found.stores.head.seq, found.stores.copied) == (61, 1)
    assert everything(open_project(full.root)) == everything(full)


def test_a_target_that_holds_something_else_is_refused(full):
    """Other records, more records, other objects, another object of the same name, the source itself, and nothing at all."""
    there, strange = full.root / "there", full.root / "strange" / "objects"
    strange.mkdir(parents=True)
    (strange / "x").write_bytes(b"")
    move_project(full, records="there/records.db", objects="there/objects", write=True)
    moved = open_project(full.root)
    moved.records.add(Change(kind="note", key="0", body={}), by="me")
    for records, objects, told in (
        ("there/records.db", None, "holds 61 records that are not the source's"),
        (None, "strange/objects", "1 objects that the source does not have, such as 'x'"),
        ("here/records.db", None, "lie at here/records.db already"),
        (None, "./here/objects/", "already"),
    ):
        with pytest.raises(AlreadyExistsError, match=told):
            move_project(full, records=records, objects=objects)
    (there / "objects" / "cache" / "1.parquet").write_bytes(b"other")
    with pytest.raises(TamperedError, match=r"'cache/1\.parquet' is another one at the target"):
        move_project(full, records=None, objects="there/objects")
    with pytest.raises(InvalidInputError, match="nothing to move"):
        move_project(full, records=None, objects=None)
    with pytest.raises(InvalidInputError, match="Objects cannot lie at ftp://"):
        move_project(full, records=None, objects="ftp://host/x")


def test_a_damaged_object_is_not_carried_on(full):
    """It is named, and the records are not moved."""
    [name, *_] = full.objects.list("evidence/")
    (full.root / "here" / "objects" / name).write_bytes(b"damaged")
    with pytest.raises(TamperedError, match=name):
        move_project(full, records="there/records.db", objects="there/objects")
    assert SqliteRecordStore(full.root / "there" / "records.db").head().seq == 0


def test_killed_at_any_moment_it_goes_on_from_there(full, object_store, monkeypatch):
    """The source stays as it is, and in the end all is there, once."""
    before = everything(full)
    address = use(object_store, monkeypatch)
    verb = [sys.executable, "-m", "shipworthy", "store", "move", "--records", "there/records.db", "--objects", address]
    began = time.perf_counter()
    subprocess.run([*verb[:-1], f"{address}/first"], cwd=full.root, check=True, capture_output=True)
    took = time.perf_counter() - began
    (full.root / "there" / "records.db").unlink()
    for part in (0.4, 0.6, 0.75, 0.9):
        mover = subprocess.Popen(verb, cwd=full.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(took * part)
        mover.send_signal(signal.SIGKILL)
        mover.wait()
    done = subprocess.run([*verb, "--write"], cwd=full.root, check=True, capture_output=True, text=True)
    assert f"the same up to {full.records.head()}" in done.stdout
    assert everything(open_project(full.root)) == everything(full) == before


def test_a_file_that_cannot_be_changed_is_left_to_its_owner(full):
    """The stores are moved, and what is to be written is told."""
    (full.root / "shipworthy.toml").write_text('store = {records = "here/records.db", objects = "here/objects"}\n')
    with pytest.raises(InvalidInputError, match=r'left to you: set records = "there/records\.db" in \[store\]'):
        move_project(open_project(full.root), records="there/records.db", objects=None, write=True)
