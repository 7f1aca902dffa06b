"""The page of whoever signed in, on the whole server: what they keep there, and what a thief of their session does not get."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
import pytest

from shipworthy.server.app import make_app
from shipworthy.workspace.account import find_account
from shipworthy.workspace.role import Permission
from shipworthy.workspace.token import find_token, list_tokens
from tests.server.town import PASSWORD, Running, add_people, free_port, lay, serving


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The server as `shipworthy server` runs it."""
    workspace = lay(tmp_path_factory.mktemp("whole"))
    add_people(workspace, {"ann": ["admin"], "ben": ["food:analyst"], "dan": []})
    with serving(make_app(workspace), free_port()) as url:
        yield Running(url, workspace)
    workspace.records.close()
    for project in workspace.projects.values():
        project.records.close()


def _token(**more: str) -> dict[str, str]:
    return {"name": "nightly", "may read": "on", "squad": "food", "days": "30", "password": PASSWORD, **more}


def test_the_whole_server_asks_who_is_there(whole: Running):
    """Board and API are behind the sign-in; what the sign-in needs is not."""
    with whole.client() as stranger:
        for path in ("/", "/projects/kitchen/", "/account", "/api/v1/me", "/nothing"):
            assert stranger.get(path).status_code == 401, path
            assert stranger.get(path, headers={"accept": "text/html"}).headers["location"].startswith("/sign-in?next=")
        assert stranger.get("/sign-in").status_code == 200
        assert stranger.get("/sign-in/sign_in.css").headers["content-type"].startswith("text/css")
    with whole.signed_in("ben") as ben:
        assert ben.get("/projects/kitchen/").status_code == 200
        assert ben.get("/projects/battery/").status_code == 404


def test_an_account_without_a_role_is_told_whom_to_ask(whole: Running):
    """The first page says that no project is theirs to read, and who gives a role."""
    with whole.signed_in("dan") as dan:
        page = dan.get("/")
        assert (page.status_code, "Ask an admin of this workspace for a role" in page.text) == (200, True)


def test_somebody_makes_and_revokes_their_own_tokens(whole: Running):
    """The token is shown once, acts as its account, and goes when it is told to; another one's is not theirs to revoke."""
    records = whole.workspace.records
    with whole.signed_in("ben") as ben, whole.signed_in("ann") as ann:
        page = ben.post("/account/tokens", data=_token())
        value = re.findall(r"sw_[A-Za-z0-9_-]{43}", page.text)[0]
        assert page.headers["cache-control"] == "no-store"
        made = find_token(records, value)
        assert (made.login, [*made.permissions], made.squads) == ("ben", [Permission.READ], ("food",))
        assert value not in ben.get("/account").text
        bearer = {"authorization": f"Bearer {value}"}
        assert httpx2.get(f"{whole.url}/projects/kitchen/", headers=bearer).status_code == 200
        assert httpx2.post(f"{whole.url}/account/tokens", data=_token(), headers=bearer).status_code == 403
        assert ann.post("/account/tokens/revoke", data={"id": made.id}).status_code == 404
        assert ben.post("/account/tokens/revoke", data={"id": made.id}).status_code == 303
        assert httpx2.get(f"{whole.url}/projects/kitchen/", headers=bearer).status_code == 401


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"password": "wrong"}, 403),
        ({"days": "0"}, 422),
        ({"days": "367"}, 422),
        ({"days": "99999999999999999999"}, 422),
        ({"days": "-1"}, 422),
        ({"squad": "sea"}, 422),
        ({"name": ""}, 422),
        ({"may read": "", "may everything": "on"}, 200),
    ],
)
def test_a_token_is_made_as_it_may_be_or_not_at_all(whole: Running, wrong: dict[str, str], status: int):
    """Without the password, for ever, for another squad or for nobody knows what: none is made."""
    before = len(list_tokens(whole.workspace.records))
    with whole.signed_in("ben") as ben:
        assert ben.post("/account/tokens", data=_token(**wrong)).status_code == status
    assert len(list_tokens(whole.workspace.records)) - before == (status == 200)


def test_a_new_password_needs_the_old_one_and_ends_every_session(whole: Running):
    """A session that was left open cannot change it; once it is changed, every browser signs in again."""
    other = "another horse battery "
    with whole.signed_in("ann") as ann, whole.signed_in("ann") as elsewhere:
        refused = ann.post("/account/password", data={"password": "wrong", "new": other, "again": other})
        assert refused.status_code == 403
        assert ann.post("/account/password", data={"password": PASSWORD, "new": other, "again": "x"}).status_code == 422
        assert find_account(whole.workspace.records, "ann").epoch == 0
        changed = ann.post("/account/password", data={"password": PASSWORD, "new": other, "again": other})
        assert (changed.status_code, changed.headers["location"]) == (303, "/sign-in")
        assert [one.get("/account").status_code for one in (ann, elsewhere)] == [401, 401]
        assert ann.post("/sign-in", data={"login": "ann", "password": other}).status_code == 303
        assert ann.post("/account/sessions").headers["location"] == "/sign-in"
        assert ann.get("/account").status_code == 401
