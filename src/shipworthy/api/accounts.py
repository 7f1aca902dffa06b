"""The accounts and the audit log of a workspace: for who keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from shipworthy.api.endpoint import PREFIX, Answer, Call, Endpoint, Page
from shipworthy.api.paging import PageQuery, page, read_cursor, write_cursor
from shipworthy.errors import InvalidInputError
from shipworthy.workspace.account import Account, change_account, list_accounts, read_account
from shipworthy.workspace.audit import LOOKED_THROUGH, Wanted, look_back
from shipworthy.workspace.password import add_account, set_password
from shipworthy.workspace.role import Permission, Role

_Password = Annotated[str, Meta(max_length=10_000)]


class AccountAnswer(Struct, kw_only=True):
    """Somebody who may sign in."""

    login: str
    name: str
    roles: dict[str, list[Role]]
    disabled: bool


class NewAccount(Struct, forbid_unknown_fields=True, kw_only=True):
    """Who may sign in from now on; without a password it is somebody for whom the provider of OpenID Connect vouches."""

    login: str
    name: str = ""
    roles: dict[str, list[Role]] = {}
    password: _Password | None = None


class NewPassword(Struct, forbid_unknown_fields=True, kw_only=True):
    """Another password, which is told nowhere."""

    password: _Password


class AccountEdit(Struct, forbid_unknown_fields=True, kw_only=True):
    """What is to be otherwise about an account; what is left out stays."""

    roles: dict[str, list[Role]] | None = None
    disabled: bool | None = None


class AuditQuery(PageQuery, forbid_unknown_fields=True, kw_only=True):
    """Which entries of the audit log."""

    since: datetime | None = None
    by: Annotated[str, Meta(max_length=200)] | None = None
    kind: Annotated[str, Meta(max_length=100)] | None = None
    squad: Annotated[str, Meta(max_length=100)] | None = None


def show_accounts(call: Call) -> Page[AccountAnswer]:
    """Every account, by login."""
    return page(map(_account, list_accounts(_records(call))), lambda one: (one.login,), call.query)


def add(call: Call) -> Answer:
    """Adds an account."""
    new: NewAccount = call.body
    account = add_account(
        _records(call),
        new.login,
        by=call.principal.name,
        squads=call.desk.workspace.squads,
        name=new.name,
        roles=_texts(new.roles),
        password=new.password,
    )
    return Answer(value=_account(account), status=201, headers={"location": f"{PREFIX}/accounts/{account.login}"})


def give_password(call: Call) -> AccountAnswer:
    """Gives an account another password, which ends all of its sessions."""
    set_password(_records(call), call.path["login"], call.body.password, by=call.principal.name)
    return _account(read_account(_records(call), call.path["login"]))


def edit_account(call: Call) -> Answer:
    """Gives roles, disables or lets in again."""
    edit: AccountEdit = call.body
    records, login = _records(call), call.path["login"]
    call.require_seen(str(read_account(records, login).version))
    roles = None if edit.roles is None else _texts(edit.roles)
    squads, by = call.desk.workspace.squads, call.principal.name
    account = change_account(records, login, by=by, squads=squads, roles=roles, disabled=edit.disabled)
    return Answer(value=_account(account), edition=str(account.version))


def show_account(call: Call) -> Answer:
    """One account."""
    account = read_account(_records(call), call.path["login"])
    return Answer(value=_account(account), edition=str(account.version))


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


def _texts(roles: Mapping[str, Sequence[Role]]) -> list[str]:
    """Roles as `read_roles` reads them."""
    return [f"{squad}:{role}" for squad, held in roles.items() for role in held]


def _account(account: Account) -> AccountAnswer:
    roles = {squad: sorted(roles) for squad, roles in account.roles.items()}
    return AccountAnswer(login=account.login, name=account.name, roles=roles, disabled=account.disabled)


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
    _endpoint(
        "add_account",
        "POST",
        "/accounts",
        "Adds somebody who may sign in.",
        handler=add,
        body=NewAccount,
        answer=AccountAnswer,
        status=201,
        arguments=("login",),
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
        "set_password",
        "POST",
        "/accounts/{login}/password",
        "Gives somebody another password; every session of theirs is over.",
        handler=give_password,
        body=NewPassword,
        answer=AccountAnswer,
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
