"""Parcels: what is written is everything, it comes in again as it was, and a wrong one harms nobody."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import polars as pl
import pytest

from shipworthy.errors import AlreadyExistsError, InvalidInputError, NotFoundError, ShipworthyError, TamperedError
from shipworthy.ideas.register import list_ideas
from shipworthy.parcel.export import export_project
from shipworthy.parcel.intake import import_parcel
from shipworthy.project import Project, open_project
from shipworthy.ship.rollout import rollout_history
from shipworthy.store import Change, Record, digest, feed, put_content
from tests.parcel.conftest import run


@pytest.fixture
def other(tmp_path) -> Project:
    """An empty project of another workspace."""
    return empty(tmp_path / "other")


def empty(folder: Path) -> Project:
    """A project without anything."""
    folder.mkdir()
    (folder / "shipworthy.toml").write_text('[project]\nname = "breads"\nsquad = "town"\n')
    return open_project(folder)


def history(project: Project) -> list[Record]:
    """What its records say, without their places."""
    return [replace(record, seq=0, chain="") for record in feed(project.records)]


def test_everybody_can_open_it(parcel):
    """Tables, Parquet, JSON lines, texts and a page that says what is what."""
    verdicts = pl.read_csv(parcel / "tables" / "verdicts.csv")
    assert verdicts["verdict.decision"].to_list() == ["ship"]
    assert pl.read_csv(parcel / "tables" / "ideas.csv")["title"].to_list() == [
        "Bake for the weekday, not for yesterday"
    ]
    assert pl.read_csv(parcel / "tables" / "rollouts.csv")["phase"].to_list()[-1] == "shadow"
    lines = [json.loads(line) for line in (parcel / "records.jsonl").read_text().splitlines()]
    assert pl.read_parquet(parcel / "tables" / "records.parquet")["seq"].to_list() == [line["seq"] for line in lines]
    [snapshot] = (parcel / "objects" / "snapshots").glob("*.parquet")
    assert pl.read_parquet(snapshot).height == 1_200
    assert len(list((parcel / "objects" / "logs").glob("*.parquet"))) == 3
    assert (parcel / "ideas" / "0001-same-weekday.toml").is_file()
    assert "records.jsonl" in (parcel / "README.md").read_text()
    assert not (parcel / "objects" / "cache").exists()


def test_tables_are_without_what_a_sealed_holdout_withholds(other, tmp_path):
    """A spreadsheet shows no sealed figure; the records are whole, since they come in again, and the page says so."""
    openings = [{"by": "ben", "critical": 314159.5, "fingerprints": ["f00d"]}]
    changes = (
        Change(kind="verdict", key="0001", body={"verdict": {"decision": "ship"}, "sealed": {"gain": 271828.5}}),
        Change(kind="holdout", key="breads-1", body={"is_sealed": True, "openings": openings}),
    )
    other.records.add(*changes, by="ben")
    export_project(other, tmp_path / "sealed")
    tables = "".join(path.read_text() for path in sorted((tmp_path / "sealed" / "tables").glob("*.csv")))
    tables += "".join(pl.read_parquet(tmp_path / "sealed" / "tables" / "records.parquet")["body"])
    assert "ship" in tables
    assert "ben" in tables
    secrets = ("271828.5", "314159.5", "f00d")
    assert not [one for one in secrets if one in tables]
    records = (tmp_path / "sealed" / "records.jsonl").read_text()
    assert all(one in records for one in secrets)
    assert "figures of sealed holdouts" in (tmp_path / "sealed" / "README.md").read_text()


def test_it_comes_in_again_as_it_was(walked, parcel, other):
    """The same records, objects, texts and history in an empty project, and a record that says where they came from."""
    taken = import_parcel(other, parcel)
    *records, told = feed(other.records)
    assert records == list(feed(walked.records))
    assert (told.kind, told.body["space"], told.body["head"]) == ("import", "bakery", str(walked.records.head()))
    assert taken.head == other.records.head()
    named = [name for name in walked.objects.list() if not name.startswith("cache/")]
    assert list(other.objects.list()) == named
    assert all(other.objects.get(name) == walked.objects.get(name) for name in named)
    assert [idea.title for idea in list_ideas(other)] == [idea.title for idea in list_ideas(walked)]
    assert rollout_history(other, "bakery") == rollout_history(walked, "bakery")
    assert "every object" not in run(other.root, "store", "check").output
    with pytest.raises(AlreadyExistsError, match="taken in already, by "):
        import_parcel(other, parcel)


@pytest.mark.parametrize("records", [".shipworthy/records.db", "$RECORDS"])
def test_it_comes_in_beside_what_is_there(walked, parcel, other, empty_database, monkeypatch, records):
    """Places and chain are those of the project that it comes into; versions, instants and authors stay: on PostgreSQL too."""
    monkeypatch.setenv("RECORDS", empty_database)
    with (other.root / "shipworthy.toml").open("a") as file:
        file.write(f"[store]\nrecords = {records!r}\n")
    other = open_project(other.root)
    other.records.add(Change(kind="rollout", key="cakes", body={"phase": "live"}), by="ben")
    import_parcel(other, parcel)
    mine, *taken, _ = history(other)
    assert (mine.by, taken) == ("ben", history(walked))
    assert [record.seq for record in feed(other.records)] == list(range(1, len(taken) + 3))
    run(other.root, "store", "check")
    other.records.close()


def test_one_problem_may_be_moved_alone(walked, other, tmp_path, monkeypatch):
    """With its ideas, evidence, releases, rollout and logs, and nothing of the others."""
    shutil.copytree(walked.root, tmp_path / "many")
    many = open_project(tmp_path / "many")
    monkeypatch.setitem(many.__dict__, "objects", walked.objects)
    own = history(many)
    cakes = put_content(many.objects, "evidence", b"cakes")
    for kind, key, body in (
        ("idea", "0002", {"slug": "cakes", "lock": {"digest": "1", "criteria": {"problem": "cakes"}}}),
        ("verdict", "0002", {"evidence": cakes}),
        ("rollout", "cakes", {"phase": "live"}),
        ("comment", "0001/1", {"text": "about breads"}),
        ("comment", "0002/1", {"text": "about cakes"}),
        ("release", "0" * 16, {"problem": "cakes"}),
    ):
        many.records.add(Change(kind=kind, key=key, body=body), by="ben")
    export_project(many, tmp_path / "one.zip", problem="bakery")
    import_parcel(other, tmp_path / "one.zip")
    *found, told = history(other)
    assert [record for record in found if record.kind != "comment"] == own
    assert [record.key for record in found if record.kind == "comment"] == ["0001/1"]
    assert (told.body["problem"], told.body["head"]) == ("bakery", str(many.records.head()))
    assert cakes not in list(other.objects.list())
    with pytest.raises(NotFoundError, match=r"No problem 'cake'. Did you mean 'cakes'"):
        export_project(many, tmp_path / "none", problem="cake")
    assert not (tmp_path / "none").exists()
    many.objects.delete(cakes)


def test_a_zip_file_is_the_same(walked, other, tmp_path):
    """By the commands."""
    shown = run(walked.root, "export", str(tmp_path / "it.zip")).output
    assert f"Head     {walked.records.head()}" in shown
    assert "trust it with" in run(other.root, "import", str(tmp_path / "it.zip")).output
    assert history(other)[:-1] == history(walked)


def test_what_was_dropped_or_lost_is_told(other, tmp_path):
    """What was dropped on purpose is not missed; what is gone is named, and the rest is written."""
    gone, dropped = f"evidence/{'0' * 64}", f"logs/{'1' * 64}"
    other.records.add(Change(kind="verdict", key="0001", body={"evidence": gone}), by="me")
    other.records.add(Change(kind="log", key="x", body={"object": dropped, "dropped": "2026-01-01"}), by="me")
    assert export_project(other, tmp_path / "it").missing == [gone]


def test_nothing_is_written_over(walked, parcel, tmp_path):
    """Neither a file nor a folder with something in it; an empty folder is filled."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    (tmp_path / "it.zip").write_text("")
    for name in ("full", "it.zip"):
        with pytest.raises(AlreadyExistsError, match=f"{name} already"):
            export_project(walked, tmp_path / name)
    (tmp_path / "empty").mkdir()
    export_project(walked, tmp_path / "empty")
    assert {path.name for path in tmp_path.iterdir()} == {"full", "it.zip", "empty"}


def test_what_is_here_already_is_not_mixed(parcel, other):
    """A thing of the same name, an idea of the same number, another text of the same name: nothing is taken in."""
    ideas = other.root / "ideas"
    ideas.mkdir()
    (ideas / "1-other.toml").write_text('title = "Other"\n')
    with pytest.raises(AlreadyExistsError, match=r"has the number of ideas/0001-same-weekday.toml"):
        import_parcel(other, parcel)
    (ideas / "1-other.toml").rename(ideas / "0001-same-weekday.toml")
    with pytest.raises(AlreadyExistsError, match=r"another ideas/0001-same-weekday.toml here"):
        import_parcel(other, parcel)
    (ideas / "0001-same-weekday.toml").unlink()
    other.records.add(Change(kind="idea", key="0001", body={}), by="me")
    with pytest.raises(AlreadyExistsError, match="such as idea '0001'"):
        import_parcel(other, parcel)
    assert (other.records.head().seq, list(other.objects.list()), list(ideas.iterdir())) == (1, [], [])


def rewritten(folder: Path, path: str, change: Callable[[bytes], bytes]) -> None:
    """Changes a file of a parcel, and what its manifest says of it: a forger would."""
    content = change((folder / path).read_bytes())
    (folder / path).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][path] = digest(content)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _said(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps({**manifest, **changes}))

    return change


def _snapshot(folder: Path) -> str:
    [path] = (folder / "objects" / "snapshots").iterdir()
    return path.relative_to(folder).as_posix()


def _leads_out(folder: Path) -> None:
    path = _snapshot(folder)
    (folder.parent / "secret").write_bytes((folder / path).read_bytes())
    (folder / path).unlink()
    (folder / path).symlink_to(folder.parent / "secret")


def _text_outside(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["../evil.toml"] = digest(b"")
    (folder.parent / "evil.toml").write_bytes(b"")
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _line(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    def first(content: bytes) -> bytes:
        line, _, rest = content.partition(b"\n")
        said = json.loads(line)
        return json.dumps(said if change(said) is None else change(said)).encode() + b"\n" + rest

    return lambda folder: rewritten(folder, "records.jsonl", first)


WRONG = {
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), TamperedError, "no file manifest.json"),
    "another manifest": (lambda folder: (folder / "manifest.json").write_text("[]"), InvalidInputError, "is no parcel"),
    "deep manifest": (
        lambda folder: (folder / "manifest.json").write_text("[" * 99_999),
        InvalidInputError,
        "no parcel",
    ),
    "newer": (_said(format=2), InvalidInputError, "newer shipworthy"),
    "wrong type": (_said(records="many"), InvalidInputError, "damaged at records"),
    "wrong path": (_said(objects={"x": 1}), InvalidInputError, "damaged at a name or a path"),
    "unknown field": (_said(run="rm"), InvalidInputError, "damaged"),
    "wrong head": (_said(head="9:0"), TamperedError, "do not end with the head 9:0"),
    "head of nothing": (_said(head="x"), TamperedError, "do not end with the head x"),
    "unnamed file": (_said(files={}), TamperedError, "does not name records.jsonl"),
    "changed text": (
        lambda folder: (folder / "ideas" / "0001-same-weekday.toml").write_text("title = 'Mine'"),
        TamperedError,
        "0001-same-weekday.toml was changed",
    ),
    "forged object": (
        lambda folder: rewritten(folder, _snapshot(folder), lambda content: content + b"x"),
        TamperedError,
        "is not what its name promises",
    ),
    "forged record": (_line(lambda said: said.update(by="mallory")), TamperedError, "does not hold at record 1"),
    "no record": (_line(lambda said: [1]), InvalidInputError, "line 1 of records.jsonl is no record"),
    "record of no place": (_line(lambda said: said.update(version="1")), InvalidInputError, "line 1"),
    "record of no instant": (_line(lambda said: said.update(at="soon")), InvalidInputError, "line 1"),
    "record of a local time": (_line(lambda said: said.update(at="2026-01-01T00:00:00")), InvalidInputError, "line 1"),
    "cut": (
        lambda folder: rewritten(folder, "records.jsonl", lambda content: content.rpartition(b"\n{")[0] + b"\n"),
        TamperedError,
        "records, not",
    ),
    "link outside": (_leads_out, TamperedError, "of its own"),
    "path outside": (_text_outside, InvalidInputError, "'../evil.toml', which it may not"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_parcel_is_refused_and_nothing_of_it_is_used(parcel, other, tmp_path, name):
    """Whatever is changed: the project stays as it was."""
    change, kind, told = WRONG[name]
    folder = tmp_path / "wrong"
    shutil.copytree(parcel, folder)
    change(folder)
    with pytest.raises(kind, match=told):
        import_parcel(other, folder)
    assert (other.records.head().seq, list(other.objects.list())) == (0, [])
    assert not (other.root / "ideas").exists()


def _archive(path: Path, entries: list[tuple[str, bytes]], kind: int = ZIP_STORED) -> Path:
    with ZipFile(path, "w", kind) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("entries", "kind", "told"),
    [
        ([("manifest.json", b"0" * 50_000_000)], ZIP_DEFLATED, "is compressed"),
        ([("../manifest.json", b"{}")], ZIP_STORED, "'../manifest.json' that it may not"),
        ([("/etc/passwd", b"{}")], ZIP_STORED, "that it may not"),
        ([("manifest.json", b"[]")], ZIP_STORED, "is no parcel"),
    ],
)
def test_a_wrong_zip_file_is_refused(other, tmp_path, entries, kind, told):
    """One that gives more than it holds, one that leads elsewhere, and one of something else."""
    with pytest.raises(InvalidInputError, match=told):
        import_parcel(other, _archive(tmp_path / "it.zip", entries, kind))


def test_what_is_no_parcel_at_all_is_said(other, tmp_path):
    """A file of something else, a name that is not there, a zip file that was cut."""
    (tmp_path / "it").write_bytes(b"PK\3\4 something")
    with pytest.raises(InvalidInputError, match="no parcel that shipworthy wrote"):
        import_parcel(other, tmp_path / "it")
    with pytest.raises(NotFoundError, match="no folder and no file"):
        import_parcel(other, tmp_path / "none")


def test_any_damage_to_a_zip_file_is_found(walked, other, tmp_path):
    """Forty single bytes, spread over it: each is refused, or was in nothing that is taken in."""
    export_project(walked, tmp_path / "it.zip")
    whole = (tmp_path / "it.zip").read_bytes()
    for place in range(7, len(whole), len(whole) // 40):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        (tmp_path / "damaged.zip").write_bytes(damaged)
        try:
            import_parcel(other, tmp_path / "damaged.zip")
        except ShipworthyError:
            assert other.records.head().seq == 0
        else:
            assert history(other)[:-1] == history(walked)
            other = empty(tmp_path / f"other-{place}")


def test_killed_at_any_moment_it_is_taken_in_by_the_next_one(walked, parcel, other):
    """The records all at once: before, nothing tells of it."""
    verb = [sys.executable, "-m", "shipworthy", "import", str(parcel)]
    for wait in (0.2, 0.35, 0.45, 0.55):
        taking = subprocess.Popen(verb, cwd=other.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        os.kill(taking.pid, signal.SIGKILL)
        taking.wait()
        assert other.records.head().seq in (0, walked.records.head().seq + 1)
    subprocess.run(verb, cwd=other.root, check=False, capture_output=True)
    assert history(other)[:-1] == history(walked)
    run(other.root, "store", "check")
