"""`shipworthy sign`: stand behind what a gate is about, in a role."""

from __future__ import annotations

import click

from shipworthy.cli.show import as_json, tell
from shipworthy.ideas.register import find_idea
from shipworthy.ideas.signoff import Gate, signoffs
from shipworthy.project import open_project
from shipworthy.project.role import SQUAD
from shipworthy.ship.signing import sign as sign_idea
from shipworthy.ship.signing import withdraw_signoff
from shipworthy.ship.standing import standing


@click.command()
@click.argument("number", type=int)
@click.option("--for", "gate", type=click.Choice([str(gate) for gate in Gate]), required=True, help="The gate.")
@click.option("--as", "role", type=click.Choice(sorted(map(str, SQUAD))), required=True, help="In which role.")
@click.option("--withdraw", is_flag=True, help="Take back what you signed.")
@as_json
def sign(number: int, gate: str, role: str, withdraw: bool, json_: bool) -> None:
    """Sign what a gate of idea NUMBER is about: what counts as success, the verdict, or that it goes live.

    A sign-off is void once what was signed changes; `idea show` tells who has to sign again.
    """
    project = open_project()
    if withdraw:
        withdraw_signoff(project, number, gate, role)
    else:
        sign_idea(project, number, gate, role)
    idea = find_idea(project, number)
    found = signoffs(project, idea)
    stands = standing(project, idea)
    facts = {
        "Signed": [one.sentence for one in found] or "by nobody",
        "Misses": [str(gap) for gap in stands.gaps] or None,
        "Next": stands.next,
    }
    tell(facts, record={"signoffs": [one.to_dict() for one in found]} if json_ else None)
