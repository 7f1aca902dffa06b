"""`shipworthy keys`: who signs releases, and whom this project trusts."""

from __future__ import annotations

from pathlib import Path

import click

from shipworthy.cli.show import as_json, show
from shipworthy.project import open_project
from shipworthy.ship.keys import make_key, public_keys, revoke_key, trust_key


@click.group()
def keys() -> None:
    """Keys: who signs releases, and whom this project trusts."""


@keys.command()
@click.option("--name", help="The name of its file in keys/; your own name where it is left out.")
def new(name: str | None) -> None:
    """Make this workspace's pair of keys."""
    key = make_key(open_project(), name)
    click.echo(f"Made the key {key.id}. Have keys/{key.name}.pub reviewed: whoever has it, opens what you sign.")


@keys.command(name="show")
@as_json
def show_(json_: bool) -> None:
    """Show every key of the repository."""
    rows = [
        {"name": key.name, "key": key.id, "standing": "revoked" if key.is_revoked else "trusted"}
        for key in public_keys(open_project())
    ]
    show(rows, json_=json_, title="Keys", empty="No key yet. The first `shipworthy ship` makes one.")


@keys.command()
@click.argument("file", type=click.Path(path_type=Path))
def trust(file: Path) -> None:
    """Trust the public key of FILE from now on."""
    key = trust_key(open_project(), file)
    click.echo(f"The key {key.id} of {key.name} is trusted. Commit keys/{key.name}.pub.")


@keys.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Refuse from now on what the key of NAME signed."""
    key = revoke_key(open_project(), name)
    click.echo(f"The key {key.id} of {key.name} is revoked. Commit keys/{key.name}.revoked.")
