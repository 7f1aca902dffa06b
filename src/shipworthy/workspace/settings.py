"""What `workspace.toml` says of the server and of who may sign in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import urlsplit

from shipworthy.errors import InvalidInputError
from shipworthy.project.section import Section
from shipworthy.variable import held, variable_in
from shipworthy.workspace.role import Roles, read_roles

Network = IPv4Network | IPv6Network

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SERVER = ("address", "trusted_proxies", "requests_per_minute")
_SIGN_IN = ("passwords", "oidc")
_OIDC = ("name", "issuer", "client_id", "client_secret", "scopes", "domains", "login", "trust_email", "groups", "roles")


@dataclass(frozen=True, slots=True, kw_only=True)
class Oidc:
    """A provider of OpenID Connect that vouches for people.

    Attributes:
        issuer: Its address, as its own metadata names it.
        client_id: What it knows this server as.
        name: What people call it; empty for the host of its address.
        secret_variable: The environment variable that holds the client's secret; empty for a client without one.
        scopes: What is asked of it.
        domains: Only logins of these domains may come in; all where there are none.
        login: The claim that a new account's login is taken from.
        trust_email: Whether an address counts that the provider does not say it verified.
        groups: The claim that lists somebody's groups.
        roles: The roles that each group has, by squad. Where there are none, an admin gives roles.
    """

    issuer: str
    client_id: str
    name: str = ""
    secret_variable: str = ""
    scopes: Sequence[str] = ("openid", "email", "profile")
    domains: Sequence[str] = ()
    login: str = "email"
    trust_email: bool = False
    groups: str = "groups"
    roles: Mapping[str, Roles] = field(default_factory=dict)

    @property
    def secret(self) -> str | None:
        """The client's secret; None for a client without one.

        Raises:
            InvalidInputError: the variable is not set.
        """
        return held(f"${self.secret_variable}", "sign_in.oidc.client_secret") if self.secret_variable else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the server of a workspace is told.

    Attributes:
        address: What people type to reach it, such as "https://ship.example.com"; empty on a laptop.
        trusted_proxies: Whose word on the caller's address and on https counts.
        requests_per_minute: How many requests one account, or one stranger's address, may make.
        passwords: Whether accounts may sign in with a password.
        oidc: Who else vouches for people; None where nobody does.
    """

    address: str = ""
    trusted_proxies: tuple[Network, ...] = ()
    requests_per_minute: int = 600
    passwords: bool = True
    oidc: Oidc | None = None


def read_settings(given: Section) -> Settings:
    """The sections [server] and [sign_in] of a file.

    Raises:
        InvalidInputError: something in them is wrong; the message names it.
    """
    server, sign_in = given.section("server"), given.section("sign_in")
    server.refuse_unknown(_SERVER)
    sign_in.refuse_unknown(_SIGN_IN)
    per_minute = server.number("requests_per_minute", most=1e6)
    if per_minute is not None and (per_minute < 1 or not per_minute.is_integer()):
        server.refuse("requests_per_minute", f"must be a whole number from 1 on, not {per_minute:g}.")
    oidc = _oidc(sign_in.section("oidc")) if "oidc" in sign_in.fields else None
    passwords = sign_in.flag("passwords") if "passwords" in sign_in.fields else True
    if not passwords and oidc is None:
        sign_in.refuse("passwords", "is false, and there is no [sign_in.oidc]: nobody could sign in. Name one of them.")
    address = _address(server)
    if oidc is not None and not address:
        server.refuse("address", "is missing: say as whom the provider of [sign_in.oidc] sends people back here.")
    return Settings(
        address=address,
        trusted_proxies=tuple(_network(server, text) for text in _texts(server, "trusted_proxies")),
        requests_per_minute=int(per_minute or Settings().requests_per_minute),
        passwords=passwords,
        oidc=oidc,
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that host.

    >>> is_loopback("127.0.0.1"), is_loopback("[::1]"), is_loopback("0.0.0.0"), is_loopback("ship.example.com")
    (True, True, False, False)
    """
    return host.strip("[]").lower() in _LOOPBACK


def _oidc(given: Section) -> Oidc:
    given.refuse_unknown(_OIDC)
    issuer, client = given.text("issuer"), given.text("client_id")
    for name, value in (("issuer", issuer), ("client_id", client)):
        if not value:
            given.refuse(name, "is missing. The provider of your accounts tells it.")
    _refuse_open(given, "issuer", issuer)
    secret = given.text("client_secret")
    if secret and not variable_in(secret).isidentifier():
        given.refuse("client_secret", "must be '$NAME' of an environment variable: a secret has no place in a file.")
    section = given.section("roles")
    default = Oidc(issuer=issuer, client_id=client)
    return Oidc(
        issuer=issuer,
        client_id=client,
        name=given.text("name"),
        secret_variable=variable_in(secret),
        scopes=_texts(given, "scopes") or default.scopes,
        domains=tuple(domain.lower().lstrip("@") for domain in _texts(given, "domains")),
        login=given.text("login") or default.login,
        trust_email=given.flag("trust_email"),
        groups=given.text("groups") or default.groups,
        roles={group: _roles(section, group) for group in section},
    )


def _roles(section: Section, group: str) -> Roles:
    try:
        return read_roles(_texts(section, group))
    except InvalidInputError as error:
        section.refuse(group, f"is wrong: {error}")


def _address(server: Section) -> str:
    address = server.text("address").rstrip("/")
    if address:
        scheme, _, host = address.partition("://")
        if scheme not in ("https", "http") or not host or not _is_host(host):
            server.refuse(
                "address", f"must be a scheme and a host, such as 'https://ship.example.com', not {address!r}."
            )
    return address


def _is_host(text: str) -> bool:
    return re.fullmatch(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?", text) is not None


def _refuse_open(section: Section, name: str, address: str) -> None:
    """Refuses what would send secrets over an open line."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        is_good = parts.port is None or parts.port > 0
    except ValueError:
        is_good, host = False, ""
    if not is_good or not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        section.refuse(name, f"must be an address that begins with https://, not {address!r}.")


def _network(section: Section, text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        section.refuse("trusted_proxies", f"must list addresses such as '10.0.0.0/8': {error}.")


def _texts(section: Section, name: str) -> tuple[str, ...]:
    value = section.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        section.refuse(name, f"must be a list of texts in quotes, not {value!r}.")
    return tuple(value)
