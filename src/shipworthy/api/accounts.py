"""Accounts, tokens and the audit log of a workspace: for who keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from shipworthy.api.endpoint import Answer, Call, Endpoint, Page
from shipworthy.api.paging import PageQuery, page, read_cursor, write_cursor
from shipworthy.errors import InvalidInputError
from shipworthy.workspace.account import Account, change_account, list_accounts, read_account
from shipworthy.workspace.audit import LOOKED_THROUGH, Wanted, look_back
from shipworthy.workspace.role import Permission, Role
from shipworthy.workspace.token import Token, list_tokens, revoke_token


class AccountAnswer(Struct, kw_only=True):
    """Somebody who may sign in."""

    login: str
    name: str
    roles: dict[str, list[Role]]
    disabled: bool


class AccountEdit(Struct, forbid_unknown_fields=True, kw_only=True):
    """What is to be otherwise about an account; what is left out stays."""

    roles: dict[str, list[Role]] | None = None
    disabled: bool | None = None


class TokenAnswer(Struct, kw_only=True):
    """What a token is good for; the token itself is nowhere."""

    id: str
    login: str
    name: str
    permissions: list[Permission]
    squads: list[str]
    until: datetime
    standing: str


class AuditQuery(PageQuery, forbid_unknown_fields=True, kw_only=True):
    """Which entries of the audit log."""

    since: datetime | None = None
    by: Annotated[str, Meta(max_length=200)] | None = None
    kind: Annotated[str, Meta(max_length=100)] | None = None
    squad: Annotated[str, Meta(max_length=100)] | None = None


def show_accounts(call: Call) -> Page[AccountAnswer]:
    """Every account, by login."""
    return page(map(_account, list_accounts(_records(call))), lambda one: (one.login,), call.query)


def edit_account(call: Call) -> Answer:
    """Gives roles, disables or lets in again."""
    edit: AccountEdit = call.body
    records, login = _records(call), call.path["login"]
    call.require_seen(str(read_account(records, login).version))
    roles = None if edit.roles is None else [f"{squad}:{role}" for squad in edit.roles for role in edit.roles[squad]]
    squads, by = call.desk.workspace.squads, call.principal.name
    account = change_account(records, login, by=by, squads=squads, roles=roles, disabled=edit.disabled)
    return Answer(value=_account(account), edition=str(account.version))


def show_account(call: Call) -> Answer:
    """One account."""
    account = read_account(_records(call), call.path["login"])
    return Answer(value=_account(account), edition=str(account.version))


def show_tokens(call: Call) -> Page[TokenAnswer]:
    """Every token, the oldest first."""
    found = list_tokens(_records(call))
    shown = page(found, lambda one: (one.made.isoformat(), one.key), call.query)
    return Page(items=[_token(one) for one in shown.items], next=shown.next, total=shown.total)


def take_token_back(call: Call) -> TokenAnswer:
    """Revokes a token."""
    return _token(revoke_token(_records(call), call.path["id"], by=call.principal.name))


def show_audit(call: Call) -> Page[Mapping[str, Any]]:
    """The newest entries, the newest first; a page may have few, or none, and still a next one: so far it looked back."""
    asked: AuditQuery = call.query
    try:
        since = asked.since.astimezone(UTC) if asked.since is not None else None
    except OverflowError:
        raise InvalidInputError("since: no calendar has that instant. Write one as 2026-11-26T09:30:00Z.") from None
    wanted = Wanted(since=since, by=asked.by, kind=asked.kind, squad=asked.squad)
    rest = _rest(read_cursor(asked))
    found = look_back(call.desk.workspace, wanted, asked.limit, rest=rest, at_most=LOOKED_THROUGH)
    following = None if found.rest is None else write_cursor(asked, sorted(found.rest.items()))
    return Page(items=[entry.to_json() for entry in found.entries], next=following)


def _rest(position: Sequence[Any] | None) -> Mapping[str, int] | None:
    try:
        return None if position is None else {str(place): int(seq) for place, seq in position}
    except (TypeError, ValueError):
        raise InvalidInputError("This cursor stands for no place in the list. Begin again without one.") from None


def _records(call: Call) -> Any:
    return call.desk.workspace.records


def _account(account: Account) -> AccountAnswer:
    roles = {squad: sorted(roles) for squad, roles in account.roles.items()}
    return AccountAnswer(login=account.login, name=account.name, roles=roles, disabled=account.disabled)


def _token(token: Token) -> TokenAnswer:
    return TokenAnswer(
        id=token.id,
        login=token.login,
        name=token.name,
        permissions=sorted(token.permissions),
        squads=list(token.squads),
        until=token.until,
        standing=token.standing,
    )


def _endpoint(name: str, method: str, path: str, says: str, **more: Any) -> Endpoint:
    return Endpoint(name=name, method=method, path=path, permission=Permission.ADMINISTER, says=says, **more)


ENDPOINTS = (
    _endpoint(
        "accounts",
        "GET",
        "/accounts",
        "Who may sign in, and with which roles.",
        handler=show_accounts,
        query=PageQuery,
        answer=Page[AccountAnswer],
    ),
    _endpoint("account", "GET", "/accounts/{login}", "One account.", handler=show_account, answer=AccountAnswer),
    _endpoint(
        "edit_account",
        "PATCH",
        "/accounts/{login}",
        "Gives somebody roles, lets them in no more, or in again.",
        handler=edit_account,
        body=AccountEdit,
        answer=AccountAnswer,
        edits=True,
    ),
    _endpoint(
        "tokens",
        "GET",
        "/tokens",
        "What programs sign in with; the tokens themselves are nowhere.",
        handler=show_tokens,
        query=PageQuery,
        answer=Page[TokenAnswer],
    ),
    _endpoint(
        "revoke_token",
        "DELETE",
        "/tokens/{id}",
        "Takes a token back; it counts no more from the next request on.",
        handler=take_token_back,
        answer=TokenAnswer,
    ),
    _endpoint(
        "audit",
        "GET",
        "/audit",
        "Who did what, the newest first.",
        handler=show_audit,
        query=AuditQuery,
        answer=Page[Mapping[str, Any]],
    ),
)
