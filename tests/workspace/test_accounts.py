"""Accounts, passwords and tokens, as they are kept, and as somebody types them."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import argon2
import click
import pytest

from shipworthy.cli.account import account as account_group
from shipworthy.errors import DeniedError, InvalidInputError, NotFoundError, PreconditionError
from shipworthy.store import Change
from shipworthy.workspace.account import (
    change_account,
    list_accounts,
    new_account,
    read_account,
    write_account,
)
from shipworthy.workspace.password import account_of, set_password
from shipworthy.workspace.role import MAY, Permission, Role, read_roles
from shipworthy.workspace.token import PREFIX, find_token, list_tokens, make_token, revoke_token, token_principal
from shipworthy.workspace.workspace import Workspace
from tests.cli.typed import Said, typed
from tests.server.town import PASSWORD, add_people, lay


@pytest.fixture
def town(tmp_path: Path):
    """Ann is an admin, ben an analyst of the squad food."""
    workspace = lay(tmp_path)
    add_people(workspace, {"ann": ["admin"], "ben": ["food:analyst"]})
    yield workspace
    workspace.records.close()


def _typed(folder: Path, monkeypatch: pytest.MonkeyPatch, *words: object, stdin: str = "") -> Said:
    monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
    return typed(folder, *words)


# Passwords


def test_a_password_is_kept_as_argon2_with_its_parameters(town: Workspace):
    """The hash is Argon2id, says what it was made with, and is made anew at a sign-in once we ask for more."""
    before = town.records.get("password", "ann").body["hash"]
    assert before.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    weaker = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    town.records.add(Change(kind="password", key="ann", body={"hash": weaker}), by="tester")
    assert account_of(town.records, "ann", "wrong") is None
    assert town.records.get("password", "ann").body["hash"] == weaker
    assert account_of(town.records, "ann", PASSWORD).login == "ann"
    assert town.records.get("password", "ann").body["hash"].startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert read_account(town.records, "ann").epoch == 0, "a better hash of the same password ends no session"


@pytest.mark.parametrize("weak", ["", "short", "a" * 11, "a" * 1001, "benbenbenben", "Ben ben ben ben"])
def test_a_weak_password_is_refused(town: Workspace, weak: str):
    """Too short, too long, or nothing but the login: nothing is changed."""
    with pytest.raises(InvalidInputError, match="several words"):
        set_password(town.records, "ben", weak, by="ben")
    assert len(town.records.history("password", "ben")) == 1


def test_a_hash_that_is_none_lets_nobody_in(town: Workspace):
    """A record that somebody spoiled is a wrong password, not a crash."""
    town.records.add(Change(kind="password", key="ann", body={"hash": "$argon2id$nothing"}), by="tester")
    assert account_of(town.records, "ann", PASSWORD) is None


# Accounts


@pytest.mark.parametrize(
    "login", ["", "ann smith", "ann\n", "-ann", "a" * 101, "änn", "ann/../ben", "a:b", "*", "server"]
)
def test_what_can_be_no_login_is_refused(town: Workspace, login: str):
    """Logins are plain: they stand in records, in pages and in file names."""
    with pytest.raises(InvalidInputError, match="can be no login"):
        new_account(town.records, login, roles={})


def test_of_two_who_change_an_account_at_once_one_is_told(town: Workspace):
    """An account that moved meanwhile is not overwritten."""
    seen = read_account(town.records, "ben")
    change_account(town.records, "ben", by="ann", squads=town.squads, roles=["food:ml-engineer"])
    with pytest.raises(PreconditionError):
        write_account(town.records, seen, by="ann")


def test_every_permission_is_somebodys_and_stakeholders_read():
    """Each permission has a role; a stakeholder may read and nothing else, and only an admin keeps accounts."""
    assert set(MAY) == set(Permission)
    assert [permission for permission in Permission if Role.STAKEHOLDER in MAY[permission]] == [Permission.READ]
    assert MAY[Permission.ADMINISTER] == {Role.ADMIN}
    assert [permission for permission in Permission if Role.ADMIN in MAY[permission]] == [
        Permission.READ,
        Permission.ADMINISTER,
    ]


def test_an_admin_of_one_squad_is_no_admin(town: Workspace):
    """Who was written down as an admin of a squad keeps no accounts, not even that squad's; nobody writes it so."""
    with pytest.raises(InvalidInputError, match=r"\*:admin"):
        read_roles(["food:admin"])
    odd = replace(read_account(town.records, "ben"), roles={"food": frozenset({Role.ADMIN})})
    write_account(town.records, odd, by="ann")
    ben = read_account(town.records, "ben")
    assert not ben.is_admin
    assert not any(ben.principal.may(one, squad) for one in Permission for squad in ("", "food", "energy"))


def test_an_admins_token_for_a_squad_reads_there(town: Workspace):
    """Bound to a squad it keeps no accounts any more; without a squad it does, where its scope says so."""
    both = [Permission.READ, Permission.ADMINISTER]

    def asks(*squads: str):
        made = make_token(town.records, "ann", "t", permissions=both, squads=squads, life=timedelta(days=1), by="ann")[
            1
        ]
        return token_principal(town.records, made)

    assert [(asks("food").may(one, "food"), asks("food").may(one, "")) for one in both] == [
        (True, False),
        (False, False),
    ]
    assert all(asks().may(one, squad) for one in both for squad in ("", "food"))


# Tokens


def test_a_token_never_may_more_than_its_account(town: Workspace):
    """Every scope, held against every role: both have to allow it, in the token's squads alone, as they are now."""
    records = town.records
    for role in (Role.ANALYST, Role.SOFTWARE_ENGINEER, Role.STAKEHOLDER):
        change_account(records, "ben", by="ann", squads=town.squads, roles=[f"food:{role}"])
        account = read_account(records, "ben").principal
        for permission in (Permission.READ, Permission.SHIP, Permission.ADMINISTER, Permission.RESEARCH):
            value, _ = make_token(
                records, "ben", "t", permissions=[permission], squads=["food"], life=timedelta(days=1), by="ben"
            )
            asks = token_principal(records, find_token(records, value))
            assert [one for one in Permission if asks.may(one, "food")] == (
                [permission] if account.may(permission, "food") else []
            )
            assert not any(asks.may(one, "energy") for one in Permission)
    with pytest.raises(DeniedError):
        asks.require(Permission.SHIP, "food")


def test_a_token_is_shown_once(town: Workspace):
    """Its text has a prefix that scanners find; what is kept names it by the beginning of its hash."""
    value, made = make_token(
        town.records, "ben", "nightly", permissions=[Permission.READ], life=timedelta(days=1), by="ben"
    )
    assert value.startswith(PREFIX)
    assert len(value) == len(PREFIX) + 43
    assert [one.id for one in list_tokens(town.records)] == [made.id]
    assert value[3:] not in str(town.records.find("token"))
    assert revoke_token(town.records, made.id[:8], by="ann").standing == "revoked"
    with pytest.raises(NotFoundError):
        revoke_token(town.records, "", by="ann")


@pytest.mark.parametrize(
    "wrong",
    [
        {"permissions": []},
        {"life": timedelta()},
        {"life": timedelta(days=367)},
        {"name": ""},
        {"name": "a\nb"},
    ],
)
def test_a_token_that_is_good_for_nothing_or_for_ever_is_refused(town: Workspace, wrong):
    """A token has a permission, an end and a name."""
    asked = {"name": "t", "permissions": [Permission.READ], "life": timedelta(days=1), **wrong}
    with pytest.raises(InvalidInputError):
        make_token(town.records, "ben", asked.pop("name"), by="ben", **asked)


# As somebody types them


def test_the_first_account_is_an_admin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Typed on the machine, with the password on stdin: the first account keeps the others, the next one does not."""
    lay(tmp_path)
    first = _typed(tmp_path, monkeypatch, "account", "add", "ann", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert (first.code, "ann: *:admin" in first.out, "has to sign in" in first.out) == (0, True, True)
    words = ("account", "add", "ben", "--name", "Ben", "--role", "food:product-manager", "--no-password")
    assert "ben: food:product manager" in _typed(tmp_path, monkeypatch, *words).out
    listed = _typed(tmp_path, monkeypatch, "account", "list", "--json").json
    assert [(one["login"], one["roles"]) for one in listed] == [
        ("ann", ["*:admin"]),
        ("ben", ["food:product manager"]),
    ]


def test_somebody_stays_admin(town: Workspace, monkeypatch: pytest.MonkeyPatch):
    """Nobody gives their own admin role up, nobody takes the last one away, and an unknown squad gets no role."""
    admins = {one.login for one in list_accounts(town.records) if one.keeps_accounts}
    first = next(iter(admins))
    for other in admins - {first}:
        change_account(town.records, other, by=first, squads=town.squads, disabled=True)
    changes: list[dict[str, Any]] = [{"roles": ["food:analyst"]}, {"roles": []}, {"disabled": True}]
    for change in changes:
        with pytest.raises(InvalidInputError, match="ask another admin"):
            change_account(town.records, first, by=first, squads=town.squads, **change)
        with pytest.raises(InvalidInputError, match="last admin"):
            change_account(town.records, first, by="tester", squads=town.squads, **change)
    assert _typed(town.root, monkeypatch, "account", "disable", first).code == 2
    assert _typed(town.root, monkeypatch, "account", "roles", first).code == 2
    with pytest.raises(InvalidInputError, match="No squad 'sea'"):
        change_account(town.records, "ben", by=first, squads=town.squads, roles=["sea:analyst"])
    assert read_account(town.records, first).keeps_accounts


def test_a_password_is_never_a_word_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """No option takes one, and without a terminal it is asked for on stdin by name."""
    lay(tmp_path)
    refused = _typed(tmp_path, monkeypatch, "account", "add", "ann", stdin=f"{PASSWORD}\n")
    assert (refused.code, "--password-stdin" in refused.err) == (2, True)
    for name in account_group.list_commands(click.Context(account_group)):
        for parameter in account_group.commands[name].params:
            if "password" in str(parameter.name):
                assert getattr(parameter, "is_flag", False), f"account {name} {parameter.name}"
    assert _typed(tmp_path, monkeypatch, "account", "add", "ann", "--password-stdin", stdin="short\n").code == 2
    assert _typed(tmp_path, monkeypatch, "account", "list").out.startswith("No account yet")


def test_accounts_and_tokens_are_kept_by_typing(town: Workspace, monkeypatch: pytest.MonkeyPatch):
    """Roles, disabling, a new password, a token and its end, each one command; what is unknown is told with what there is."""
    folder = town.root

    def says(*words: object, stdin: str = "") -> Said:
        return _typed(folder, monkeypatch, *words, stdin=stdin)

    assert (
        "ben has: energy:analyst, food:analyst."
        in says("account", "roles", "ben", "food:analyst", "energy:analyst").out
    )
    assert says("account", "roles", "ben", "sea:analyst").err.startswith("Invalid input: No squad 'sea'")
    assert says("account", "roles", "ben", "food:cook").code == 2
    assert says("account", "disable", "zoe").code == 3
    assert says("account", "disable", "ben").code == 0
    assert says("account", "list", "--json").json[1]["standing"] == "disabled"
    assert says("account", "disable", "ben", "--undo").code == 0
    assert says("account", "password", "ben", "--password-stdin", stdin="another horse battery\r\n").code == 0
    assert account_of(town.records, "ben", "another horse battery").epoch == 2
    made = says(
        "token", "make", "ben", "nightly", "--may", "read", "--may", "roll-back", "--squad", "food", "--days", "7"
    )
    assert find_token(town.records, made.out.strip()).permissions == {Permission.READ, Permission.ROLL_BACK}
    assert says("token", "make", "ben", "x", "--squad", "sea").code == 2
    (listed,) = says("token", "list", "ben", "--json").json
    assert (listed["name"], listed["may"], listed["squads"]) == ("nightly", "read, roll back", "food")
    assert says("token", "revoke", listed["id"]).code == 0
    assert says("token", "revoke", "zz").code == 3
    assert says("token", "list", "ben", "--json").json[0]["standing"] == "revoked"


def test_the_documented_table_is_the_one_that_is_asked():
    """docs/roles.md says of every role and permission what `MAY` says."""
    page = (Path(__file__).parents[2] / "docs" / "roles.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in page.splitlines() if line[:1] == "|"]
    head, *below = rows[: len(Permission) + 2]
    said = {
        Permission(row[0]): {Role(role) for role, cell in zip(head[1:], row[1:], strict=True) if cell}
        for row in below[1:]
    }
    assert said == MAY
