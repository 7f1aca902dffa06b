"""The audit: what it tells, how little an attacker can make it write, and that tampering shows."""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shipworthy.errors import UnavailableError
from shipworthy.store import Change, Head, SqliteRecordStore
from shipworthy.workspace.account import read_account, write_account
from shipworthy.workspace.audit import Wanted, look_back
from shipworthy.workspace.audit_log import MOST_A_MINUTE, AuditLog, Event
from shipworthy.workspace.role import Permission
from shipworthy.workspace.session import begin_session, end_session
from shipworthy.workspace.token import make_token
from shipworthy.workspace.workspace import Workspace, open_workspace
from tests.cli.typed import Said, typed
from tests.server.town import add_people, lay


@pytest.fixture
def town(tmp_path: Path):
    """A workspace in which something happened, in a project too."""
    workspace = lay(tmp_path / "town")
    add_people(workspace, {"ann": ["admin"]})
    records = workspace.records
    end_session(records, begin_session(records, read_account(records, "ann"), address="10.0.0.7", via="password"))
    write_account(records, replace(read_account(records, "ann"), disabled=True), by="tester")
    make_token(records, "ann", "nightly", permissions=[Permission.READ], life=timedelta(days=1), by="ann")
    AuditLog(records).refused(Event.DENIED, "eve", address="6.6.6.6", squad="energy", detail="POST /ship")
    kitchen = workspace.project("kitchen").acting("ben")
    kitchen.records.add(Change(kind="idea", key="0001", body={"text": "a"}), by="ben")
    yield workspace
    records.close()
    kitchen.records.close()


def test_what_a_sealed_holdout_withholds_is_in_no_entry(town: Workspace):
    """Neither the sealed figures of a verdict nor a holdout's fingerprints leave by the audit; the rest of both does."""
    body = {"verdict": {"decision": "ship"}, "sealed": {"gain": 271828.5}, "is_sealed": True}
    openings = [{"by": "ben", "critical": 314159.5, "fingerprints": ["f00d"]}]
    changes = (
        Change(kind="verdict", key="0001", body=body),
        Change(kind="holdout", key="breads-1", body={"is_sealed": True, "openings": openings}),
    )
    town.project("kitchen").records.add(*changes, by="ben")
    verdict, holdout = (_audit(town, "--kind", kind, "--json").json for kind in ("verdict", "holdout"))
    assert verdict[0]["body"] == {"verdict": {"decision": "ship"}, "is_sealed": True}
    assert holdout[0]["body"] == {"is_sealed": True, "openings": [{"by": "ben"}]}


def _audit(town: Workspace, *words: object) -> Said:
    return typed(town.root, "audit", *words)


def _seqs(said: Said) -> list[tuple[str, str]]:
    return [(one["place"], one["kind"]) for one in said.json]


def test_the_audit_tells_all_places_together(town: Workspace):
    """Accounts, sign-ins, tokens, refusals and the projects' records, in one list, oldest first, in words."""
    job = {"verb": "research", "given": {"number": 3}, "state": "queued"}
    changes = Change(kind="job", key="j-1", body=job), Change(kind="verdict", key="0003", body={})
    town.project("kitchen").records.add(*changes, by="ben")
    said = _audit(town).out
    for line in (
        "account ann: admin everywhere",
        "password of ann set",
        "account ann: disabled",
        "ann signed in by password from 10.0.0.7",
        "ann signed out",
        "token 'nightly' of ann made, good for read",
        "denied to eve from 6.6.6.6: POST /ship",
        "idea 1, version 1",
        "research of idea 3 was asked for",
        "verdict of idea 3, version 1",
    ):
        assert line in said
    assert said.index("password of ann set") < said.index("idea 1, version 1")
    assert len(_audit(town, "--limit", 2).out.splitlines()) == 3


@pytest.mark.parametrize(
    ("narrowed", "found"),
    [
        (("--by", "ben"), [("kitchen", "idea")]),
        (("--by", "eve"), [("workspace", "audit")]),
        (("--kind", "token"), [("workspace", "token")]),
        (("--squad", "food"), [("kitchen", "idea")]),
        (("--squad", "energy"), [("workspace", "audit")]),
        (("--since", "2999-01-01"), []),
        (("--since", "2020-01-01", "--kind", "idea"), [("kitchen", "idea")]),
    ],
)
def test_the_audit_is_narrowed(town: Workspace, narrowed: tuple[str, ...], found: list[tuple[str, str]]):
    """By instant, login, kind and squad; who was refused is found by their login, and by the squad."""
    assert _seqs(_audit(town, *narrowed, "--json")) == found


def test_an_export_holds_the_chain_and_no_hash_of_a_password(town: Workspace, tmp_path: Path):
    """JSON lines of every place with seq and chain; that it was taken out stands in it too."""
    file = tmp_path / "audit.jsonl"
    assert _audit(town, "--export", file).code == 0
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["seq"] for line in lines if line["place"] == "workspace"] == list(range(1, len(lines)))
    assert all(len(line["chain"]) == 64 for line in lines)
    assert [line["body"] for line in lines if line["kind"] == "password"] == [None]
    assert "argon2" not in file.read_text()
    assert lines[-2]["key"] == "exported" or "exported" in file.read_text()


def test_a_log_that_is_whole_gives_its_heads(town: Workspace):
    """The heads that are told are those that are proved later; a head of the past is proved as well."""
    told = _audit(town, "--verify", "--json").json
    assert set(told) == {"workspace", "kitchen", "battery"}
    noted = [word for head in told.values() for word in ("--head", head)]
    town.project("kitchen").records.add(Change(kind="idea", key="0002", body={}), by="ben")
    assert _audit(town, *noted).code == 0
    assert _audit(town, "--head", told["workspace"].partition("=")[2]).code == 0
    assert _audit(town, "--head", "sea=1:" + "0" * 64).code == 3
    assert _audit(town, "--head", "1:abc").code == 2


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE record SET body = replace(body, 'eve', 'bob') WHERE kind = 'audit'",
        "UPDATE record SET by = 'bob' WHERE seq = 2",
        "UPDATE record SET at = '2020-01-01T00:00:00.000000+00:00' WHERE seq = 3",
        "DELETE FROM record WHERE seq = 2",
    ],
)
def test_a_row_that_was_tampered_with_shows(town: Workspace, tampering: str):
    """Whoever changes or removes a row with the database's own tools breaks the chain from there on."""
    town.records.close()
    with sqlite3.connect(town.root / ".shipworthy" / "workspace.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        assert database.execute(tampering).rowcount == 1
    database.close()
    said = _audit(open_workspace(town.root), "--verify")
    assert (said.code, said.err.startswith("Tampered: The log does not hold at record")) == (7, True)


def test_a_log_that_was_cut_or_written_anew_shows_against_a_noted_head(town: Workspace):
    """A chain that was cut at its end, or computed anew from the beginning, holds by itself; the head from before does not."""
    before = _audit(town, "--verify", "--json").json["workspace"]
    seq = int(before.partition("=")[2].partition(":")[0])
    path = town.root / ".shipworthy" / "workspace.db"
    records = town.records.since(0)
    town.records.close()
    for kept, says in ((records[:-1], "was cut off"), ((*records[:-2], records[-1], records[-2]), "written anew")):
        for file in path.parent.glob("workspace.db*"):
            file.unlink()
        anew = SqliteRecordStore(path)
        for one in kept:
            anew.add(Change(kind=one.kind, key=one.key, body=one.body), by=one.by)
        anew.close()
        assert _audit(open_workspace(town.root), "--verify").code == 0
        said = _audit(open_workspace(town.root), "--head", before)
        assert (said.code, says in said.err) == (7, True), said.err
    assert seq == len(records)


# What is written


class _Clock:
    """Seconds, as a test sets them."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


def test_an_attacker_cannot_fill_the_disk(town: Workspace):
    """Of a thousand refusals in a minute some are written and the rest counted; none is lost."""
    clock = _Clock()
    log = AuditLog(town.records, clock=clock)
    before = town.records.head().seq
    for number in range(1000):
        log.refused(Event.REFUSED, f"eve{number % 500}" * 100, address="6.6.6.6", detail="x" * 10_000)
    assert town.records.head().seq - before == MOST_A_MINUTE + 1
    clock.at = 61.0
    log.refused(Event.REFUSED, "eve", address="6.6.6.6")
    log.close()
    written = town.records.since(before)
    assert sum(one.body["times"] for one in written) == 1001
    assert len(written) <= 3 * MOST_A_MINUTE
    assert max(len(str(one.body)) for one in written) < 1000


def test_a_store_that_is_silent_denies_all_the_same(town: Workspace):
    """A refusal that cannot be noted is only logged; an export that cannot be noted does not happen."""

    class Silent(SqliteRecordStore):
        def add(self, *changes: Change, by: str):
            raise UnavailableError("The disk is full.")

    log = AuditLog(Silent(Path(":memory:")))
    log.refused(Event.DENIED, "eve")
    with pytest.raises(UnavailableError):
        log.exported("ann", "everything")


def test_the_records_of_a_workspace_are_its_owners_alone(town: Workspace):
    """The file that holds the hashes of passwords can be read by nobody else."""
    files = list((town.root / ".shipworthy").glob("workspace.db*"))
    assert files
    assert {file.stat().st_mode & 0o077 for file in files} == {0}


def test_a_lone_project_has_a_workspace_beside_it(tmp_path: Path, bakery):
    """A workspace.toml beside shipworthy.toml needs to name no project: it is about that one."""
    (bakery.root / "workspace.toml").write_text("[server]\naddress = 'https://ship.example.com'\n")
    workspace = open_workspace(bakery.root)
    assert (list(workspace.projects), workspace.settings.address) == (["bakery"], "https://ship.example.com")
    shutil.rmtree(bakery.root / ".shipworthy", ignore_errors=True)
    assert Head(0, "0" * 64) == workspace.records.head()
    workspace.records.close()


def test_looking_back_page_by_page_finds_each_entry_once_while_others_write(town: Workspace):
    """Page after page, of two entries or of few records looked through, gives what one long page gives."""
    wanted = Wanted(kind="session")
    for sought in (Wanted(), wanted):
        whole = [one.record.chain for one in look_back(town, sought, 1_000).entries]
        for most, at_most in ((2, None), (1_000, 3), (1, 1)):
            pages, rest = [], None
            while True:
                found = look_back(town, sought, most, rest=rest, at_most=at_most)
                pages += [one.record.chain for one in found.entries]
                if found.rest is None:
                    break
                rest = found.rest
                AuditLog(town.records).exported("ann", f"page {len(pages)}")
            assert pages == whole
            whole = [one.record.chain for one in look_back(town, sought, 1_000).entries]
