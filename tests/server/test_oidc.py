"""Signing in through a provider: a real one over HTTP, and one that lies."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shipworthy.errors import InvalidInputError
from shipworthy.server.oidc import Provider
from shipworthy.workspace.account import Account, change_account, find_account, list_accounts
from shipworthy.workspace.role import read_roles
from shipworthy.workspace.workspace import Workspace, open_workspace
from tests.server.town import Running, add_people, free_port, lay, running, serving

pytestmark = [
    pytest.mark.filterwarnings("ignore::authlib.deprecate.AuthlibDeprecationWarning"),  # of the provider for tests
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

ANN = {"email": "ann@town.example", "email_verified": True, "name": "Ann", "groups": ["cooks", "chess"]}
ROLES = "[sign_in.oidc.roles]\ncooks = ['food:analyst']\nbosses = ['*:admin']\n"


def _settings(port: int, issuer: str, more: str = "") -> str:
    return (
        f"[server]\naddress = 'http://127.0.0.1:{port}'\n[sign_in.oidc]\nissuer = '{issuer}'\nclient_id = 'ship'\n"
        f"client_secret = '$TOWN_SECRET'\n{more}"
    )


@contextmanager
def _town(folder: Path, issuer: str, more: str = ROLES) -> Iterator[Running]:
    port = free_port()
    workspace = lay(folder, _settings(port, issuer, more))
    with running(workspace, port) as server:
        yield server
    workspace.records.close()


@pytest.fixture(scope="module", autouse=True)
def secret() -> Iterator[None]:
    """What the provider knows this server by."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOWN_SECRET", "shh")
        yield


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """A real provider, whose people are whom a test puts there."""
    import oidc_provider_mock  # noqa: PLC0415  (it warns while it is imported)

    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


def _person(provider: str, sub: str, **claims: Any) -> None:
    httpx2.put(f"{provider}/users/{sub}", json={**ANN, **claims}).raise_for_status()


def _agreed(browser: httpx2.Client, sub: str, next_: str = "/me") -> httpx2.URL:
    """Goes to the provider, says there who it is, and comes back with the address that it is sent to."""
    left = browser.get("/sign-in/oidc", params={"next": next_})
    assert left.status_code == 303, left.text
    return _said(left.headers["location"], sub)


def _said(address: str, sub: str) -> httpx2.URL:
    agreed = httpx2.post(address, data={"sub": sub})
    assert agreed.status_code == 302, agreed.text
    return httpx2.URL(agreed.headers["location"])


def _signs_in(browser: httpx2.Client, sub: str) -> httpx2.Response:
    return browser.get(_agreed(browser, sub))


def test_the_first_sign_in_makes_an_account_that_follows_the_claims(provider: str, tmp_path: Path):
    """Somebody new gets an account without a password, with the roles of their groups; taken out of a group, they lose them."""
    _person(provider, "1")
    with _town(tmp_path, provider) as town, town.client() as browser:
        assert "Sign in with localhost" in browser.get("/sign-in").text
        back = _signs_in(browser, "1")
        assert (back.status_code, back.headers["location"]) == (303, "/me")
        assert browser.get("/me").json()["name"] == "ann@town.example"
        records = town.workspace.records
        account = find_account(records, "ann@town.example")
        assert account == Account(
            login="ann@town.example",
            name="Ann",
            roles=read_roles(["food:analyst"]),
            subject=f"{provider} 1",
            version=1,
        )
        assert records.find("password") == []
        assert records.find("session")[0].body["via"] == provider
        _person(provider, "1", groups=["bosses"], email="ann.b@town.example")
        with town.client() as other:
            assert _signs_in(other, "1").status_code == 303
        assert find_account(records, "ann@town.example").roles == read_roles(["admin"])
        _person(provider, "1", groups=["chess"])
        with town.client() as other:
            assert "has no role here" in _signs_in(other, "1").text
        assert find_account(records, "ann@town.example").roles == {}
        assert len(list_accounts(records)) == 1


def test_the_flow_is_bound_to_its_browser(provider: str, tmp_path: Path):
    """Code with PKCE, a state that is checked, a cookie for ten minutes; another browser, or a second time, gets nothing."""
    _person(provider, "1")
    with _town(tmp_path, provider) as town, town.client() as browser, town.client() as victim:
        left = browser.get("/sign-in/oidc")
        asked = parse_qs(urlsplit(left.headers["location"]).query)
        assert (asked["response_type"], asked["code_challenge_method"], asked["client_id"]) == (
            ["code"],
            ["S256"],
            ["ship"],
        )
        assert len(asked["code_challenge"][0]) == len(asked["state"][0]) == len(asked["nonce"][0]) == 43
        assert {"httponly", "samesite=lax", "max-age=600"} <= set(left.headers["set-cookie"].lower().split("; "))
        back = _said(left.headers["location"], "1")
        assert victim.get(back).status_code == 401
        victim.get("/sign-in/oidc")
        assert "another sign-in" in victim.get(back).text
        wrong = back.copy_set_param("state", "A" * 43)
        assert browser.get(wrong).status_code == 401
        assert browser.get(back).status_code == 401, "a flow that failed is over"
        back = _agreed(browser, "1")
        assert browser.get(back).status_code == 303
        assert browser.get(back).status_code == 401, "a flow that succeeded is over"


def test_a_code_that_somebody_else_got_is_worth_nothing(provider: str, tmp_path: Path):
    """A code of another flow, slipped into a flow under way, is found out by its nonce."""
    _person(provider, "1")
    with _town(tmp_path, provider) as town, town.client() as browser, town.client() as thief:
        stolen = _agreed(browser, "1").params["code"]
        mine = _agreed(thief, "1").copy_set_param("code", stolen)
        refused = thief.get(mine)
        assert (refused.status_code, "does not prove who you are" in refused.text) == (401, True)
        assert "shipworthy" not in thief.cookies


STRANGERS: list[tuple[dict[str, Any], str]] = [
    ({"email": "ann@evil.example"}, "Only town.example"),
    ({"email": "ann@town.example@evil.example"}, "Only town.example"),
    ({"email_verified": False}, "verified your address"),
    ({"email_verified": "true"}, "verified your address"),
    ({"email": ["ann@town.example"]}, "tells no"),
    ({"email": "kim@town.example"}, "does not belong to"),
    ({"groups": "cooks"}, "has no role here"),
    ({"groups": [["cooks"], {}, 3]}, "has no role here"),
    ({"email": "<script>@town.example"}, "can be no login"),
]


def test_who_may_not_come_in_is_told_why(provider: str, tmp_path: Path):
    """Another domain, an address nobody verified, somebody else's login, no role: no account is made or taken over."""
    with _town(tmp_path, provider, f"domains = ['town.example']\n{ROLES}") as town, town.client() as browser:
        add_people(town.workspace, {"kim@town.example": ["food:analyst"]})
        for claims, says in STRANGERS:
            _person(provider, "2", **claims)
            refused = _signs_in(browser, "2")
            assert (refused.status_code in (401, 422), says in refused.text) == (True, True), claims
            accounts = [(account.login, account.subject) for account in list_accounts(town.workspace.records)]
            assert accounts == [("kim@town.example", "")]
        assert len(town.workspace.records.history("audit", "sign-in refused")) >= len({says for _, says in STRANGERS})


def test_without_a_mapping_an_admin_gives_the_roles(provider: str, tmp_path: Path):
    """An account that an admin prepared is taken by whom the provider says it is; a new one waits for a role."""
    _person(provider, "3")
    with _town(tmp_path, provider, "name = 'Town ID'\n") as town, town.client() as browser:
        records = town.workspace.records
        assert "Sign in with Town ID" in browser.get("/sign-in").text
        assert "has no role here" in _signs_in(browser, "3").text
        prepared = Account(login="bea@town.example", roles=read_roles(["food:analyst"]))
        records.add(prepared.change(), by="tester")
        _person(provider, "4", email="Bea@town.example")
        assert _signs_in(browser, "4").status_code == 303
        assert find_account(records, "bea@town.example").subject == f"{provider} 4"
        change_account(records, "bea@town.example", by="tester", squads=(), disabled=True)
        assert "is disabled" in _signs_in(browser, "4").text


# A provider that lies


class Liar:
    """A provider whose answers a test chooses."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://localhost:{port}"
        self.metadata: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.key: Any = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"}, private=True)
        self.signs_with: Any = self.key
        self.userinfo: dict[str, Any] = {}
        self.nonce = ""

    def routes(self) -> list[Route]:
        """What a provider answers to."""
        return [
            Route("/.well-known/openid-configuration", self._configuration),
            Route("/jwks", self._jwks),
            Route("/token", self._token, methods=["POST"]),
            Route("/userinfo", self._userinfo),
        ]

    async def _configuration(self, request: Request) -> Response:
        known = {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
        }
        doors = {"authorization_endpoint": f"{self.issuer}/authorize", "token_endpoint": f"{self.issuer}/token"}
        return JSONResponse({**known, **doors, **self.metadata})

    async def _jwks(self, request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def _token(self, request: Request) -> Response:
        claims = {
            "iss": self.issuer,
            "aud": "ship",
            "sub": "1",
            "nonce": self.nonce,
            "iat": int(time()),
            "exp": int(time()) + 600,
        }
        claims = {name: value for name, value in {**claims, **ANN, **self.claims}.items() if value is not None}
        header = {"alg": "RS256", "kid": "1", **self.header}
        token = (
            jwt.encode(header, claims, self.signs_with, algorithms=[header["alg"]])
            if self.signs_with
            else _unsigned(claims)
        )
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": token})

    async def _userinfo(self, request: Request) -> Response:
        return JSONResponse({"sub": "1", **self.userinfo})


def _unsigned(claims: dict[str, Any]) -> str:
    parts = [urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, claims)]
    return ".".join([*parts, ""])


@pytest.fixture
def liar() -> Iterator[Liar]:
    """A provider that lies once a test tells it how."""
    port = free_port()
    liar = Liar(port)
    with serving(Starlette(routes=liar.routes()), port, "localhost"):
        yield liar


def _lied(liar: Liar, browser: httpx2.Client) -> httpx2.Response:
    left = browser.get("/sign-in/oidc")
    if left.status_code != 303:
        return left
    asked = parse_qs(urlsplit(left.headers["location"]).query)
    liar.nonce = asked["nonce"][0]
    return browser.get("/sign-in/oidc/back", params={"state": asked["state"][0], "code": "c"})


def test_a_token_that_is_not_for_us_lets_nobody_in(liar: Liar, tmp_path: Path):
    """Of another audience, issuer, nonce or key, expired, unsigned, signed with a shared key: each alone is refused."""
    other = RSAKey.generate_key(2048, {"kid": "1"}, private=True)
    shared = OctKey.generate_key(256, {"kid": "1"})
    lies: list[dict[str, Any]] = [
        {"claims": {"aud": "another"}},
        {"claims": {"aud": ["another", "third"]}},
        {"claims": {"aud": ["another"], "azp": "ship"}},
        {"claims": {"aud": ["ship", "another"]}},
        {"claims": {"aud": None}},
        {"claims": {"iss": "https://evil.example"}},
        {"claims": {"iss": None}},
        {"claims": {"nonce": "A" * 43}},
        {"claims": {"nonce": None}},
        {"claims": {"exp": int(time()) - 3600}},
        {"claims": {"exp": None}},
        {"claims": {"sub": None}},
        {"claims": {"iat": int(time()) + 3600}},
        {"signs_with": other},
        {"signs_with": shared, "header": {"alg": "HS256"}},
        {"signs_with": None},
        {"userinfo": {"sub": "2"}},
    ]
    liar.metadata = {"id_token_signing_alg_values_supported": ["RS256", "HS256", "none"]}
    with _town(tmp_path, liar.issuer) as town, town.client() as browser:
        honest = dict(vars(liar))
        assert _lied(liar, browser).status_code == 303
        for lie in lies:
            vars(liar).update({**honest, **lie})
            answer = _lied(liar, browser)
            assert (answer.status_code, "does not prove who you are" in answer.text) == (401, True), lie
        assert len(list_accounts(town.workspace.records)) == 1


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "ftp://evil.example"},
    ],
)
def test_a_provider_that_is_another_one_is_not_asked(liar: Liar, tmp_path: Path, metadata: dict[str, str]):
    """Metadata of another issuer, or with an open line in it, ends the sign-in before it begins."""
    liar.metadata = metadata
    with _town(tmp_path, liar.issuer) as town, town.client() as browser:
        assert _lied(liar, browser).status_code == 503


def test_a_provider_that_is_silent_is_told_of(tmp_path: Path):
    """While the provider is away the page says so; nothing is broken, and passwords go on."""
    with _town(tmp_path, f"http://localhost:{free_port()}") as town, town.client() as browser:
        add_people(town.workspace, {"ann": ["admin"]})
        refused = browser.get("/sign-in/oidc")
        assert (refused.status_code, "does not answer" in refused.text) == (503, True)
        with town.signed_in("ann") as ann:
            assert ann.get("/me").status_code == 200


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("[sign_in.oidc]\nclient_id = 'a'\n", "sign_in.oidc.issuer is missing"),
        ("[sign_in.oidc]\nissuer = 'http://id.example'\nclient_id = 'a'\n", "begins with https"),
        (
            "[sign_in.oidc]\nissuer = 'https://id.example'\nclient_id = 'a'\nclient_secret = 'abc'\n",
            "no place in a file",
        ),
        ("[sign_in.oidc]\nissuer = 'https://id.example'\nclient_id = 'a'\n", "server.address is missing"),
        (
            "[sign_in.oidc]\nissuer = 'https://id.example'\nclient_id = 'a'\n[sign_in.oidc.roles]\nx = ['cook']\n",
            "No role 'cook'",
        ),
        ("[sign_in]\npasswords = false\n", "nobody could sign in"),
        ("[sign-in]\npasswords = false\n", "is unknown"),
        ("[server]\naddress = 'ship.example.com'\n", "a scheme and a host"),
        ("[server]\naddress = 'https://ship.example.com/path'\n", "a scheme and a host"),
        ("[server]\ntrusted_proxies = ['10.0.0.1/8']\n", "host bits set"),
        ("[server]\nrequests_per_minute = 0\n", "from 1 on"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(tmp_path: Path, written: str, says: str):
    """A secret in the file, an open line, an unknown section or role: the refusal names the field."""
    with pytest.raises(InvalidInputError, match=says):
        lay(tmp_path, written)


def test_a_secret_that_is_not_set_is_told_when_the_server_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The variable that holds the client's secret is named where it is missing."""
    monkeypatch.delenv("TOWN_SECRET")
    workspace: Workspace = lay(tmp_path, _settings(1234, "https://id.example"))
    with pytest.raises(InvalidInputError, match="'TOWN_SECRET', which is not set"):
        Provider(open_workspace(tmp_path).settings.oidc, "http://127.0.0.1:1234")
    workspace.records.close()
