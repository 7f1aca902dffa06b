"""`shipworthy history`: what served when, who moved it and on what evidence."""

from __future__ import annotations

from typing import Any

import click

from shipworthy.cli.instant import instant
from shipworthy.cli.show import as_json, show
from shipworthy.errors import NotFoundError
from shipworthy.project import open_project
from shipworthy.ship.rollout import Rollout, read_rollout, rollout_history


@click.command()
@click.argument("problem", required=False)
@click.option(
    "--at",
    "at_",
    metavar="INSTANT",
    help="What served at this instant, such as 2026-03-01T12:00 (UTC unless it says otherwise).",
)
@as_json
def history(problem: str | None, at_: str | None, json_: bool) -> None:
    """Tell what served when, who moved it and on what evidence."""
    project = open_project()
    known = [record.key for record in project.records.find("rollout")]
    if problem is not None and problem not in known:
        raise NotFoundError.among("rollout of problem", problem, known, "Ship an idea of it: `shipworthy ship IDEA`.")
    problems = [problem] if problem else known
    if at_ is None:
        moves = [move for name in problems for move in rollout_history(project, name)]
    else:
        asked = instant(at_)
        moves = [move for name in problems if (move := read_rollout(project, name, at=asked)) is not None]
    show(
        [_row(move) | (_more(move) if json_ else {}) for move in moves],
        json_=json_,
        empty="Nothing served" + (" then." if at_ else " yet."),
    )


def _row(move: Rollout) -> dict[str, str | int | None]:
    return {
        "problem": move.problem,
        "move": move.version,
        "since": f"{move.at:%Y-%m-%d %H:%M:%S}",
        "phase": str(move.phase),
        "idea": int(move.idea) if move.idea else None,
        "champion": move.champion,
        "challenger": move.challenger,
        "by": move.by,
        "why": move.why,
    }


def _more(move: Rollout) -> dict[str, Any]:
    """What programs get besides: who answers how much, what moved it, on which numbers, and a switchback's whole plan."""
    plan = move.plan
    published = None if plan is None else {**plan.to_dict(), "digest": plan.digest, "blocks": plan.blocks().to_dicts()}
    return {
        "share": move.share,
        "draw": str(move.draw),
        "automatic": move.trigger is not None,
        "trigger": move.trigger,
        "evidence": move.evidence,
        "plan": published,
    }
