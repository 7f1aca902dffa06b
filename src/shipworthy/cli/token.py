"""`shipworthy token`: what programs sign in with."""

from __future__ import annotations

from datetime import timedelta

import click

from shipworthy.cli.show import as_json, show, tell
from shipworthy.project.project import user_of_the_machine
from shipworthy.workspace.role import Permission
from shipworthy.workspace.token import LONGEST, list_tokens, make_token, revoke_token
from shipworthy.workspace.workspace import open_workspace

_PERMISSIONS = [permission.replace(" ", "-") for permission in Permission]


@click.group()
def token() -> None:
    """Tokens: what programs sign in with."""


@token.command()
@click.argument("login")
@click.argument("name")
@click.option(
    "--may",
    multiple=True,
    type=click.Choice(_PERMISSIONS),
    default=["read"],
    show_default=True,
    help="What it is good for; again for another. It never may do more than its account.",
)
@click.option(
    "--squad", "squads", multiple=True, help="The squad that it is good for; again for another.  [default: all]"
)
@click.option("--days", type=click.IntRange(1, LONGEST.days), default=90, show_default=True, help="How long it lasts.")
@as_json
def make(login: str, name: str, may: tuple[str, ...], squads: tuple[str, ...], days: int, json_: bool) -> None:
    """Make a token for LOGIN; NAME says what it is for. It is shown this once."""
    workspace = open_workspace()
    value, made = make_token(
        workspace.records,
        login,
        name,
        permissions=[Permission(word.replace("-", " ")) for word in may],
        squads=squads,
        known=workspace.squads,
        life=timedelta(days=days),
        by=user_of_the_machine(),
    )
    if json_:
        tell({}, record={"token": value, "id": made.id, "until": made.until.isoformat()})
        return
    click.echo(value)
    click.echo(f"That is the token {made.id}, good until {made.until:%Y-%m-%d}. It is not shown again.", err=True)


@token.command(name="list")
@click.argument("login", required=False)
@as_json
def list_(login: str | None, json_: bool) -> None:
    """Show every token, or those of LOGIN; the tokens themselves are nowhere."""
    rows = [
        {
            "id": one.id,
            "login": one.login,
            "name": one.name,
            "may": ", ".join(sorted(one.permissions)),
            "squads": ", ".join(one.squads) or "all",
            "until": f"{one.until:%Y-%m-%d %H:%M}",
            "standing": one.standing,
        }
        for one in list_tokens(open_workspace().records, login)
    ]
    show(rows, json_=json_, title="Tokens", empty="No token yet. Make one with `shipworthy token make LOGIN NAME`.")


@token.command()
@click.argument("token_id", metavar="ID")
def revoke(token_id: str) -> None:
    """Take the token with that ID back; it counts no more from the next request on."""
    gone = revoke_token(open_workspace().records, token_id, by=user_of_the_machine())
    click.echo(f"The token {gone.id} ({gone.name}, of {gone.login}) is revoked.")
