"""Whoever asks, as the account that they are; and that they are really there, where a session or a token is not enough."""

from __future__ import annotations

from shipworthy.errors import DeniedError
from shipworthy.store import RecordStore
from shipworthy.web.limit import Limit
from shipworthy.workspace.account import Account, read_account
from shipworthy.workspace.password import account_of, has_password
from shipworthy.workspace.principal import Principal

_TRIES = Limit(10, 300.0)


def own_account(records: RecordStore, principal: Principal) -> Account:
    """The account of whoever asks.

    Raises:
        DeniedError: they are the user of a laptop, who has none.
    """
    if not principal.proved:
        raise DeniedError("This is for somebody who signed in with an account, and here nobody has one.")
    return read_account(records, principal.name)


def require_presence(records: RecordStore, principal: Principal, password: str) -> None:
    """Asks for the password of an account that has one: a session that was left open, or a token that leaked, has none.

    Raises:
        DeniedError: it is not the password, it was tried too often, or a token comes for an account that has none.
    """
    login = principal.name
    if not has_password(records, login):
        if principal.scope is not None:
            raise DeniedError(
                f"{login} has no password that would prove that it is not a stolen token that asks. Sign in at /sign-in, or "
                "ask an admin."
            )
        return
    if _TRIES.take(login) > 0.0:
        raise DeniedError("Too many tries. Wait a few minutes, then try again.")
    if account_of(records, login, password) is None:
        raise DeniedError("That is not your password. Nothing was changed.")
    _TRIES.give_back(login)
