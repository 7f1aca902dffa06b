"""Tokens: how programs sign in. A token is shown once; the records hold its hash, and what it is good for."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.project.clock import now
from shipworthy.store import Change, Record, RecordStore
from shipworthy.workspace.account import find_account, read_account
from shipworthy.workspace.principal import Principal
from shipworthy.workspace.role import Permission, Role

KIND = "token"
PREFIX = "sw_"
"""What every token begins with, so that scanners of code find those that leaked."""

LONGEST = timedelta(days=366)
_VALUE = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
_LONGEST_NAME = 100
_ID = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a token is good for.

    Attributes:
        id: The beginning of its hash, by which it is named.
        name: What it is for.
        login: The account that it acts as; it may never do more than that account.
        permissions: What it is good for.
        squads: The squads that it is good for; empty for all.
        until: When it is over.
        revoked: Whether it was taken back.
        made: When it was made.
        key: Its hash.
    """

    id: str
    name: str
    login: str
    permissions: frozenset[Permission]
    squads: tuple[str, ...]
    until: datetime
    revoked: bool
    made: datetime
    key: str

    @property
    def is_over(self) -> bool:
        """Whether it is good for nothing any more."""
        return self.revoked or self.until <= now()

    @property
    def standing(self) -> str:
        """How it stands, in a word."""
        return "revoked" if self.revoked else "expired" if self.is_over else "good"


def make_token(
    records: RecordStore,
    login: str,
    name: str,
    *,
    permissions: Iterable[Permission],
    squads: Iterable[str] = (),
    known: Iterable[str] | None = None,
    life: timedelta,
    by: str,
) -> tuple[str, Token]:
    """A new token of an account: the text, which is shown this once, and what is kept of it.

    Args:
        records: Those of the workspace.
        login: Whose it is.
        name: What it is for.
        permissions: What it is good for.
        squads: The squads that it is good for; none for all.
        known: The squads there are; None asks for none of them.
        life: How long it lasts.
        by: Who makes it.

    Raises:
        NotFoundError: there is no such account.
        InvalidInputError: it would be good for nothing, last too long, its name is too long, or there is no such squad.
    """
    account, within = read_account(records, login), sorted(set(squads))
    there = within if known is None else [squad for squad in known if squad]
    for squad in within:
        if squad not in there:
            raise InvalidInputError(str(NotFoundError.among("squad", squad[:_LONGEST_NAME], there)))
    good_for = sorted(set(permissions))
    if not good_for:
        raise InvalidInputError("A token is good for something: name at least one permission, such as 'read'.")
    if not timedelta() < life <= LONGEST:
        raise InvalidInputError(f"A token lasts from a moment to {LONGEST.days} days, not {life.days} days.")
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise InvalidInputError(f"A token has a name of at most {_LONGEST_NAME} letters, which says what it is for.")
    value = PREFIX + secrets.token_urlsafe(32)
    body = {
        "login": account.login,
        "name": name,
        "permissions": good_for,
        "squads": within,
        "until": (now() + life).isoformat(),
        "revoked": False,
    }
    record = records.add(Change(kind=KIND, key=_key(value), body=body, expect=0), by=by)[0]
    return value, _token(record, record.at)


def find_token(records: RecordStore, value: str) -> Token | None:
    """The token with that text; None where there is none.

    It is looked up by its hash, so no comparison of secrets can be timed.
    """
    record = records.get(KIND, _key(value)) if _VALUE.fullmatch(value) else None
    return None if record is None else _token(record, record.at)


def token_principal(records: RecordStore, token: Token) -> Principal | None:
    """Who asks with a token; None where it is over, or its account may not come in.

    Its roles are those that the account has now, in the token's squads alone; there an admin's token reads.
    """
    account = find_account(records, token.login)
    if token.is_over or account is None or account.disabled:
        return None
    asks = replace(account.principal, scope=token.permissions)
    if not token.squads:
        return asks
    reads = frozenset({Role.STAKEHOLDER} if account.is_admin else ())
    return replace(asks, roles={squad: asks.roles_in(squad) - {Role.ADMIN} | reads for squad in token.squads})


def list_tokens(records: RecordStore, login: str | None = None) -> Sequence[Token]:
    """Every token, or those of one account, the oldest first."""
    made = {record.key: records.history(KIND, record.key)[0].at for record in records.find(KIND)}
    tokens = [_token(record, made[record.key]) for record in records.find(KIND)]
    return sorted((token for token in tokens if login in (None, token.login)), key=lambda token: token.made)


def read_token(records: RecordStore, id_: str, login: str | None = None) -> Token:
    """The token whose id begins so; with a login, of the account's own.

    Raises:
        NotFoundError: no token has that id.
        InvalidInputError: several have.
    """
    tokens = list_tokens(records, login)
    found = [token for token in tokens if id_ and token.key.startswith(id_.lower())]
    if not found:
        raise NotFoundError.among("token", id_, [f"{token.id} ({token.name})" for token in tokens if not token.is_over])
    if len(found) > 1:
        raise InvalidInputError(f"Several tokens begin with {id_!r}: {', '.join(token.id for token in found)}.")
    return found[0]


def revoke_token(records: RecordStore, id_: str, *, by: str, login: str | None = None) -> Token:
    """Takes a token back, with a login one of the account's own; it counts from the next request on.

    Raises:
        NotFoundError: no token has that id.
        InvalidInputError: several have.
    """
    token = read_token(records, id_, login)
    record = records.get(KIND, token.key)
    assert record is not None
    body = {**record.body, "revoked": True}
    return _token(records.add(Change(kind=KIND, key=record.key, body=body), by=by)[0], token.made)


def _key(value: str) -> str:
    return sha256(value.encode()).hexdigest()


def _token(record: Record, made: datetime) -> Token:
    body: Any = record.body
    known = set(Permission)
    return Token(
        id=record.key[:_ID],
        name=body["name"],
        login=body["login"],
        permissions=frozenset(Permission(name) for name in body["permissions"] if name in known),
        squads=tuple(body["squads"]),
        until=datetime.fromisoformat(body["until"]),
        revoked=body["revoked"],
        made=made,
        key=record.key,
    )
