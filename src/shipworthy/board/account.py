"""The page of whoever signed in: their roles, their password, their sessions and their tokens."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from shipworthy.board.form import field
from shipworthy.board.rendering import go, render
from shipworthy.errors import DeniedError, InvalidInputError
from shipworthy.store import RecordStore
from shipworthy.web.asked import Asked
from shipworthy.web.oneself import own_account, require_presence
from shipworthy.workspace.account import Account, end_sessions
from shipworthy.workspace.password import has_password, set_password
from shipworthy.workspace.role import Permission, roles_in_words
from shipworthy.workspace.token import LONGEST, list_tokens, make_token, revoke_token

PAGE = "/account"


def show_account(asked: Asked) -> Response:
    """Who somebody is here, and with what their programs sign in; the one user of a laptop is told that nobody needs to."""
    if not asked.principal.proved:
        return render(asked, "no_account")
    return _page(asked, _own(asked))


def write_password(asked: Asked) -> Response:
    """Gives the account another password; every session of it is over, so the sign-in comes next."""
    account = _own(asked)
    _require_presence(asked)
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
    _require_presence(asked)
    if not days.isascii() or not days.isdigit() or not 1 <= int(days[:5]) <= LONGEST.days:
        raise InvalidInputError(f"A token lasts 1 to {LONGEST.days} days, not {days[:20]!r}.")
    squad = field(asked, "squad")
    value, _ = make_token(
        _records(asked),
        account.login,
        field(asked, "name"),
        permissions=[permission for permission in Permission if f"may {permission}" in (asked.form or ())],
        squads=[squad] if squad else [],
        known=asked.desk.workspace.squads,
        life=timedelta(days=int(days)),
        by=account.login,
    )
    return _page(asked, account, made=value)


def write_revocation(asked: Asked) -> Response:
    """Takes one of the account's own tokens back."""
    account = _own(asked)
    token = revoke_token(_records(asked), field(asked, "id"), by=account.login, login=account.login)
    return go(PAGE, f"The token {token.id} is revoked.")


def _page(asked: Asked, account: Account, made: str = "") -> Response:
    return render(
        asked,
        "account",
        account=account,
        roles=roles_in_words(account.roles),
        has_password=has_password(_records(asked), account.login),
        tokens=list_tokens(_records(asked), account.login),
        permissions=[one for one in Permission if any(account.principal.may(one, squad) for squad in account.roles)],
        squads=[squad for squad in asked.desk.workspace.squads if squad],
        made=made,
    )


def _own(asked: Asked) -> Account:
    """The account of whoever signed in with a browser.

    Raises:
        DeniedError: it is a token, or the user of a laptop, who has no account.
    """
    if asked.principal.scope is not None:
        raise DeniedError("This page is for somebody who signed in with a browser. A token asks at /api/v1/me/tokens.")
    return own_account(_records(asked), asked.principal)


def _require_presence(asked: Asked) -> None:
    require_presence(_records(asked), asked.principal, _secret(asked, "password"))


def _secret(asked: Asked, name: str) -> str:
    """What was typed, with the blanks around it."""
    value = asked.form.get(name) if asked.form is not None else None
    return value if isinstance(value, str) else ""


def _records(asked: Asked) -> RecordStore:
    return asked.desk.workspace.records
