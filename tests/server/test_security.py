"""What no request may be, and what every answer says to the browser."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.town import PASSWORD, Running, add_people, lay, running

FOREIGN = [
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "origin": "https://evil.example"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "origin": "https://evil.example"},
    {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "origin": "https://sister.example.com"},
    {"sec-fetch-site": "cross-site"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1"},
    {"origin": "https://127.0.0.1:PORT"},
    {"origin": "http://127.0.0.1:PORT.evil.example"},
]


def _with_port(town: Running, headers: dict[str, str]) -> dict[str, str]:
    return {name: value.replace("PORT", town.url.rpartition(":")[2]) for name, value in headers.items()}


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_foreign_page_cannot_act_through_a_browser(town: Running, headers: dict[str, str]):
    """A form or script of another site, of a sister site too, is refused although the cookie comes with it; so is its sign-in."""
    with town.signed_in("cat") as cat:
        assert cat.post("/ship", headers=_with_port(town, headers)).status_code == 403
        assert cat.post("/sign-out", headers=_with_port(town, headers)).status_code == 403
        form = {"login": "ben", "password": PASSWORD}
        assert cat.post("/sign-in", data=form, headers=_with_port(town, headers)).status_code == 403
        assert cat.get("/me").json()["name"] == "cat"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "origin": "http://127.0.0.1:PORT"},
        {"sec-fetch-site": "none", "sec-fetch-mode": "navigate"},
        {"origin": "http://127.0.0.1:PORT"},
        {},
    ],
)
def test_an_own_page_acts(town: Running, headers: dict[str, str]):
    """What the server's own pages send, and programs that say nothing of the kind, goes through."""
    with town.signed_in("cat") as cat:
        assert cat.post("/ship", headers=_with_port(town, headers)).text == "shipped"


def test_a_link_from_elsewhere_opens_a_page_and_nothing_else(town: Running):
    """A link in a mail opens the page; a picture or script of a foreign page that names it gets nothing."""
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    with town.signed_in("cat") as cat:
        assert cat.get("/me", headers=link).status_code == 200
        assert cat.get("/me", headers=link | {"sec-fetch-mode": "no-cors"}).status_code == 403


def test_nobody_may_read_across_origins(town: Running):
    """No answer allows a foreign page to read it, and a preflight is not answered."""
    with town.client() as client:
        asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
        answer = client.request("OPTIONS", "/ship", headers=asked)
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/me", "/sign-in", "/nothing", "/sign-in/oidc"])
def test_every_answer_carries_the_headers(town: Running, path: str):
    """Refusals, pages and answers alike: only own scripts, no frame around them, nothing kept, nothing guessed."""
    with town.client() as stranger, town.signed_in("ben") as ben:
        for answer in (stranger.get(path), ben.get(path)):
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self';")
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "same-origin"
            assert "camera=()" in answer.headers["permissions-policy"]
            assert "strict-transport-security" not in answer.headers
            assert "server" not in answer.headers or answer.headers["server"] == "uvicorn"


@pytest.mark.parametrize("length", ["2001", "1000000000000"])
def test_a_body_that_says_it_is_too_long_is_not_read(town: Running, length: str):
    """The length that a request names is held against the limit of its path before anything of it is read."""
    with town.signed_in("ben") as ben:
        cookie = f"shipworthy={ben.cookies['shipworthy']}"
    host, port = town.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(
            f"POST /me HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie}\r\nContent-Length: {length}\r\n\r\n".encode()
        )
        assert line.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_say_its_length_is_cut_off(town: Running):
    """A body in chunks is read up to the limit and no further."""

    def chunks(count: int) -> Iterator[bytes]:
        yield from (b"x" * 500 for _ in range(count))

    with town.signed_in("ben") as ben:
        assert ben.post("/me", content=chunks(4)).json()["length"] == 2000
        assert ben.post("/me", content=chunks(5)).status_code == 413
        assert ben.post("/ship", content=chunks(5)).status_code == 403


def test_too_many_requests_wait(tmp_path: Path):
    """Each account has so many requests a minute, strangers too; the refusal says how long to wait, and is noted once."""
    workspace = lay(tmp_path, "[server]\nrequests_per_minute = 20\n")
    add_people(workspace, {"ann": ["admin"]})
    with running(workspace) as server, server.signed_in("ann") as ann, server.client() as stranger:
        codes = [ann.get("/me").status_code for _ in range(22)]
        assert codes == [200] * 20 + [429] * 2
        assert 1 <= int(ann.get("/me").headers["retry-after"]) <= 60
        wrong = {"authorization": "Bearer sw_" + "A" * 43}
        assert [stranger.get("/me", headers=wrong).status_code for _ in range(21)][-1] == 429
        assert stranger.get("/v1/health").text == "well"
    noted = [(one.body["who"], one.body["times"]) for one in workspace.records.history("audit", "too many requests")]
    assert noted == [("ann", 1), ("ann", 2)]
    workspace.records.close()
