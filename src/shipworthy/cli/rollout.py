"""`shipworthy rollout`: how far a rollout has come, what its live periods say, and what its next step misses."""

from __future__ import annotations

from typing import Any

import click

from shipworthy.cli.ship import conduct
from shipworthy.cli.show import as_json, tell
from shipworthy.project import open_project
from shipworthy.project.code import only_problem
from shipworthy.ship.course import Course, read_course
from shipworthy.ship.rollout import Phase


@click.command()
@click.argument("problem", required=False)
@as_json
def rollout(problem: str | None, json_: bool) -> None:
    """Tell how far the rollout of PROBLEM has come, what its live periods say, and what its next step misses.

    It only reads: nothing is moved.
    """
    project = open_project()
    found = read_course(project, problem or only_problem(project))
    tell(_facts(found), record=found.to_dict() if json_ else None)


def _facts(found: Course) -> dict[str, Any]:
    serves, reading = found.rollout, found.reading
    by_name = [
        f"{margin.name}: {verdict.decision}, {verdict.mean:.4g} ({verdict.low:.4g} to {verdict.high:.4g})"
        for margin, verdict in (reading.guardrails if reading else ())
    ]
    return {
        "Now": f"{serves.phase}" + (f", idea {int(serves.idea)}" if serves.idea else ""),
        "Steps": ", ".join(_step(phase, share) for phase, share in found.steps) or None,
        "Live periods": f"{reading.periods} through {reading.last}: {reading.sentence}"
        if reading
        else "none known yet",
        "Guardrails": by_name or None,
        "Conduct": conduct(reading) if reading else None,
        "Next": f"{found.following}: {'open' if not found.gaps else 'closed'}" if found.following else None,
        "Missing": [f"{gap.what} {gap.remedy}" for gap in found.gaps] or None,
    }


def _step(phase: Phase, share: float) -> str:
    return f"{phase} at {share:.0%}" if phase is Phase.CANARY else str(phase)
