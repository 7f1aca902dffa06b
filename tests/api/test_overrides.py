"""A verdict that two people set aside over HTTP, in a project where only those count who signed in."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shipworthy.api.client import Client
from shipworthy.errors import DeniedError, InvalidInputError, PreconditionError
from shipworthy.workspace.account import new_account, write_account
from shipworthy.workspace.role import Permission, read_roles
from shipworthy.workspace.token import make_token
from shipworthy.workspace.workspace import open_workspace
from tests.api.serving import serving


def test_two_who_signed_in_set_a_verdict_aside(judged: Path, tmp_path: Path) -> None:
    """One asks, another agrees, and it counts; nobody is two people, and half a wish is refused, as on the command line."""
    folder = tmp_path / "kiosk"
    shutil.copytree(judged, folder)
    with (folder / "shipworthy.toml").open("a") as file:
        file.write("\n[signoffs]\nproved = true\n")
    tokens = {}
    records = open_workspace(folder).records
    for login, role in (("ann", "product-manager"), ("ben", "analyst"), ("eve", "stakeholder")):
        write_account(records, new_account(records, login, roles=read_roles([role])), by="tester")
        life = timedelta(days=1)
        tokens[login], _ = make_token(records, login, "t", permissions=list(Permission), life=life, by="tester")
    records.close()
    half: list[dict[str, Any]] = [{}, {"to": "stop", "second": True}, {"why": "x", "second": True}]
    with serving(folder) as server:
        ann, ben, eve = (Client(server.url, tokens[login], project="kiosk") for login in ("ann", "ben", "eve"))
        for wish in (*half, {"to": "inconclusive"}):
            with pytest.raises(InvalidInputError):
                ann.override(1, **wish)
        [asked] = ann.override(1, to="stop", why="a strike")["items"]
        assert (asked["asked_by"], asked["seconded_by"], asked["proved"]) == ("ann", None, True)
        with pytest.raises(PreconditionError, match="an override takes two"):
            ann.override(1, second=True)
        with pytest.raises(DeniedError):
            eve.override(1, second=True)
        [both] = ben.override(1, second=True)["items"]
        assert (both["seconded_by"], both["proved"]) == ("ben", True)
        assert ann.idea_overrides(1)["items"] == [both]
        gates = {gate["stage"]: gate for gate in ann.gates(1)["items"]}
        assert "The verdict was overridden" in str(gates["analysis"]["gaps"])
