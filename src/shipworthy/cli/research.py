"""`shipworthy research`: replay champion and challenger over the history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click

from shipworthy.cli.show import as_json, progress, tell
from shipworthy.project import open_project
from shipworthy.research.research import research_idea


@click.command()
@click.argument("number", type=int)
@click.option("--regret/--no-regret", default=True, help="Hold both against perfect foresight.", show_default=True)
@as_json
def research(number: int, regret: bool, json_: bool) -> None:
    """3. Research: lock what counts as success, then replay both policies over the snapshot."""
    project = open_project()
    with progress("replaying the challenger") as done:
        found = research_idea(project, number, done, with_regret=regret)
    tell(
        {
            "Replayed": f"{found.periods:,} periods by champion and challenger",
            "Computed": f"{found.fits} of {found.blocks} blocks; the others were known already",
            "Decided by": [
                f"{role}: {', '.join(f'{rung} {count:,}' for rung, count in rungs.items())}; "
                f"{found.seconds[role] * 1000:.1f} ms a decision"
                for role, rungs in found.falls.items()
            ],
            "Regret": [_regret(role, one) for role, one in found.regret.items()] if found.regret else None,
            "Evidence": found.evidence,
            "Locked": found.criteria,
            "Next": f"shipworthy analyse {number}",
        },
        record=asdict(found) if json_ else None,
    )


def _regret(role: str, one: Mapping[str, Any]) -> str:
    """A policy's regret in a line: the whole, its share of what there was to earn, and what it was lost to."""
    share = f", {one['share']:.1%} of what perfect foresight earned" if one["share"] is not None else ""
    causes = [
        f"{cause} {one[cause] / one['periods']:,.2f}"
        for cause in ("prediction", "optimisation", "infeasibility")
        if one[cause]
    ]
    return f"{role}: {one['per_period']:,.2f} a period{share}" + (f": {', '.join(causes)}" if causes else "")
