"""`shipworthy research`: replay champion and challenger over the history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click
from click.core import ParameterSource

from shipworthy.cli.show import as_json, money, progress, tell
from shipworthy.cli.tracking import track_research
from shipworthy.errors import GateClosedError
from shipworthy.project import open_project
from shipworthy.research.exploration import Exploration, explore_idea
from shipworthy.research.research import Research, research_idea
from shipworthy.research.verification import verify_idea


@click.command()
@click.argument("number", type=int)
@click.option(
    "--repetitions",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Replay both policies under this many seeds, and tell the solvers' chance from the effect of the idea.",
)
@click.option("--regret/--no-regret", default=True, help="Hold both against perfect foresight.", show_default=True)
@click.option("--from", "first", metavar="PERIOD", help="Explore only: the first period.")
@click.option("--to", "last", metavar="PERIOD", help="Explore only: the last period, included.")
@click.option("--development", is_flag=True, help="Explore only: all that is open, without the holdout.")
@click.option("--explain", is_flag=True, help="Say why something was computed again.")
@click.option("--verify", is_flag=True, help="Compute it all again, and compare with what is stored.")
@as_json
def research(number: int, **asked: Any) -> int:
    """3. Research: lock what counts as success, then replay both policies over the snapshot.

    Exploring shows what a stretch of open periods earned. It locks nothing, leaves no record and is no verdict.
    """
    source = click.get_current_context().get_parameter_source
    given = {name for name in asked if source(name) is not ParameterSource.DEFAULT}
    exploring = given & {"first", "last", "development"}
    for kind, options in (("exploring", exploring), ("--verify", given & {"verify"})):
        if options and given - options - {"json_"}:
            others = ", ".join(sorted(f"--{name}" for name in given - options - {"json_"}))
            raise click.UsageError(f"{kind} goes with none of: {others}.")
    if exploring:
        return _explore(number, asked["first"], asked["last"], asked["json_"])
    if asked["verify"]:
        return _verify(number, asked["json_"])
    return _research(number, asked)


def _explore(number: int, first: str | None, last: str | None, json_: bool) -> int:
    project = open_project()
    with progress("exploring the challenger") as done:
        seen = explore_idea(project, number, first=first, last=last, done=done)
    facts = {**_seen("Exploring", seen), "Counts": "no: nothing is locked and no record is left; this is no verdict"}
    tell(facts, record=asdict(seen) if json_ else None)
    return 0


def _verify(number: int, json_: bool) -> int:
    project = open_project()
    with progress("computing it all again") as done:
        found = verify_idea(project, number, done)
    facts = {
        "Answer": "the same evidence, to the last byte" if found.is_same else "other evidence than what is stored",
        "Stored": found.evidence,
        "Again": None if found.is_same else found.again,
        "Differs first": str(found.difference) if found.difference else None,
        "Changed since": list(found.changes) or None,
    }
    tell(facts, record={**asdict(found), "is_same": found.is_same} if json_ else None)
    return 0 if found.is_same else GateClosedError.exit_code


def _research(number: int, asked: Mapping[str, Any]) -> int:
    project, json_ = open_project(), asked["json_"]
    with progress("replaying the challenger") as done:
        found = research_idea(project, number, done, repetitions=asked["repetitions"], with_regret=asked["regret"])
    tell(
        {
            "Replayed": f"{found.periods:,} periods by champion and challenger",
            "Computed": f"{found.fits} of {found.blocks} blocks; the others were known already",
            "Decided by": [
                f"{role}: {', '.join(f'{rung} {count:,}' for rung, count in rungs.items())}; "
                f"{found.seconds[role] * 1000:.1f} ms a decision"
                for role, rungs in found.falls.items()
            ],
            "First fall": [f"{role} at {why}" for role, why in found.first_falls.items()] or None,
            "Solver": [_solver(role, account) for role, account in found.solvers.items() if account],
            "Noise": _noise(found.repetitions, found.noise) if found.noise else None,
            "Searched": [f"{role}: {looks:,} candidates" for role, looks in found.looks.items() if looks] or None,
            **_windows(found),
            "Regret": [_regret(role, one) for role, one in found.regret.items()] if found.regret else None,
            "Explained": (list(found.changes) or ["Nothing changed since the last run."]) if asked["explain"] else None,
            "Evidence": found.evidence,
            "Locked": found.criteria,
            "Next": f"shipworthy analyse {number}",
        },
        record=asdict(found) if json_ else None,
    )
    track_research(project, number, found)
    return 0


def _solver(role: str, account: Mapping[str, Any]) -> str:
    gap = "no gap"
    if account["median_gap"] is not None:
        gap = f"median gap {account['median_gap']:.2%}, worst {account['worst_gap']:.2%}"
    return (
        f"{role}: {account['solver']}, {account['decisions']:,} of {account['periods']:,} times: "
        f"{account['optimal']:.0%} optimal, {gap}, limit {account['limit_kind']}, "
        f"median {account['median_seconds'] * 1000:.1f} ms"
    )


def _noise(repetitions: int, noise: Mapping[str, Any]) -> list[str]:
    return [
        f"{repetitions} repetitions; from seed to seed a period moves by {noise['champion']:,.2f} (champion), "
        f"{noise['challenger']:,.2f} (challenger), {noise['difference']:,.2f} (difference)",
        f"{noise['share']:.1%} of the variance of the mean difference is solver noise. {noise['advice']}",
    ]


def _windows(found: Research) -> dict[str, object]:
    """What is open is shown; of what is sealed, only where it lies."""
    if found.holdout is None or found.explored is None:
        return {}
    sealed = "{first} to {last}: {periods:,} periods, sealed; the verdict answers from them alone".format(
        **found.holdout
    )
    return {**_seen("Development", Exploration(**found.explored)), "Holdout": sealed}


def _seen(name: str, seen: Exploration) -> dict[str, object]:
    span = f"{seen.first} to {seen.last}: {seen.periods:,} periods with outcomes, open to exploring"
    if seen.champion is None or seen.challenger is None or seen.difference is None:
        return {name: span}
    earned = [money(amount, seen.currency) for amount in (seen.champion, seen.challenger, seen.difference)]
    return {name: [span, "champion {}, challenger {} a period: a difference of {}".format(*earned)]}


def _regret(role: str, one: Mapping[str, Any]) -> str:
    """A policy's regret in a line: the whole, its share of what there was to earn, and what it was lost to."""
    share = f", {one['share']:.1%} of what perfect foresight earned" if one["share"] is not None else ""
    causes = [
        f"{cause} {one[cause] / one['periods']:,.2f}"
        for cause in ("prediction", "optimisation", "infeasibility")
        if one[cause]
    ]
    return f"{role}: {one['per_period']:,.2f} a period{share}" + (f": {', '.join(causes)}" if causes else "")
