"""`shipworthy refit`: what serves learns again from newer rows."""

from __future__ import annotations

from dataclasses import asdict

import click

from shipworthy.cli.show import as_json, tell
from shipworthy.project import open_project
from shipworthy.ship.refit import refit as refit_problem


@click.command()
@click.argument("problem")
@click.option("--if-due", is_flag=True, help="Fit only what its policy's refit says is due; ask it every day.")
@as_json
def refit(problem: str, if_due: bool, json_: bool) -> None:
    """Fit what serves PROBLEM again, on rows read now, and move to the new releases; the phase stays."""
    done = refit_problem(open_project(), problem, if_due=if_due)
    facts = {
        "Now": f"{done.rollout.phase}" + (f", idea {int(done.rollout.idea)}" if done.rollout.idea else ""),
        "Champion": done.rollout.champion,
        "Challenger": done.rollout.challenger,
        "Fitted": [f"{new}, before {old}" for old, new in done.made.items()]
        or "nothing: there are no newer rows, or nothing is due",
        "Rows": f"through {done.through}" + (f", {done.quarantined:,} set apart" if done.quarantined else ""),
        "Parity": [f"{one.equal + one.tied} of {one.periods} golden periods" for one in done.parity.values()] or None,
    }
    tell(facts, record=asdict(done) if json_ else None)
