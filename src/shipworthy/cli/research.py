"""`shipworthy research`: replay champion and challenger over the history."""

from __future__ import annotations

from dataclasses import asdict

import click

from shipworthy.cli.show import as_json, progress, tell
from shipworthy.project import open_project
from shipworthy.research.research import research_idea


@click.command()
@click.argument("number", type=int)
@as_json
def research(number: int, json_: bool) -> None:
    """3. Research: lock what counts as success, then replay both policies over the snapshot."""
    project = open_project()
    with progress("replaying the challenger") as done:
        found = research_idea(project, number, done)
    tell(
        {
            "Replayed": f"{found.periods:,} periods by champion and challenger",
            "Computed": f"{found.fits} of {found.blocks} blocks; the others were known already",
            "Decided by": [
                f"{role}: {', '.join(f'{rung} {count:,}' for rung, count in rungs.items())}; "
                f"{found.seconds[role] * 1000:.1f} ms a decision"
                for role, rungs in found.falls.items()
            ],
            "Evidence": found.evidence,
            "Locked": found.criteria,
            "Next": f"shipworthy analyse {number}",
        },
        record=asdict(found) if json_ else None,
    )
