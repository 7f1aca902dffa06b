"""Who asks: sessions, tokens, the one user of a laptop, and what each of them may not pretend."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from time import sleep
from typing import Any

import httpx2
import pytest

from shipworthy.errors import InvalidInputError
from shipworthy.project.clock import now
from shipworthy.server import identity
from shipworthy.server.identity import require_accounts
from shipworthy.workspace.account import change_account
from shipworthy.workspace.password import set_password
from shipworthy.workspace.role import Permission
from shipworthy.workspace.token import make_token, revoke_token
from tests.server.town import PASSWORD, Running, add_people, free_port, lay, running

PAGE = {"accept": "text/html"}


def _token(town: Running, login: str, *permissions: Permission, squads: tuple[str, ...] = ()) -> str:
    records = town.workspace.records
    return make_token(
        records, login, "test", permissions=permissions, squads=squads, life=timedelta(days=1), by="tester"
    )[0]


def _change(town: Running, login: str, **change: Any) -> None:
    change_account(town.workspace.records, login, by="tester", squads=town.workspace.squads, **change)


def _bearer(value: str) -> dict[str, str]:
    return {"authorization": f"Bearer {value}"}


def _events(town: Running, key: str) -> list[dict[str, object]]:
    return [dict(record.body) for record in town.workspace.records.history("audit", key)]


# Sessions


def test_a_session_says_who_asks(town: Running):
    """Who signed in is known by the cookie; whoever has none is told how to sign in, a browser by being led there."""
    with town.signed_in("ben") as ben, town.client() as stranger:
        assert ben.get("/me").json()["name"] == "ben"
        refused = stranger.get("/me")
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert refused.headers["content-type"] == "application/problem+json"
        led = stranger.get("/me?a=1&b=2", headers=PAGE)
        assert (led.status_code, led.headers["location"]) == (303, "/sign-in?next=%2Fme%3Fa%3D1%26b%3D2")
        assert stranger.get("/me", headers=PAGE | {"hx-request": "true"}).headers["hx-redirect"] == "/sign-in"


def test_signing_out_ends_the_session_at_the_server(town: Running):
    """The cookie of a session that was signed out is worth nothing, for whoever copied it either."""
    with town.signed_in("ben") as ben, town.client() as thief:
        thief.cookies.update(dict(ben.cookies))
        assert thief.get("/me").status_code == 200
        assert ben.post("/sign-out").headers["location"] == "/sign-in"
        assert "shipworthy" not in ben.cookies
        assert thief.get("/me").status_code == 401


def test_a_disabled_account_is_out_at_once_and_its_sessions_never_come_back(town: Running):
    """Disabling ends every session and suspends the tokens; enabling again brings back the tokens alone."""
    value = _token(town, "cat", Permission.READ)
    with town.signed_in("cat") as cat, town.client(headers=_bearer(value)) as program:
        assert (cat.get("/me").status_code, program.get("/me").status_code) == (200, 200)
        _change(town, "cat", disabled=True)
        assert (cat.get("/me").status_code, program.get("/me").status_code) == (401, 401)
        assert cat.post("/sign-in", data={"login": "cat", "password": PASSWORD}).status_code == 401
        _change(town, "cat", disabled=False)
        assert (cat.get("/me").status_code, program.get("/me").status_code) == (401, 200)


def test_a_new_password_ends_every_session(town: Running):
    """Whoever sits in somebody's session is out once that password is another one."""
    with town.signed_in("cat") as cat:
        set_password(town.workspace.records, "cat", PASSWORD, by="cat")
        assert cat.get("/me").status_code == 401


def test_a_session_lasts_twelve_hours(town: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Used or not, a session is over after twelve hours."""
    with town.signed_in("ben") as ben:
        clock = tmp_path / "clock"
        monkeypatch.setenv("SHIPWORTHY_CLOCK", str(clock))
        clock.write_text((now_of_machine() + timedelta(hours=11, minutes=59)).isoformat())
        assert ben.get("/me").status_code == 200
        clock.write_text((now_of_machine() + timedelta(hours=12, minutes=1)).isoformat())
        assert ben.get("/me").status_code == 401


def now_of_machine():
    """The time without the variable that sets it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SHIPWORTHY_CLOCK", raising=False)
        return now()


def test_roles_count_from_the_next_request_on(town: Running):
    """What an admin gives or takes, a session that is open has or lacks at once."""
    with town.signed_in("ben") as ben:
        assert ben.post("/ship").status_code == 403
        _change(town, "ben", roles=["food:ml-engineer"])
        assert ben.post("/ship").status_code == 200
        _change(town, "ben", roles=["energy:ml-engineer"])
        assert ben.post("/ship").status_code == 403


def test_a_stream_ends_with_its_session(town: Running, monkeypatch: pytest.MonkeyPatch):
    """Live updates stop for somebody who was disabled while they ran, and are not noted to have been denied before."""
    monkeypatch.setattr(identity, "_LOOK_AGAIN_S", 0.05)
    with town.signed_in("cat") as cat, cat.stream("GET", "/stream") as stream:
        chunks = stream.iter_text()
        assert next(chunks).startswith("data: tick")
        set_password(town.workspace.records, "cat", PASSWORD, by="cat")
        assert sum(1 for _ in chunks) < 10_000


# Tokens


def test_a_token_may_what_its_scope_and_its_account_may_both(town: Running):
    """A token for shipping ships for an engineer, not for an admin; one for reading ships for nobody; nor in another squad."""
    _change(town, "ann", roles=["admin"])
    cases = [
        ("cat", (Permission.SHIP,), (), 200),
        ("cat", (Permission.SHIP,), ("food",), 200),
        ("cat", (Permission.SHIP,), ("energy",), 403),
        ("cat", (Permission.READ,), (), 403),
        ("ann", (Permission.SHIP,), (), 403),
    ]
    for login, permissions, squads, expected in cases:
        value = _token(town, login, *permissions, squads=squads)
        assert httpx2.post(f"{town.url}/ship", headers=_bearer(value)).status_code == expected, (login, permissions)


def test_a_token_that_is_revoked_or_over_is_worth_nothing(
    town: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Revoking counts from the next request on, and no token outlives its time."""
    records = town.workspace.records
    with town.client() as client:
        values = []
        for days in (1, 1):
            value, made = make_token(
                records, "cat", "t", permissions=[Permission.READ], life=timedelta(days=days), by="tester"
            )
            values.append((value, made))
        assert all(client.get("/me", headers=_bearer(value)).status_code == 200 for value, _ in values)
        revoke_token(records, values[0][1].id, by="ann")
        assert [client.get("/me", headers=_bearer(value)).status_code for value, _ in values] == [401, 200]
        clock = tmp_path / "clock"
        clock.write_text((now() + timedelta(days=1, minutes=1)).isoformat())
        monkeypatch.setenv("SHIPWORTHY_CLOCK", str(clock))
        assert client.get("/me", headers=_bearer(values[1][0])).status_code == 401


def test_no_record_holds_a_secret(town: Running):
    """Neither a token's text, nor a cookie, nor a password stands anywhere in the records."""
    value = _token(town, "cat", Permission.READ)
    with town.signed_in("cat") as cat:
        cookie = cat.cookies["shipworthy"]
    written = (town.workspace.root / ".shipworthy" / "workspace.db").read_bytes()
    written += (town.workspace.root / ".shipworthy" / "workspace.db-wal").read_bytes()
    assert not [secret for secret in (value, cookie, PASSWORD) if secret.encode() in written]


@pytest.mark.parametrize(
    "sent",
    [
        {"params": {"token": "VALUE", "access_token": "VALUE"}},
        {"headers": {"authorization": "VALUE"}},
        {"headers": {"authorization": "Basic VALUE"}},
        {"headers": {"authorization": "Bearer VALUEx"}},
        {"headers": {"authorization": "Bearer"}},
        {"headers": {"x-api-key": "VALUE"}},
        {"headers": {"cookie": "shipworthy=VALUE"}},
    ],
)
def test_a_token_counts_in_its_header_alone(town: Running, sent: dict[str, dict[str, str]]):
    """A token in an address, where logs and histories keep it, in a cookie or under another name, lets nobody in."""
    value = _token(town, "cat", Permission.READ)
    params, headers = (
        {name: text.replace("VALUE", value) for name, text in sent.get(place, {}).items()}
        for place in ("params", "headers")
    )
    assert httpx2.get(f"{town.url}/me", params=params, headers=headers).status_code == 401


def test_a_wrong_token_is_no_session(town: Running):
    """Who sends a token is that token or nobody, whatever cookie comes with it."""
    with town.signed_in("ben") as ben:
        assert ben.get("/me", headers=_bearer("sw_" + "A" * 43)).status_code == 401


def test_the_use_of_a_token_is_noted_once_a_day_and_address(town: Running):
    """The records say from where a token was used, and not how often."""
    records = town.workspace.records
    value, made = make_token(records, "cat", "t", permissions=[Permission.READ], life=timedelta(days=1), by="tester")
    with town.client(headers=_bearer(value)) as client:
        for _ in range(5):
            client.get("/me")
    noted = records.history("token use", made.key)
    assert [(one.by, one.body["address"], one.body["new"]) for one in noted] == [("cat", "127.0.0.1", True)]


def test_what_is_denied_and_refused_is_noted(town: Running):
    """Who was denied what, and who tried to come in, stands in the records, with the address."""
    with town.signed_in("ben") as ben:
        _change(town, "ben", roles=["food:analyst"])
        ben.post("/ship")
        ben.post("/sign-in", data={"login": "eve\r\n", "password": "x"})
    denied = [(one["who"], one["detail"], one["address"]) for one in _events(town, "denied")]
    refused = [(one["who"], one["address"]) for one in _events(town, "sign-in refused")]
    assert ("ben", "POST /ship", "127.0.0.1") in denied
    assert ("eve", "127.0.0.1") in refused


# On a laptop


def test_a_laptop_without_accounts_asks_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The one user of the machine may do everything, until the first account is there: then everybody signs in."""
    monkeypatch.setenv("SHIPWORTHY_USER", "ada")
    workspace = lay(tmp_path)
    with running(workspace) as laptop, laptop.client() as browser:
        assert browser.get("/me").json() == {"name": "ada", "scope": None, "proved": False, "length": 0}
        assert "no accounts" in browser.get("/sign-in").text
        add_people(workspace, {"ann": ["admin"]})
        assert browser.get("/me").status_code == 401
    workspace.records.close()


NOT_THE_USER = [
    {"host": "evil.example"},
    {"host": "evil.example:8600"},
    {"host": "127.0.0.1.evil.example"},
    {"host": ""},
    {"x-forwarded-for": "127.0.0.1"},
    {"forwarded": "for=127.0.0.1"},
    {"x-real-ip": "127.0.0.1"},
    {"x-forwarded-host": "localhost"},
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "origin": "http://evil.example"},
]


def test_a_laptop_answers_its_own_user_alone(tmp_path: Path):
    """A foreign name that was pointed at this machine, a proxy in between, or a foreign page is refused, reading too."""
    workspace = lay(tmp_path)
    with running(workspace) as laptop, laptop.client() as browser:
        for headers in NOT_THE_USER:
            assert browser.get("/me", headers=headers).status_code in (400, 403), headers
        assert browser.get("/me").status_code == 200
        assert browser.get("/me", headers={"host": f"localhost:{laptop.url.rpartition(':')[2]}"}).status_code == 200
    workspace.records.close()


def test_whoever_listens_to_others_needs_accounts(tmp_path: Path):
    """Before another address than this machine's is bound there has to be an account; the refusal says what to type."""
    workspace = lay(tmp_path)
    require_accounts(workspace, "127.0.0.1")
    for host in ("0.0.0.0", "::", "192.168.1.5", "ship.example.com", "127.0.0.1.evil.example"):
        with pytest.raises(InvalidInputError, match="shipworthy account add LOGIN"):
            require_accounts(workspace, host)
    add_people(workspace, {"ann": ["admin"]})
    require_accounts(workspace, "0.0.0.0")
    workspace.records.close()


def test_a_server_of_others_behind_a_proxy_knows_the_caller(tmp_path: Path):
    """The word of a trusted proxy counts: for https, so for the cookie, and for the address that limits count by."""
    settings = "[server]\naddress = 'https://ship.example.com'\ntrusted_proxies = ['127.0.0.0/8']\n"
    workspace = lay(tmp_path, settings)
    add_people(workspace, {"ann": ["admin"]})
    sent = {"host": "ship.example.com", "x-forwarded-proto": "https", "x-forwarded-for": "6.6.6.6, 9.9.9.9, 127.0.0.5"}
    with running(workspace, free_port()) as server, server.client(headers=sent) as browser:
        answer = browser.post("/sign-in", data={"login": "ann", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-shipworthy=")
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= {part.strip().lower() for part in cookie.split(";")}
        assert answer.headers["strict-transport-security"]
        assert workspace.records.find("session")[0].body["address"] == "9.9.9.9"
        assert browser.get("/me", headers={"host": "evil.example"}).status_code == 403
        assert browser.get("/v1/health", headers={"host": "10.1.2.3:8600"}).text == "well"
        value = cookie.partition(";")[0]
        assert browser.get("/me", headers={"cookie": value}).json()["name"] == "ann"
        assert browser.get("/me", headers={"cookie": value.removeprefix("__Host-")}).status_code == 401
    workspace.records.close()


def test_an_account_follows_so_many_streams_at_once(town: Running, monkeypatch: pytest.MonkeyPatch):
    """One more is refused, to that account alone, until one of them is closed."""
    monkeypatch.setattr(identity, "MOST_STREAMS", 2)
    with town.signed_in("cat") as cat, town.signed_in("ben") as ben, cat.stream("GET", "/stream"):
        with cat.stream("GET", "/stream") as second:
            refused = cat.get("/stream")
            assert (second.status_code, refused.status_code, refused.headers["retry-after"]) == (200, 429, "60")
            assert "Close some of them" in refused.json()["detail"]
            with ben.stream("GET", "/stream") as other:
                assert other.status_code == 200
        for _ in range(100):
            with cat.stream("GET", "/stream") as again:
                if again.status_code == 200:
                    break
            sleep(0.02)
        else:
            raise AssertionError("a stream that was closed counts for ever")
