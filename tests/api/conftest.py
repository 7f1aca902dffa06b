"""A kiosk whose first idea has walked to its verdict, and a server over a workspace with an account of every role."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from shipworthy.project import open_project
from shipworthy.workspace.account import new_account, write_account
from shipworthy.workspace.role import Permission, Role
from shipworthy.workspace.token import make_token
from shipworthy.workspace.workspace import open_workspace
from tests.api.serving import Server, serving
from tests.cli.typed import typed
from tests.ship import kiosk


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kiosk with idea 1 judged, and idea 2 only written."""
    folder = kiosk.lay(tmp_path_factory.mktemp("judged") / "kiosk")
    for number, challenger in ((1, "weekday"), (2, "one")):
        kiosk.write_idea(folder, number, challenger)
    for verb in ("data", "research", "analyse"):
        said = typed(folder, verb, 1, "--json")
        assert said.code == 0, said.err
    return folder


@pytest.fixture(scope="session")
def laptop(judged: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without accounts: everybody is the one user of this machine."""
    folder = tmp_path_factory.mktemp("laptop") / "kiosk"
    shutil.copytree(judged, folder)
    (folder / "workspace.toml").write_text("[server]\nrequests_per_minute = 100000\n")
    with serving(folder, SHIPWORTHY_USER="ann") as server:
        assert (
            server.ask("GET", server.project("/ideas")).status == 200
        )  # what is read once, before anybody is timed out
        yield server


@pytest.fixture(scope="session")
def squad(judged: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, str]]]:
    """A server with an account of every role, and a token of each; "narrow" is an engineer's token that may only read."""
    folder = tmp_path_factory.mktemp("squad") / "kiosk"
    shutil.copytree(judged, folder)
    (folder / "workspace.toml").write_text("[server]\nrequests_per_minute = 100000\n")
    records = open_workspace(folder).records
    tokens: dict[str, str] = {}
    for role in Role:
        login = role.replace(" ", "-")
        write_account(records, new_account(records, login, roles={"*": frozenset({role})}), by="tester")
        life = timedelta(days=1)
        tokens[role], _ = make_token(records, login, "a test", permissions=list(Permission), life=life, by="tester")
    tokens["narrow"], _ = make_token(
        records, "ml-engineer", "a test", permissions=[Permission.READ], life=timedelta(days=1), by="tester"
    )
    records.close()
    open_project(folder).records.close()
    with serving(folder) as server:
        yield server, tokens
