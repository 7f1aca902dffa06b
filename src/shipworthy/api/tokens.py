"""Tokens: those of everybody for who keeps the accounts, and everybody's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from msgspec import Meta, Struct

from shipworthy.api.endpoint import Answer, Call, Endpoint, Page
from shipworthy.api.paging import PageQuery, page
from shipworthy.errors import DeniedError
from shipworthy.store import RecordStore
from shipworthy.web.oneself import own_account, require_presence
from shipworthy.workspace.role import Permission
from shipworthy.workspace.token import LONGEST, Token, list_tokens, make_token, read_token, revoke_token

_Name = Annotated[str, Meta(max_length=100)]
_SECRET = {"cache-control": "no-store"}


class TokenAnswer(Struct, kw_only=True):
    """What a token is good for; the token itself is nowhere."""

    id: str
    login: str
    name: str
    permissions: list[Permission]
    squads: list[str]
    until: datetime
    standing: str


class MadeAnswer(TokenAnswer, kw_only=True):
    """A token that was made, with its text, which is told this once."""

    token: str


class OwnToken(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a token of one's own is to be good for; an account that has a password gives it."""

    name: _Name
    may: tuple[Permission, ...] = (Permission.READ,)
    squad: tuple[_Name, ...] = ()
    days: Annotated[int, Meta(ge=1, le=LONGEST.days)] = 90
    password: Annotated[str, Meta(max_length=10_000)] = ""


class NewToken(Struct, forbid_unknown_fields=True, kw_only=True):
    """Whose token it is to be, and what it is to be good for."""

    login: _Name
    name: _Name
    may: tuple[Permission, ...] = (Permission.READ,)
    squad: tuple[_Name, ...] = ()
    days: Annotated[int, Meta(ge=1, le=LONGEST.days)] = 90


def show_tokens(call: Call) -> Page[TokenAnswer]:
    """Every token, the oldest first."""
    return _page(call, list_tokens(_records(call)))


def make_somebodys(call: Call) -> Answer:
    """Makes a token for an account."""
    return _made(call, call.body.login, call.body)


def take_back(call: Call) -> TokenAnswer:
    """Revokes a token."""
    return _token(revoke_token(_records(call), call.path["id"], by=call.principal.name))


def show_own(call: Call) -> Page[TokenAnswer]:
    """The tokens of whoever asks, the oldest first."""
    return _page(call, list_tokens(_records(call), own_account(_records(call), call.principal).login))


def make_own(call: Call) -> Answer:
    """Makes a token for whoever asks, and is there."""
    login = own_account(_records(call), call.principal).login
    require_presence(_records(call), call.principal, call.body.password)
    return _made(call, login, call.body)


def take_own_back(call: Call) -> TokenAnswer:
    """Revokes a token of whoever asks; a token takes back none that may more than itself."""
    records, scope = _records(call), call.principal.scope
    login = own_account(records, call.principal).login
    token = read_token(records, call.path["id"], login)
    if scope is not None and not token.permissions <= scope:
        raise DeniedError(f"The token {token.id} may more than the one that asks. Sign in at /sign-in to take it back.")
    return _token(revoke_token(records, token.key, by=login, login=login))


def _records(call: Call) -> RecordStore:
    return call.desk.workspace.records


def _page(call: Call, tokens: Sequence[Token]) -> Page[TokenAnswer]:
    shown = page(tokens, lambda one: (one.made.isoformat(), one.key), call.query)
    return Page(items=[_token(one) for one in shown.items], next=shown.next, total=shown.total)


def _made(call: Call, login: str, wanted: OwnToken | NewToken) -> Answer:
    value, made = make_token(
        _records(call),
        login,
        wanted.name,
        permissions=wanted.may,
        squads=wanted.squad,
        known=call.desk.workspace.squads,
        life=timedelta(days=wanted.days),
        by=call.principal.name,
    )
    return Answer(value=MadeAnswer(token=value, **_facts(made)), status=201, headers=_SECRET)


def _token(token: Token) -> TokenAnswer:
    return TokenAnswer(**_facts(token))


def _facts(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "login": token.login,
        "name": token.name,
        "permissions": sorted(token.permissions),
        "squads": list(token.squads),
        "until": token.until,
        "standing": token.standing,
    }


ENDPOINTS = (
    Endpoint(
        name="tokens",
        method="GET",
        path="/tokens",
        permission=Permission.ADMINISTER,
        says="What programs sign in with; the tokens themselves are nowhere.",
        handler=show_tokens,
        query=PageQuery,
        answer=Page[TokenAnswer],
    ),
    Endpoint(
        name="make_token",
        method="POST",
        path="/tokens",
        permission=Permission.ADMINISTER,
        says="Makes a token for an account; its text is told this once.",
        handler=make_somebodys,
        body=NewToken,
        answer=MadeAnswer,
        status=201,
        arguments=("login", "name"),
    ),
    Endpoint(
        name="revoke_token",
        method="DELETE",
        path="/tokens/{id}",
        permission=Permission.ADMINISTER,
        says="Takes a token back; it counts no more from the next request on.",
        handler=take_back,
        answer=TokenAnswer,
    ),
    Endpoint(
        name="own_tokens",
        method="GET",
        path="/me/tokens",
        permission=Permission.READ,
        says="The tokens of whoever asks; the tokens themselves are nowhere.",
        handler=show_own,
        query=PageQuery,
        answer=Page[TokenAnswer],
    ),
    Endpoint(
        name="make_own_token",
        method="POST",
        path="/me/tokens",
        permission=Permission.READ,
        says="Makes a token for whoever asks; its text is told this once.",
        handler=make_own,
        body=OwnToken,
        answer=MadeAnswer,
        status=201,
        arguments=("name",),
    ),
    Endpoint(
        name="revoke_own_token",
        method="DELETE",
        path="/me/tokens/{id}",
        permission=Permission.READ,
        says="Takes a token of one's own back.",
        handler=take_own_back,
        answer=TokenAnswer,
    ),
)
