"""Accounts and tokens over HTTP: what an admin keeps there, and what is everybody's own."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPErrorProcessor, Request, build_opener

import pytest

from shipworthy.api.client import Client
from shipworthy.errors import AlreadyExistsError, DeniedError, InvalidInputError, NotFoundError, SignInError
from shipworthy.project.role import Role
from tests.api.serving import Got, Server

PASSWORD = "correct horse battery"
Town = tuple[Server, dict[str, str]]


@pytest.fixture(name="admin")
def an_admin(squad: Town) -> Client:
    """The client of an admin."""
    server, tokens = squad
    return Client(server.url, tokens[Role.ADMIN], project="kiosk")


def _signed_in(server: Server, login: str, password: str = PASSWORD) -> str:
    """The cookie of a fresh session; empty where the password is not the one."""

    class _Staying(HTTPErrorProcessor):
        def http_response(self, request: Any, response: Any) -> Any:
            return response

    form = urlencode({"login": login, "password": password}).encode()
    with build_opener(_Staying).open(Request(f"{server.url}/sign-in", form)) as answer:
        cookie = SimpleCookie(answer.headers.get("set-cookie", ""))
    return "; ".join(f"{name}={one.value}" for name, one in cookie.items())


def _asked(server: Server, cookie: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Got:
    server.token = ""
    return server.ask(method, f"/api/v1{path}", body, Cookie=cookie)


def test_an_account_is_added_changed_and_shut_out(squad: Town, admin: Client) -> None:
    """Added with a password it signs in; another password ends its sessions; disabled it is out; and the audit has it all."""
    server, _ = squad
    made = admin.add_account("ola", name="Ola", roles={"*": ["analyst"]}, password=PASSWORD)
    assert (made["login"], made["roles"], made["disabled"]) == ("ola", {"*": ["analyst"]}, False)
    first = _signed_in(server, "ola")
    assert _asked(server, first, "GET", "/me").body["name"] == "ola"
    admin.set_password("ola", password="another horse battery")
    assert _asked(server, first, "GET", "/me").status == 401
    assert not _signed_in(server, "ola")
    second = _signed_in(server, "ola", "another horse battery")
    assert admin.edit_account("ola", roles={"*": ["stakeholder"]}, disabled=True)["disabled"]
    assert _asked(server, second, "GET", "/me").status == 401
    told = [entry for entry in admin.audit(by="admin", limit=500)["items"] if entry["key"] == "ola"]
    assert [entry["kind"] for entry in told] == ["account", "account", "password", "password", "account"]
    assert "horse" not in str(told)


def test_who_has_no_role_reads_no_project_and_is_told_so(squad: Town, admin: Client) -> None:
    """Nothing is said of which projects there are."""
    server, _ = squad
    admin.add_account("lou", roles={}, password=PASSWORD)
    told = _asked(server, _signed_in(server, "lou"), "GET", "/projects/kiosk/ideas")
    assert told.status == 404
    assert "You can read no project 'kiosk', nor any other." in str(told.body)


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"login": "Not a login"}, InvalidInputError, "can be no login"),
        ({"login": "admin"}, AlreadyExistsError, "already"),
        ({"login": "eva", "password": "short"}, InvalidInputError, "several words"),
        ({"login": "eva", "roles": {"sea": ["analyst"]}}, InvalidInputError, "No squad 'sea'"),
        ({"login": "eva", "roles": {"*": ["cook"]}}, InvalidInputError, "roles"),
    ],
)
def test_what_the_command_line_refuses_is_refused(
    given: dict[str, Any], error: type[Exception], says: str, admin: Client
) -> None:
    """A login, a password, a squad or a role that cannot be: said as everywhere, and nothing is there afterwards."""
    with pytest.raises(error, match=says):
        admin.add_account(**given)
    with pytest.raises(NotFoundError):
        admin.account("eva")


def test_nobody_takes_the_last_admin_away_from_afar(admin: Client) -> None:
    """Nobody gives up being an admin themselves; another one may be shut out, as long as one stays."""
    with pytest.raises(InvalidInputError, match="ask another admin"):
        admin.edit_account("admin", disabled=True)
    admin.add_account("second", roles={"*": ["admin"]})
    assert admin.edit_account("second", disabled=True)["disabled"]


def test_on_a_laptop_the_first_account_is_added_on_the_machine(laptop: Server) -> None:
    """Whoever reaches a laptop's server does not lock its user out by adding an account; nor has anybody tokens of their own."""
    client = Client(laptop.url)
    with pytest.raises(InvalidInputError, match="added where the server runs"):
        client.add_account("eve", password=PASSWORD)
    with pytest.raises(DeniedError, match="nobody has one"):
        client.own_tokens()


def test_an_admin_makes_lists_and_takes_back_tokens(squad: Town, admin: Client) -> None:
    """The text is told once, to no cache; it is good for what was said, until it is taken back."""
    server, tokens = squad
    server.token = tokens[Role.ADMIN]
    wanted = {"login": "analyst", "name": "nightly", "may": ["read"], "days": 7}
    made = server.ask("POST", "/api/v1/tokens", wanted)
    assert (made.status, made.headers["cache-control"], made.body["standing"]) == (201, "no-store", "good")
    program = Client(server.url, made.body["token"], project="kiosk")
    assert program.me()["scope"] == ["read"]
    with pytest.raises(DeniedError, match="not good for examine"):
        program.data(1)
    listed = {one["id"]: one for one in admin.each("tokens")}
    assert listed[made.body["id"]]["name"] == "nightly"
    assert made.body["token"] not in str(listed)
    assert admin.revoke_token(made.body["id"])["standing"] == "revoked"
    with pytest.raises(SignInError):
        program.me()
    for wrong, says in (
        ({"squad": ["sea"]}, "No squad 'sea'"),
        ({"may": []}, "good for something"),
        ({"days": 400}, "366"),
    ):
        with pytest.raises(InvalidInputError, match=says):
            admin.make_token("analyst", "wrong", **wrong)
    with pytest.raises(NotFoundError):
        admin.make_token("nobody", "wrong")


def test_everybody_keeps_their_own_tokens(squad: Town, admin: Client) -> None:
    """Who signed in, or proves with the password to be there, makes one; it lists and takes back its account's own alone."""
    server, _ = squad
    admin.add_account("pia", roles={"*": ["ml engineer"]}, password=PASSWORD)
    cookie = _signed_in(server, "pia")
    wanted = {"name": "mine", "may": ["read", "research"]}
    assert _asked(server, cookie, "POST", "/me/tokens", wanted).status == 403
    made = _asked(server, cookie, "POST", "/me/tokens", wanted | {"password": PASSWORD})
    assert (made.status, made.body["login"]) == (201, "pia")
    mine = Client(server.url, made.body["token"], project="kiosk")
    with pytest.raises(DeniedError, match="not your password"):
        mine.make_own_token("stolen")
    reads = mine.make_own_token("reads", password=PASSWORD)
    assert [one["name"] for one in mine.own_tokens()["items"]] == ["mine", "reads"]
    with pytest.raises(DeniedError, match="may more than the one that asks"):
        Client(server.url, reads["token"], project="kiosk").revoke_own_token(made.body["id"])
    other = admin.make_token("analyst", "another's")
    with pytest.raises(NotFoundError):
        mine.revoke_own_token(other["id"])
    assert mine.revoke_own_token(reads["id"])["standing"] == "revoked"
    assert mine.revoke_own_token(made.body["id"])["standing"] == "revoked"


def test_a_token_of_an_account_without_a_password_makes_no_other(squad: Town) -> None:
    """Nothing would prove that it is not a stolen one that asks; so what was taken back stays taken back."""
    server, tokens = squad
    with pytest.raises(DeniedError, match="not a stolen token"):
        Client(server.url, tokens[Role.ANALYST], project="kiosk").make_own_token("another")
