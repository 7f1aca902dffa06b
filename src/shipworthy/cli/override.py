"""`shipworthy override`: two people set a verdict aside, and it stands on record for ever."""

from __future__ import annotations

from typing import Any

import click

from shipworthy.analysis.decision import Decision
from shipworthy.analysis.override import Override, ask_override, overrides, second_override
from shipworthy.cli.show import as_json, tell
from shipworthy.ideas.register import find_idea
from shipworthy.project import open_project


@click.command()
@click.argument("number", type=int)
@click.option("--to", type=click.Choice(["ship", "stop"]), help="Ask: what shall be decided instead.")
@click.option("--why", default="", metavar="REASON", help="Why; it stands in the report for ever.")
@click.option("--second", is_flag=True, help="Agree, as another person, to what was asked last.")
@as_json
def override(number: int, to: str | None, why: str, second: bool, json_: bool) -> None:
    """Set the verdict of an idea aside: one person asks with --to and --why, another one agrees with --second.

    Alone, it tells every override that was ever asked for.
    """
    project = open_project()
    if second and (to or why):
        raise click.UsageError(
            "--second agrees to what was asked, and changes nothing of it: leave --to and --why out."
        )
    if why and not to:
        raise click.UsageError("Say with --to what shall be decided instead.")
    if to:
        ask_override(project, number, Decision(to), why)
    elif second:
        second_override(project, number)
    found = overrides(project, find_idea(project, number))
    tell(_facts(number, found), record={"overrides": [one.to_dict() for one in found]} if json_ else None)


def _facts(number: int, found: tuple[Override, ...]) -> dict[str, Any]:
    if not found:
        return {"Overrides": f"none: the verdict of idea {number} was never set aside"}
    last = found[-1]
    return {
        "Overrides": [one.sentence for one in found],
        "Next": _next(number, last),
    }


def _next(number: int, last: Override) -> str:
    if last.counts:
        return f"shipworthy {'ship' if last.to is Decision.SHIP else 'idea show'} {number}"
    if last.has_to_be_proved:
        return "sign in at the server, and go on there"
    return f"another person: shipworthy override {number} --second"
