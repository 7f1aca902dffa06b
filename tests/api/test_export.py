"""A project taken out of a server: the parcel that the command line writes, for an admin alone, and not unseen."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from shipworthy.api.client import Client
from shipworthy.errors import DeniedError, NotFoundError
from shipworthy.parcel.intake import import_parcel
from shipworthy.project import open_project
from shipworthy.project.role import Role
from tests.api.serving import Server


def test_a_project_is_taken_out_whole(squad: tuple[Server, dict[str, str]], tmp_path: Path) -> None:
    """What comes over HTTP is taken in elsewhere with its very chain; the audit says who took it, and no one else gets it."""
    server, tokens = squad
    admin = Client(server.url, tokens[Role.ADMIN], project="kiosk")
    (tmp_path / "kiosk.zip").write_bytes(admin.export())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "shipworthy.toml").write_text("[project]\nname = 'kiosk'\n")
    taken = import_parcel(open_project(elsewhere), tmp_path / "kiosk.zip")
    source, target = open_project(server.folder), open_project(elsewhere)
    assert taken.manifest.by == "admin"
    assert [one.chain for one in target.records.since(0, taken.manifest.records)] == [
        one.chain for one in source.records.since(0, taken.manifest.records)
    ]
    source.records.close()
    target.records.close()
    noted = [entry["body"] for entry in admin.audit(kind="audit")["items"] if entry["key"] == "exported"]
    about = f"kiosk: all of it, {taken.manifest.records:,} records up to {taken.manifest.head}"
    assert ("admin", about) in [(one["who"], one["detail"]) for one in noted]
    for role in (Role.STAKEHOLDER, Role.ML_ENGINEER):
        with pytest.raises(DeniedError):
            Client(server.url, tokens[role], project="kiosk").export()


def test_one_problem_is_taken_out(laptop: Server, tmp_path: Path) -> None:
    """Of a problem that no record is about there is nothing; of one, what is about it."""
    client = Client(laptop.url)
    with pytest.raises(NotFoundError, match="harbour"):
        client.export(problem="harbour")
    (tmp_path / "one.zip").write_bytes(client.export(problem="kiosk"))
    with ZipFile(tmp_path / "one.zip") as parcel:
        assert json.loads(parcel.read("manifest.json"))["problem"] == "kiosk"
