"""`shipworthy` alone: where each idea of this folder stands, and the next command to type."""

from __future__ import annotations

from typing import Any

import click

from shipworthy.cli.show import as_json, narrowed, show
from shipworthy.errors import NotFoundError
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.register import list_ideas
from shipworthy.project import Project, open_project
from shipworthy.ship.standing import standing

_WELCOME = """\
shipworthy: is this idea worth shipping? Prove it, ship it, and count what it earned.

This folder has no project yet. Two ways to begin:

  shipworthy demo    watch three ideas about a real restaurant walk from a sentence to money
  shipworthy init    lay a small working problem here, to change into your own

shipworthy --help lists every verb."""


@click.command()
@as_json
def status(json_: bool = False) -> None:
    """Show where each idea of this folder stands, and the next command to type."""
    try:
        project = open_project()
    except NotFoundError:
        click.echo("[]" if json_ else _WELCOME)
        return
    rows = [row_of(project, idea) for idea in list_ideas(project)]
    show(
        rows if json_ or not rows else narrowed(rows),
        json_=json_,
        title=project.root.name,
        empty='No idea yet. Begin one: shipworthy idea new "What do we believe?"',
    )


def row_of(project: Project, idea: Idea) -> dict[str, Any]:
    """One idea as a row: where it stands and what comes next."""
    stands = standing(project, idea)
    return {
        "idea": idea.number,
        "title": idea.title,
        "stage": str(stands.stage),
        "stands": stands.says,
        "next": stands.next or f"shipworthy idea show {idea.number}",
    }
