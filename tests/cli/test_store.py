"""`shipworthy store`: whether what is kept is whole, backups that any store takes back, and a whole walk on PostgreSQL."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shipworthy.project import Project
from shipworthy.store import Change, canonical, put_content
from tests.cli.typed import Said, typed

RECORDS = Path(".shipworthy") / "records.db"


@pytest.fixture
def shop(bakery: Project) -> Project:
    """A bakery with a few records; one names an object that names another."""
    part = put_content(bakery.objects, "release-files", b"a part")
    whole = put_content(bakery.objects, "releases", canonical({"files": {"a": part}}))
    gone = "logs/" + "0" * 64
    bodies: list[dict[str, Any]] = [{"n": 1}, {"n": 2}, {"manifest": whole}, {"object": gone}, {"text": f"see {gone}"}]
    for n, body in enumerate(bodies):
        bakery.records.add(Change(kind="thing", key=str(n // 2), body=body), by="ann")
    bakery.records.add(Change(kind="thing", key="1", body={"object": gone, "dropped": "yesterday"}), by="ann")
    return bakery


def _tampered(shop: Project, *statements: str) -> Said:
    """What `store check` says once somebody wrote to the file around the store."""
    shop.records.close()
    with closing(sqlite3.connect(shop.root / RECORDS)) as database, database:
        for statement in statements:
            database.execute(statement)
    said = typed(shop.root, "store", "check")
    assert "Traceback" not in said.err
    return said


def test_a_store_that_is_whole_says_its_head(shop: Project):
    """All records and objects are counted; what was dropped on purpose, or only looks like a name, is not missed."""
    said = typed(shop.root, "store", "check", "--json")
    assert said.code == 0
    head = shop.records.head()
    assert said.json == {
        "records": 6,
        "things": 3,
        "objects": 2,
        "wrong": [],
        "head": {"seq": head.seq, "chain": head.chain},
    }
    assert str(head) in typed(shop.root, "store", "check").out


def test_a_noted_head_is_part_of_the_log_or_it_is_said(shop: Project):
    """A head from before proves that nothing was rewritten or cut since; that of another log does not."""
    third = shop.records.since(2)[0]
    noted = f"{third.seq}:{third.chain}"
    said = typed(shop.root, "store", "check", "--head", noted)
    assert (said.code, f"{noted} is part of the log" in " ".join(said.out.split())) == (0, True)
    for head, match in (
        (f"3:{'0' * 64}", "is not the one whose head was noted"),
        (f"6:{third.chain}", "is not the one whose head was noted"),
        (f"0:{third.chain}", "is not the one whose head was noted"),
        (f"9:{third.chain}", "record 9 was there when its head was noted, and now the last one is 6"),
    ):
        said = typed(shop.root, "store", "check", "--head", head)
        assert (said.code, match in said.err) == (7, True), said.err
    assert typed(shop.root, "store", "check", "--head", "nothing").code == 2


@pytest.mark.parametrize(
    ("statements", "match"),
    [
        (["UPDATE record SET body = '{\"n\":3}' WHERE seq = 2"], "does not hold at record 2 (thing '0', version 2)"),
        (["UPDATE record SET by = 'ben' WHERE seq = 4"], "does not hold at record 4 (thing '1', version 2)"),
        (
            ["UPDATE record SET body = 'no JSON' WHERE seq = 2"],
            "Record 2 (thing '0', version 2) cannot be read any more",
        ),
        (
            ["UPDATE record SET at = 'yesterday' WHERE seq = 2"],
            "Record 2 (thing '0', version 2) cannot be read any more",
        ),
        (["DELETE FROM record WHERE seq = 3"], "does not hold at record 3: it is not there"),
        (["DELETE FROM record WHERE seq = 6"], "The newest thing '1'"),
        (
            ["UPDATE newest SET seq = 1 WHERE key = '0'"],
            "The newest thing '0' is record 2 in the log, and the store answers with 1",
        ),
        (
            ["DELETE FROM newest WHERE key = '0'"],
            "The newest thing '0' is record 2 in the log, and the store answers with none",
        ),
    ],
)
def test_tampering_is_named(shop: Project, statements: list[str], match: str):
    """Whatever is changed, taken out or hidden around the store ends with exit code 7 and the record's place."""
    said = _tampered(shop, *statements)
    assert (said.code, match in said.err) == (7, True), said.err


def test_objects_that_are_missing_or_changed_are_named(shop: Project):
    """With who names them, however far down; exit code 3 for what is missing and 7 for what was changed."""
    [part] = (shop.root / ".shipworthy" / "objects" / "release-files").iterdir()
    part.unlink()
    said = typed(shop.root, "store", "check", "--json")
    assert (said.code, said.json["wrong"]) == (
        3,
        [f"release-files/{part.name} is missing; thing '1', version 1, names it"],
    )
    part.write_bytes(b"another part")
    said = typed(shop.root, "store", "check", "--json")
    assert (said.code, said.json["wrong"][0].split(";")[0]) == (7, f"release-files/{part.name} is changed")


def test_a_backup_is_taken_back_by_an_empty_store_and_by_no_other(shop: Project, tmp_path: Path):
    """Places, instants, authors and chain stay; a store that holds records is not touched, a file is not written over."""
    backup, head = tmp_path / "monday.gz", shop.records.head()
    assert typed(shop.root, "store", "backup", backup).code == 0
    assert typed(shop.root, "store", "backup", backup).code == 5
    assert typed(shop.root, "store", "restore", backup).code == 5
    _become(shop, "restored.db")
    said = typed(shop.root, "store", "restore", backup, "--json")
    assert (said.code, said.json["head"]) == (0, {"seq": head.seq, "chain": head.chain})
    assert typed(shop.root, "store", "check", "--head", head).code == 0


def test_a_backup_goes_from_a_file_to_postgresql_and_back(shop: Project, tmp_path: Path, empty_database: str):
    """Both ways byte for byte: the third backup is the first one."""
    backups = [tmp_path / f"{n}.gz" for n in range(3)]
    assert typed(shop.root, "store", "backup", backups[0]).code == 0
    for n, address in enumerate((empty_database, "again.db")):
        _become(shop, address)
        assert typed(shop.root, "store", "restore", backups[n]).code == 0
        assert typed(shop.root, "store", "check").code == 0
        assert typed(shop.root, "store", "backup", backups[n + 1]).code == 0
    assert backups[0].read_bytes() == backups[1].read_bytes() == backups[2].read_bytes()


def _lines(path: Path) -> list[bytes]:
    return gzip.decompress(path.read_bytes()).splitlines(keepends=True)


@pytest.mark.parametrize(
    ("spoil", "code", "match"),
    [
        (lambda lines: lines[:-1], 7, "cut short after record 6: its last line is missing"),
        (lambda lines: [*lines[:3], lines[-1]], 7, "what it says of its end is not so"),
        (lambda lines: [*lines[:3], *lines[4:]], 7, "does not hold at record 3"),
        (lambda lines: [*lines[:2], lines[2].replace(b'"n":2', b'"n":3'), *lines[3:]], 7, "does not hold at record 2"),
        (lambda lines: [*lines[:2], b"no JSON\n", *lines[3:]], 7, "damaged or cut short after record 1"),
        (lambda lines: [*lines[:2], b"[]\n", *lines[3:]], 7, "damaged or cut short after record 1"),
        (lambda lines: [*lines, lines[-1]], 7, "what it says of its end is not so"),
        (lambda lines: [lines[0].replace(b'"format":1', b'"format":9'), *lines[1:]], 2, "newer shipworthy"),
        (lambda lines: lines[1:], 2, "is no backup of records"),
        (lambda lines: [], 2, "is no backup of records"),
    ],
)
def test_a_damaged_backup_leaves_the_store_empty(shop: Project, tmp_path: Path, spoil: Any, code: int, match: str):
    """Whatever is wrong with it is said, and nothing of it is taken."""
    backup = tmp_path / "backup.gz"
    assert typed(shop.root, "store", "backup", backup).code == 0
    backup.write_bytes(gzip.compress(b"".join(spoil(_lines(backup)))))
    _become(shop, "restored.db")
    said = typed(shop.root, "store", "restore", backup)
    assert (said.code, match in said.err, "Traceback" in said.err) == (code, True, False), said.err
    assert typed(shop.root, "store", "check", "--json").json["records"] == 0


def test_a_file_that_is_no_backup_is_said(shop: Project, tmp_path: Path):
    """Torn compression, plain text, a folder and nothing at all are told apart."""
    backup = tmp_path / "backup.gz"
    assert typed(shop.root, "store", "backup", backup).code == 0
    _become(shop, "restored.db")
    backup.write_bytes(backup.read_bytes()[:-40])
    (tmp_path / "text.gz").write_text("hello")
    for file, code in ((backup, 7), (tmp_path / "text.gz", 2), (tmp_path, 6), (tmp_path / "none.gz", 3)):
        said = typed(shop.root, "store", "restore", file)
        assert (said.code, "Traceback" in said.err, str(file) in said.err) == (code, False, True), said.err
    said = typed(shop.root, "store", "backup", tmp_path / "no" / "folder.gz")
    assert (said.code, "folder.gz cannot be written" in said.err, "nothing was written" in said.err) == (6, True, True)


def test_a_whole_walk_on_postgresql(bakery: Project, empty_database: str, monkeypatch: pytest.MonkeyPatch):
    """From the first look at the data to a release in shadow, behind its real server, without a file of records."""
    monkeypatch.setenv("SHOP_RECORDS", empty_database)
    _become(bakery, "$SHOP_RECORDS")
    for words in (["data", "1"], ["research", "1"], ["analyse", "1", "--no-report"], ["ship", "1"], ["status"], ["gc"]):
        said = typed(bakery.root, *words)
        assert said.code == 0, said.err
    moves = typed(bakery.root, "history", "--json").json
    assert [move["phase"] for move in moves] == ["live", "shadow"]
    assert typed(bakery.root, "store", "check").code == 0
    assert not list((bakery.root / ".shipworthy").glob("*.db"))
    said = typed(bakery.root, "deploy", "bakery", "--to", "docker", "--image", "shop/bakery:1")
    assert said.code == 0, said.err


def _become(project: Project, address: str) -> None:
    """Lets the project keep its records elsewhere."""
    if "records" in vars(project):
        project.records.close()
    (project.root / "shipworthy.toml").write_text(
        f"[project]\nproblems = ['problem:bakery']\n[store]\nrecords = '{address}'\n", encoding="utf-8"
    )
