"""`shipworthy store`: where records and objects lie, and what can be done with them as a whole."""

from __future__ import annotations

import click

from shipworthy.cli.move import move


@click.group()
def store() -> None:
    """Records and objects as a whole: move them elsewhere."""


store.add_command(move)
