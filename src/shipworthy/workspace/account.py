"""An account: somebody who may sign in to a workspace, with the roles that are theirs.

Its secret, the hash of a password, stands apart (`password.py`), so that whoever lists accounts never holds one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shipworthy.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from shipworthy.store import Change, Record, RecordStore
from shipworthy.workspace.principal import Principal
from shipworthy.workspace.role import EVERYWHERE, Role, Roles, read_roles

KIND = "account"
SERVER = "server"
"""Who writes what happened to somebody whom nobody knows; no account is called so."""

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may sign in.

    Attributes:
        login: The name under which everything they do is recorded.
        name: How people call them.
        roles: Their roles by squad; under "*" those in every squad.
        disabled: Whether they may not come in any more.
        subject: Who they are to the provider of OpenID Connect; empty where none vouches for them.
        epoch: How often all of their sessions were ended at once; a session of an older one is over.
        version: The version of its record; 0 before it has one.
    """

    login: str
    name: str = ""
    roles: Roles = field(default_factory=dict)
    disabled: bool = False
    subject: str = ""
    epoch: int = 0
    version: int = 0

    @property
    def is_admin(self) -> bool:
        """Whether it keeps the accounts of the workspace."""
        return Role.ADMIN in self.roles.get(EVERYWHERE, frozenset())

    @property
    def keeps_accounts(self) -> bool:
        """Whether it is an admin who may come in."""
        return self.is_admin and not self.disabled

    @property
    def principal(self) -> Principal:
        """Who asks, when it is this account."""
        return Principal(name=self.login, roles=self.roles)

    def change(self) -> Change:
        """What has to be written, so that the account is kept as it is; refused where somebody else was first."""
        body = {
            "name": self.name,
            "roles": {squad: sorted(roles) for squad, roles in self.roles.items()},
            "disabled": self.disabled,
            "subject": self.subject,
            "epoch": self.epoch,
        }
        return Change(kind=KIND, key=self.login, body=body, expect=self.version)


def list_accounts(records: RecordStore) -> Sequence[Account]:
    """Every account, by login."""
    return [_account(record) for record in records.find(KIND)]


def find_account(records: RecordStore, login: str) -> Account | None:
    """The account with that login; None where there is none."""
    record = records.get(KIND, login.lower()) if _LOGIN.fullmatch(login.lower()) else None
    return None if record is None else _account(record)


def read_account(records: RecordStore, login: str) -> Account:
    """The account with that login.

    Raises:
        NotFoundError: there is none.
    """
    found = find_account(records, login)
    if found is None:
        logins = [account.login for account in list_accounts(records)]
        raise NotFoundError.among("account", login, logins, "Add one with `shipworthy account add`.")
    return found


def new_account(records: RecordStore, login: str, *, name: str = "", roles: Roles, subject: str = "") -> Account:
    """An account that can be written.

    Raises:
        InvalidInputError: that can be no login, or the name is too long.
        AlreadyExistsError: the login is taken.
    """
    login = login.lower()
    if not _LOGIN.fullmatch(login) or login == SERVER:
        raise InvalidInputError(
            f"{login[:120]!r} can be no login. Use at most 100 small letters, digits and any of . _ @ + -, such as 'ann'."
        )
    if len(name) > _LONGEST_NAME or not (name or "-").isprintable():
        raise InvalidInputError(f"A name has at most {_LONGEST_NAME} letters, in one line.")
    if find_account(records, login) is not None:
        raise AlreadyExistsError(f"There is an account {login!r} already. `shipworthy account list` shows them all.")
    return Account(login=login, name=name, roles=roles, subject=subject)


def write_account(records: RecordStore, account: Account, *, by: str) -> Account:
    """Keeps an account as it is now.

    Raises:
        PreconditionError: somebody changed it meanwhile.
    """
    return _account(records.add(account.change(), by=by)[0])


def change_account(
    records: RecordStore,
    login: str,
    *,
    by: str,
    squads: Iterable[str],
    roles: Iterable[str] | None = None,
    disabled: bool | None = None,
) -> Account:
    """Gives somebody roles, lets them in no more or again, as an admin asks for it by whatever door; somebody stays admin.

    Args:
        records: Those of the workspace.
        login: Whose account.
        by: Who asks.
        squads: The squads there are.
        roles: The roles in place of those they had, as `read_roles` reads them; None leaves them.
        disabled: Whether they may not come in any more; None leaves that.

    Raises:
        InvalidInputError: there is no such role or squad, or the admin role is one's own or the last one.
        NotFoundError: there is no such account.
        PreconditionError: somebody changed it meanwhile.
    """
    account = read_account(records, login)
    is_disabled = account.disabled if disabled is None else disabled
    changed = replace(
        account,
        roles=account.roles if roles is None else read_roles(roles, squads),
        disabled=is_disabled,
        epoch=account.epoch + (is_disabled and not account.disabled),
    )
    if account.keeps_accounts and not changed.keeps_accounts:
        if account.login == by:
            raise InvalidInputError("Nobody gives up being an admin or shuts themselves out: ask another admin.")
        others = [one for one in list_accounts(records) if one.keeps_accounts and one.login != account.login]
        if not others:
            raise InvalidInputError(
                f"{account.login} is the last admin who may come in: nobody could keep the accounts. Make another one first."
            )
        stays = others[0].change()  # written as it is: of admins who shut one another out at once, one is told
        return _account(records.add(changed.change(), stays, by=by)[0])
    return write_account(records, changed, by=by)


def end_sessions(records: RecordStore, login: str, *, by: str) -> Account:
    """Ends every session of an account; its tokens go on.

    Raises:
        NotFoundError: there is no such account.
    """
    account = read_account(records, login)
    return write_account(records, replace(account, epoch=account.epoch + 1), by=by)


def _account(record: Record) -> Account:
    body: Any = record.body
    known = set(Role)
    return Account(
        login=record.key,
        name=body["name"],
        roles={
            squad: frozenset(Role(role) for role in roles if role in known) for squad, roles in body["roles"].items()
        },
        disabled=body["disabled"],
        subject=body["subject"],
        epoch=body["epoch"],
        version=record.version,
    )
