"""Signing in with a password, and what somebody tries who has none."""

from __future__ import annotations

import logging
import re
import socket
from pathlib import Path
from time import sleep
from unittest import mock

import pytest

from shipworthy.server.sign_in import TRIES_PER_ADDRESS, TRIES_PER_LOGIN
from shipworthy.workspace import password
from shipworthy.workspace.account import Account, change_account, find_account
from tests.server.town import PASSWORD, Running, add_people, lay, running

ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\r\nset-cookie: a=b",
    "/a\r\nlocation: https://evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "/ä",
    "",
    "/" + "a" * 3000,
]


def _form(login: str, secret: str = PASSWORD, **more: str) -> dict[str, str]:
    return {"login": login, "password": secret, **more}


def test_the_cookie_is_out_of_reach_of_scripts_and_foreign_sites(town: Running):
    """HttpOnly, SameSite=Lax, for this host alone, over after the session; without https not marked as secure."""
    with town.client() as browser:
        cookie = browser.post("/sign-in", data=_form("ben")).headers["set-cookie"]
    parts = {part.strip().lower() for part in cookie.split(";")}
    assert {"httponly", "samesite=lax", "path=/", "max-age=43200"} <= parts
    assert not [part for part in parts if part.startswith(("domain", "secure"))]


def test_every_sign_in_begins_a_fresh_session(town: Running):
    """A value that somebody planted in the browser never becomes a session; the session that was open is over."""
    with town.client() as browser, town.client() as thief:
        planted = "A" * 43
        browser.cookies.set("shipworthy", planted, domain="127.0.0.1")
        browser.post("/sign-in", data=_form("ben"))
        first = next(cookie.value for cookie in browser.cookies.jar if cookie.value != planted)
        assert thief.get("/me", headers={"cookie": f"shipworthy={planted}"}).status_code == 401
        assert thief.get("/me", headers={"cookie": f"shipworthy={first}"}).status_code == 200
        answer = thief.post("/sign-in", data=_form("cat"), headers={"cookie": f"shipworthy={first}"})
        assert answer.status_code == 303
        assert thief.get("/me", headers={"cookie": f"shipworthy={first}"}).status_code == 401


@pytest.mark.parametrize("next_", ELSEWHERE)
def test_the_way_on_leads_nowhere_else(town: Running, next_: str):
    """After the sign-in a browser goes to a path of this server, or to its front page; no header is smuggled in."""
    with town.client() as browser:
        page = browser.get("/sign-in", params={"next": next_})
        assert 'name="next" value="/"' in page.text
    with mock.patch("shipworthy.server.sign_in.account_of", _let()), town.client() as browser:
        answer = browser.post("/sign-in", data=_form("ben", next=next_))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert len(answer.headers.get_list("set-cookie")) == 1


def test_the_way_on_leads_back(town: Running):
    """The page that somebody wanted is the one that they get."""
    with town.client() as browser:
        assert browser.post("/sign-in", data=_form("ben", next="/me?a=%2F&b=1")).headers["location"] == "/me?a=%2F&b=1"


def test_nobody_learns_which_logins_there_are(tmp_path: Path):
    """Unknown, wrong, disabled, vouched for by others: one answer, and one hash computed for each."""
    workspace = lay(tmp_path)
    add_people(workspace, {"ann": ["admin"], "gone": ["food:analyst"]})
    change_account(workspace.records, "gone", by="tester", squads=(), disabled=True)
    workspace.records.add(Account(login="dan", subject="https://id.example 7").change(), by="tester")
    password._nobodys()
    tries = [("ann", "wrong"), ("eve", PASSWORD), ("gone", PASSWORD), ("dan", PASSWORD), ("' or 1=1 --", "x"), ("", "")]
    with (
        running(workspace) as server,
        server.client() as browser,
        mock.patch.object(password, "_verified", wraps=password._verified) as verified,
    ):
        answers = [browser.post("/sign-in", data=_form(*one)) for one in tries]
    assert {answer.status_code for answer in answers} == {401}
    assert {re.sub(r' value="[^"]*"| autofocus', "", answer.text) for answer in answers} == {
        re.sub(r' value="[^"]*"| autofocus', "", answers[0].text)
    }
    assert "Login or password is wrong." in answers[0].text
    assert verified.call_count == len(tries)
    workspace.records.close()


def test_a_login_has_ten_tries_in_five_minutes(tmp_path: Path):
    """After that even the right password waits, told how long; other logins do not, and right ones never count."""
    workspace = lay(tmp_path)
    add_people(workspace, {"ann": ["admin"], "ben": ["food:analyst"]})
    with running(workspace) as server, server.client() as browser:
        with mock.patch("shipworthy.server.sign_in.account_of", return_value=None):
            codes = [browser.post("/sign-in", data=_form("ann", "x")).status_code for _ in range(TRIES_PER_LOGIN + 1)]
        assert codes == [401] * TRIES_PER_LOGIN + [429]
        waits = browser.post("/sign-in", data=_form("ANN "))
        assert (waits.status_code, 200 < int(waits.headers["retry-after"]) <= 300) == (429, True)
        with mock.patch("shipworthy.server.sign_in.account_of", _let()):
            codes = [browser.post("/sign-in", data=_form("ben")).status_code for _ in range(TRIES_PER_LOGIN + 2)]
        assert codes == [303] * (TRIES_PER_LOGIN + 2)
        with mock.patch("shipworthy.server.sign_in.account_of", return_value=None):
            left = TRIES_PER_ADDRESS - 2 * (TRIES_PER_LOGIN + 2)
            codes = [browser.post("/sign-in", data=_form(f"x{i}", "x")).status_code for i in range(left + 1)]
        assert codes == [401] * left + [429]
    noted = workspace.records.history("audit", "sign-in refused")
    assert sum(int(one.body["times"]) for one in noted) >= TRIES_PER_LOGIN
    assert len(noted) < 30
    workspace.records.close()


def _let():
    return lambda records, login, secret: find_account(records, login)


def test_what_is_typed_comes_back_as_text(town: Running):
    """A login that is markup stands in the page as what it is."""
    with town.client() as browser:
        page = browser.post("/sign-in", data=_form('"><script>alert(1)</script>', "x", next='/"><script>')).text
    assert "<script" not in page


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"\xff\xfe=%", "application/x-www-form-urlencoded"),
        (b"--x", "multipart/form-data; boundary=x"),
        (
            b'--x\r\ncontent-disposition: form-data; name="login"; filename="a"\r\n\r\na\r\n--x--',
            "multipart/form-data; boundary=x",
        ),
        (b'{"login": "ann"}', "application/json"),
        (b"&".join(b"a=b" for _ in range(50)), "application/x-www-form-urlencoded"),
        (b"login=ann%00&password=%00", "application/x-www-form-urlencoded"),
        (b"login=ann&password=%ED%A0%80", "application/x-www-form-urlencoded"),
    ],
)
def test_a_form_that_is_none_is_refused(town: Running, body: bytes, kind: str):
    """Whatever comes instead of a form is an answer of the fours."""
    with town.client() as browser:
        answer = browser.post("/sign-in", content=body, headers={"content-type": kind})
    assert 400 <= answer.status_code < 500


def test_a_caller_who_goes_away_is_no_defect(town: Running, caplog: pytest.LogCaptureFixture):
    """A form of which only half was sent leaves nothing in the server's log."""
    form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nlogin=a"
    with (
        caplog.at_level(logging.ERROR),
        socket.create_connection(("127.0.0.1", int(town.url.rpartition(":")[2]))) as connection,
    ):
        connection.sendall(b"POST /sign-in HTTP/1.1\r\nHost: a\r\n" + form)
        sleep(0.1)
        connection.close()
        sleep(0.2)
    assert not caplog.records
