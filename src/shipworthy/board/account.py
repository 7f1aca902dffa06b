"""The page of whoever signed in: their roles, their password, their sessions and their tokens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from starlette.responses import Response

from shipworthy.board.form import field
from shipworthy.board.rendering import go, render
from shipworthy.errors import DeniedError, InvalidInputError, NotFoundError
from shipworthy.store import RecordStore
from shipworthy.web.asked import Asked
from shipworthy.web.limit import Limit
from shipworthy.workspace.account import Account, end_sessions, read_account
from shipworthy.workspace.password import account_of, has_password, set_password
from shipworthy.workspace.role import EVERYWHERE, Permission, Role
from shipworthy.workspace.token import LONGEST, list_tokens, make_token, revoke_token

PAGE = "/account"
_TRIES = Limit(10, 300.0)


def show_account(asked: Asked) -> Response:
    """Who somebody is here, and with what their programs sign in; the one user of a laptop is told that nobody needs to."""
    if not asked.principal.proved:
        return render(asked, "no_account")
    return _page(asked, _own(asked))


def write_password(asked: Asked) -> Response:
    """Gives the account another password; every session of it is over, so the sign-in comes next."""
    account = _own(asked)
    _refuse_stranger(asked, account)
    if _secret(asked, "new") != _secret(asked, "again"):
        raise InvalidInputError("The new password was not typed the same twice. Nothing was changed.")
    set_password(_records(asked), account.login, _secret(asked, "new"), by=account.login)
    return go("/sign-in")


def write_end(asked: Asked) -> Response:
    """Ends every session of the account, this one too."""
    end_sessions(_records(asked), _own(asked).login, by=asked.principal.name)
    return go("/sign-in")


def write_token(asked: Asked) -> Response:
    """Makes a token, and shows it this once."""
    account, days = _own(asked), field(asked, "days")
    _refuse_stranger(asked, account)
    if not days.isascii() or not days.isdigit() or not 1 <= int(days[:5]) <= LONGEST.days:
        raise InvalidInputError(f"A token lasts 1 to {LONGEST.days} days, not {days[:20]!r}.")
    squad = field(asked, "squad")
    if squad and squad not in asked.desk.workspace.squads:
        raise InvalidInputError(str(NotFoundError.among("squad", squad[:100], asked.desk.workspace.squads)))
    value, _ = make_token(
        _records(asked),
        account.login,
        field(asked, "name"),
        permissions=[permission for permission in Permission if f"may {permission}" in (asked.form or ())],
        squads=[squad] if squad else [],
        life=timedelta(days=int(days)),
        by=account.login,
    )
    return _page(asked, account, made=value)


def write_revocation(asked: Asked) -> Response:
    """Takes one of the account's own tokens back."""
    account, token = _own(asked), field(asked, "id")
    if token not in {one.id for one in list_tokens(_records(asked), account.login)}:
        raise NotFoundError("That is no token of yours. /account lists them.")
    revoke_token(_records(asked), token, by=account.login)
    return go(PAGE, f"The token {token} is revoked.")


def _page(asked: Asked, account: Account, made: str = "") -> Response:
    return render(
        asked,
        "account",
        account=account,
        roles="; ".join(_had(squad, has) for squad, has in account.roles.items()),
        has_password=has_password(_records(asked), account.login),
        tokens=list_tokens(_records(asked), account.login),
        permissions=[one for one in Permission if any(account.principal.may(one, squad) for squad in account.roles)],
        squads=[squad for squad in asked.desk.workspace.squads if squad],
        made=made,
    )


def _own(asked: Asked) -> Account:
    """The account of whoever signed in with a browser; a token may not make another one.

    Raises:
        DeniedError: it is a token, or the user of a laptop, who has no account.
    """
    if not asked.principal.proved or asked.principal.scope is not None:
        raise DeniedError("This page is for somebody who signed in with an account. Sign in at /sign-in.")
    return read_account(_records(asked), asked.principal.name)


def _refuse_stranger(asked: Asked, account: Account) -> None:
    """Asks again for the password of an account that has one: a session that was left open is not enough for this."""
    if not has_password(_records(asked), account.login):
        return
    if _TRIES.take(account.login) > 0.0:
        raise DeniedError("Too many tries. Wait a few minutes, then try again.")
    if account_of(_records(asked), account.login, _secret(asked, "password")) is None:
        raise DeniedError("That is not your password. Nothing was changed.")
    _TRIES.give_back(account.login)


def _secret(asked: Asked, name: str) -> str:
    """What was typed, with the blanks around it."""
    value = asked.form.get(name) if asked.form is not None else None
    return value if isinstance(value, str) else ""


def _records(asked: Asked) -> RecordStore:
    return asked.desk.workspace.records


def _had(squad: str, roles: Iterable[Role]) -> str:
    """The roles that somebody has in a squad, in words."""
    return f"{', '.join(sorted(roles))} {'in every squad' if squad == EVERYWHERE else f'in {squad}'}".rstrip()
