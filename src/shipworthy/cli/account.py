"""`shipworthy account`: who may sign in to this workspace, and what they are in which squad."""

from __future__ import annotations

import sys
from typing import Any

import click

from shipworthy.cli.show import as_json, show
from shipworthy.errors import InvalidInputError
from shipworthy.project.project import user_of_the_machine
from shipworthy.workspace.account import (
    Account,
    change_account,
    list_accounts,
    read_account,
)
from shipworthy.workspace.password import add_account, set_password
from shipworthy.workspace.role import roles_as_texts
from shipworthy.workspace.workspace import open_workspace

_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from stdin, its first line.")
_roles = click.option(
    "--role",
    "roles",
    multiple=True,
    metavar="[SQUAD:]ROLE",
    help="A role in a squad, or without one in every squad; again for another.",
)


@click.group()
def account() -> None:
    """Accounts: who may sign in to this workspace, and what they are in which squad."""


@account.command()
@click.argument("login")
@click.option("--name", default="", help="How people call them.")
@_roles
@click.option("--no-password", is_flag=True, help="For somebody for whom the provider in [sign_in.oidc] will vouch.")
@_stdin
def add(login: str, name: str, roles: tuple[str, ...], no_password: bool, password_stdin: bool) -> None:
    """Add an account; the first one is an admin too, since somebody has to keep the others."""
    workspace = open_workspace()
    is_first = not list_accounts(workspace.records)
    made = add_account(
        workspace.records,
        login,
        by=user_of_the_machine(),
        squads=workspace.squads,
        name=name,
        roles=roles,
        password=None if no_password else _password(from_stdin=password_stdin),
        on_the_machine=True,
    )
    click.echo(f"Added the account {made.login}: {_told(made)}.")
    if is_first:
        click.echo("It is the first one, so it is an admin. From now on whoever opens the board has to sign in.")


@account.command(name="list")
@as_json
def list_(json_: bool) -> None:
    """Show every account."""
    rows = [
        {
            "login": one.login,
            "name": one.name,
            "roles": roles_as_texts(one.roles) if json_ else ", ".join(roles_as_texts(one.roles)),
            "vouched": one.subject.partition(" ")[0] or None,
            "standing": "disabled" if one.disabled else "good",
        }
        for one in list_accounts(open_workspace().records)
    ]
    show(rows, json_=json_, title="Accounts", empty="No account yet. Add one with `shipworthy account add LOGIN`.")


@account.command()
@click.argument("login")
@click.argument("roles", nargs=-1, metavar="[[SQUAD:]ROLE]...")
def roles(login: str, roles: tuple[str, ...]) -> None:
    """Give an account these roles, in place of those it had; without any, it has none."""
    changed = _changed(login, roles=roles)
    click.echo(f"The account {changed.login} has: {_told(changed)}.")


@account.command(name="disable")
@click.argument("login")
@click.option("--undo", is_flag=True, help="Let it in again.")
def disable_(login: str, undo: bool) -> None:
    """Let an account in no more: its sessions end at once, and its tokens do not count."""
    changed = _changed(login, disabled=not undo)
    click.echo(
        f"The account {changed.login} may sign in again." if undo else f"The account {changed.login} is disabled."
    )


@account.command()
@click.argument("login")
@_stdin
def password(login: str, password_stdin: bool) -> None:
    """Give an account another password, which ends all of its sessions."""
    records = open_workspace().records
    known = read_account(records, login)
    set_password(records, known.login, _password(from_stdin=password_stdin), by=user_of_the_machine())
    click.echo(f"The password of {known.login} is set, and every session of it is over.")


def _password(*, from_stdin: bool) -> str:
    """What is typed twice, unseen, or the first line of stdin; never a word of the command, which others could read."""
    if from_stdin:
        return sys.stdin.readline(4096).rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InvalidInputError("There is no terminal to type a password on. Hand it over with --password-stdin.")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True))


def _changed(login: str, **change: Any) -> Account:
    workspace = open_workspace()
    return change_account(workspace.records, login, by=user_of_the_machine(), squads=workspace.squads, **change)


def _told(one: Account) -> str:
    return ", ".join(roles_as_texts(one.roles)) or "no role yet"
