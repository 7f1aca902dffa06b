"""`shipworthy backlog`: what is worth doing next."""

from __future__ import annotations

from typing import Any

import click

from shipworthy.cli.here import ledger_lines, projects_here
from shipworthy.cli.show import as_json, money, narrowed, show, tell
from shipworthy.programme.backlog import Line
from shipworthy.programme.backlog import backlog as found_by
from shipworthy.programme.facts import Facts


@click.command()
@click.option("--why", is_flag=True, help="Tell of each idea why it stands where it stands.")
@as_json
def backlog(why: bool, json_: bool) -> None:
    """Rank the ideas that are not over by expected value over cost, with the squad's own base rates."""
    projects = projects_here()
    lines = found_by([Facts(project) for project in projects], ledger=ledger_lines(projects))
    if json_ or not lines:
        show([line.to_dict() for line in lines], json_=json_, empty="No idea waits.")
        return
    several = len(projects) > 1
    show(narrowed([_row(line, several) for line in lines]), json_=False, title="Expected value over cost")
    if why:
        for line in lines:
            click.echo()
            tell({f"Idea {line.idea}": list(line.why)})


def _row(line: Line, several: bool) -> dict[str, Any]:
    found = line.worth
    worth = (
        {"ships": "", "value": "unknown", "from": "", "to": "", "cost": "", "ratio": ""}
        if found is None
        else {
            "ships": f"{found.to_ship:.0%}",
            "value": money(found.value, line.currency),
            "from": money(found.low, ""),
            "to": money(found.high, ""),
            "cost": found.cost_says(line.currency),
            "ratio": found.ratio_says(line.currency),
        }
    )
    about = {"project": line.project} if several else {}
    return {
        **about,
        "idea": line.idea,
        "title": line.title or "(no title yet)",
        "stage": line.stage,
        "stands": line.says,
        **worth,
    }
