"""Passwords: kept as argon2 hashes, each with the parameters it was made with, and checked at one price for everybody."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from threading import BoundedSemaphore
from typing import Any

from shipworthy.errors import InvalidInputError
from shipworthy.library import library
from shipworthy.store import Change, RecordStore
from shipworthy.workspace.account import Account, find_account, list_accounts, new_account, read_account
from shipworthy.workspace.role import EVERYWHERE, Role, read_roles

KIND = "password"
"""The kind of record that holds a hash. It is left out of whatever shows or exports records."""

SHORTEST = 12
_LONGEST = 1000
_AT_ONCE = BoundedSemaphore(
    os.cpu_count() or 1
)  # each takes 64 MiB: a flood of tries waits instead of filling the memory


def refuse_weak(login: str, password: str) -> None:
    """Refuses what is easily guessed.

    Raises:
        InvalidInputError: it is too short, too long, or the login itself.
    """
    if not SHORTEST <= len(password) <= _LONGEST:
        raise InvalidInputError(
            f"A password has {SHORTEST} to {_LONGEST:,} letters. Take several words that do not belong together."
        )
    if password.lower().replace(login.lower(), "").strip() == "":
        raise InvalidInputError("The login is no password. Take several words that do not belong together.")


def password_change(login: str, password: str) -> Change:
    """What has to be written, so that an account has that password.

    Raises:
        InvalidInputError: the password is too weak.
        UnavailableError: argon2 is not installed.
    """
    refuse_weak(login, password)
    return Change(kind=KIND, key=login, body={"hash": _hashed(password)})


def add_account(
    records: RecordStore,
    login: str,
    *,
    by: str,
    squads: Iterable[str],
    name: str = "",
    roles: Iterable[str] = (),
    password: str | None = None,
    on_the_machine: bool = False,
) -> Account:
    """Adds an account, as an admin asks for it by whatever door.

    Args:
        records: Those of the workspace.
        login: Its login.
        by: Who asks.
        squads: The squads there are.
        name: How people call them.
        roles: Their roles, as `read_roles` reads them.
        password: Its password; None is for somebody for whom the provider of OpenID Connect vouches.
        on_the_machine: Whether it is asked for where the server runs. There alone is the first one added, and it is an admin.

    Raises:
        InvalidInputError: login, name, a role or the password cannot be one, or it would be the first one, elsewhere.
        AlreadyExistsError: the login is taken.
        UnavailableError: argon2 is not installed.
    """
    given, is_first = dict(read_roles(roles, squads)), not list_accounts(records)
    if is_first and not on_the_machine:
        raise InvalidInputError("The first account is added where the server runs: `shipworthy account add LOGIN`.")
    if is_first:
        given[EVERYWHERE] = given.get(EVERYWHERE, frozenset()) | {Role.ADMIN}
    made = new_account(records, login, name=name, roles=given)
    secret = [] if password is None else [password_change(made.login, password)]
    records.add(made.change(), *secret, by=by)
    return read_account(records, made.login)


def set_password(records: RecordStore, login: str, password: str, *, by: str) -> None:
    """Gives an account another password, which ends all of its sessions.

    Raises:
        NotFoundError: there is no such account.
        InvalidInputError: the password is too weak.
    """
    account = read_account(records, login)
    change = password_change(account.login, password)
    records.add(change, replace(account, epoch=account.epoch + 1).change(), by=by)


def has_password(records: RecordStore, login: str) -> bool:
    """Whether an account can sign in with a password."""
    return records.get(KIND, login) is not None


def account_of(records: RecordStore, login: str, password: str) -> Account | None:
    """The account that signs in so; None where login or password is wrong, or the account is disabled.

    Every call computes one hash: an unknown login, and one without a password, cost what a wrong password costs.
    """
    account = find_account(records, login)
    record = None if account is None else records.get(KIND, account.login)
    is_right = _verified(record.body["hash"] if record else _nobodys(), password)
    if account is None or record is None or account.disabled or not is_right:
        return None
    if _hasher().check_needs_rehash(record.body["hash"]):
        change = Change(kind=KIND, key=account.login, body={"hash": _hashed(password)}, expect=record.version)
        records.add(change, by=account.login)
    return account


def _hashed(password: str) -> str:
    with _AT_ONCE:
        return str(_hasher().hash(_bytes(password)))


def _verified(hashed: str, password: str) -> bool:
    errors = library("argon2.exceptions", "server")
    with _AT_ONCE:
        try:
            return bool(_hasher().verify(hashed, _bytes(password[: _LONGEST + 1])))
        except (errors.VerificationError, errors.InvalidHashError):
            return False


def _bytes(password: str) -> bytes:
    return password.encode(errors="surrogatepass")


@cache
def _hasher() -> Any:
    return library("argon2", "server").PasswordHasher()


@cache
def _nobodys() -> str:
    """The hash that an unknown login is held against; nobody knows its password."""
    return _hashed(os.urandom(32).hex())
