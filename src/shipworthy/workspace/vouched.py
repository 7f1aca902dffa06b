"""The account of somebody for whom a provider of OpenID Connect vouches, kept as its claims say at every sign-in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shipworthy.errors import SignInError
from shipworthy.store import RecordStore
from shipworthy.workspace.account import Account, find_account, list_accounts, new_account, write_account
from shipworthy.workspace.password import has_password
from shipworthy.workspace.role import Role, Roles
from shipworthy.workspace.settings import Oidc

_ASK = "Ask an admin of this workspace."


def vouched_account(records: RecordStore, oidc: Oidc, claims: Mapping[str, Any]) -> Account:
    """The account that checked claims are about; made at the first sign-in, its roles as the claims have them now.

    Raises:
        SignInError: they may not come in: of another domain, without a role, disabled, or the login is somebody else's.
    """
    login, subject = _login(oidc, claims), f"{oidc.issuer} {claims['sub']}"
    known = next((account for account in list_accounts(records) if account.subject == subject), None)
    account = known or _taken(records, login, subject)
    roles = _roles(oidc, claims)
    if account is None:
        if roles is not None and not roles:
            raise _without_role(login)
        account = new_account(records, login, name=_name(claims), roles=roles or {}, subject=subject)
        account = write_account(records, account, by=login)
    kept = account.roles if roles is None else roles
    if (kept, subject) != (account.roles, account.subject):
        account = write_account(records, replace(account, roles=kept, subject=subject), by=account.login)
    if account.disabled:
        raise SignInError(f"The account {account.login!r} is disabled. {_ASK}")
    if not account.roles:
        raise _without_role(account.login)
    return account


def _login(oidc: Oidc, claims: Mapping[str, Any]) -> str:
    said, email = claims.get(oidc.login), claims.get("email")
    if not isinstance(said, str) or not said:
        raise SignInError(f"The provider tells no {oidc.login!r} of you, which an account is named after. {_ASK}")
    rests_on_email = oidc.login == "email" or oidc.domains
    if rests_on_email and not (
        claims.get("email_verified") is True or (oidc.trust_email and "email_verified" not in claims)
    ):
        raise SignInError(f"The provider does not say that it verified your address. {_ASK}")
    domain = email.lower().rpartition("@")[2] if isinstance(email, str) else ""
    if oidc.domains and domain not in oidc.domains:
        raise SignInError(f"Only {', '.join(oidc.domains)} may sign in here. {_ASK}")
    return said.lower()


def _taken(records: RecordStore, login: str, subject: str) -> Account | None:
    """The account that an admin prepared under that login; one with a password, or of somebody else, is never taken over."""
    account = find_account(records, login)
    if account is not None and (account.subject not in ("", subject) or has_password(records, login)):
        raise SignInError(f"There is an account {login!r} already, which this sign-in does not belong to. {_ASK}")
    return account


def _roles(oidc: Oidc, claims: Mapping[str, Any]) -> Roles | None:
    """The roles that somebody's groups have; None where an admin gives them."""
    if not oidc.roles:
        return None
    groups = claims.get(oidc.groups)
    found: dict[str, frozenset[Role]] = {}
    for group in groups if isinstance(groups, list) else []:
        for squad, roles in oidc.roles.get(group, {}).items() if isinstance(group, str) else ():
            found[squad] = found.get(squad, frozenset()) | roles
    return found


def _name(claims: Mapping[str, Any]) -> str:
    name = claims.get("name")
    return "".join(letter for letter in name if letter.isprintable())[:100] if isinstance(name, str) else ""


def _without_role(login: str) -> SignInError:
    return SignInError(f"The account {login!r} has no role here. {_ASK}")
