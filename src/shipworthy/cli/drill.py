"""`shipworthy drill`: how long it takes from harm to the old champion's answers."""

from __future__ import annotations

from dataclasses import asdict

import click

from shipworthy.cli.show import as_json, tell
from shipworthy.project import open_project
from shipworthy.project.code import only_problem
from shipworthy.ship.drill import run_drill


@click.command()
@click.argument("problem", required=False)
@as_json
def drill(problem: str | None, json_: bool) -> None:
    """Plant harm in a scratch copy of PROBLEM's rollout, behind a real service, and time its rollback."""
    project = open_project()
    found = run_drill(project, problem or only_problem(project))
    facts = {
        "Planted": f"{found.lost:,.2f} less a period, for release {found.harmed}",
        "Found": f"after {found.periods} periods, by {found.trigger}",
        "Moved": f"{found.found_seconds:.2f} s after their last outcome was acknowledged",
        "Answered": f"by {found.back} again {found.answered_seconds:.2f} s after that",
    }
    tell(facts, record=asdict(found) if json_ else None)
