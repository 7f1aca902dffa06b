"""`shipworthy ship`, `rollback` and `retire`: one phase further, or back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from shipworthy.cli.deploy import TARGETS, deploy_shipped, deployed_facts, print_commands
from shipworthy.cli.instant import as_instant
from shipworthy.cli.show import as_json, tell
from shipworthy.project import Project, open_project
from shipworthy.ship.back import pause_idea, resume_idea, retire_idea, roll_back
from shipworthy.ship.keys import public_keys
from shipworthy.ship.manifest import parse_manifest
from shipworthy.ship.reading import LiveReading
from shipworthy.ship.release import read_manifest
from shipworthy.ship.rollout import Rollout
from shipworthy.ship.ship import ship_idea
from shipworthy.ship.targets.deployment import Target


@click.command()
@click.argument("number", type=int)
@click.option("--share", type=float, help="The challenger's share of a canary, in place of the next step of the rules.")
@click.option("--start", callback=as_instant, help="When a switchback begins, such as 2026-03-02T00:00 (UTC).")
@click.option("--seed", help="What the coins of a switchback follow from.")
@click.option("--pause", is_flag=True, help="Let the champion answer alone, and keep the trial.")
@click.option("--resume", is_flag=True, help="Go on with an idea that is paused.")
@click.option("--why", default="no reason was given", show_default=True, help="Why it is paused or resumed.")
@click.option("--to", "target", type=TARGETS, help="Write what runs it there too, as `shipworthy deploy` does.")
@as_json
def ship(
    number: int,
    share: float | None,
    start: datetime | None,
    seed: str | None,
    why: str,
    target: Target | None,
    json_: bool,
    **held: bool,
) -> None:
    """5. Ship: take the idea one phase further: into shadow, then canary or switchback, then live.

    Every step rests on evidence: shadow on the verdict and on parity, canary and live on live periods whose outcomes
    have come.
    """
    pause, resume = held["pause"], held["resume"]
    if pause and resume:
        raise click.UsageError("--pause and --resume are opposites: give one of them.")
    project = open_project()
    if pause or resume:
        rollout = (pause_idea if pause else resume_idea)(project, number, why)
        tell(_facts(rollout) | {"Next": _next(rollout, number)}, record=asdict(rollout) if json_ else None)
        return
    known = {key.id for key in public_keys(project)}
    shipped = ship_idea(project, number, share=share, start=start, seed=seed)
    deployed = deploy_shipped(project, shipped.rollout.problem, target) if target else None
    parity = shipped.parity
    proof = None
    if parity is not None:
        proof = f"{parity.equal} of {parity.periods} golden periods decided alike by the packaged server"
        if parity.tied:
            proof += f", {parity.tied} otherwise but for the same money"
    facts = {
        **_facts(shipped.rollout),
        "Parity": proof,
        **_package(project, shipped.rollout, known),
        "Conduct": conduct(shipped.reading) if shipped.reading else None,
        **(deployed_facts(deployed) if deployed else {}),
        "Next": _next(shipped.rollout, number),
    }
    record = asdict(shipped) | ({"deployed": asdict(deployed)} if deployed else {})
    tell(facts, record=record if json_ else None)
    if deployed and not json_:
        print_commands(deployed)


@click.command()
@click.argument("problem")
@click.option("--why", default="no reason was given", show_default=True, help="The reason, for the history.")
@as_json
def rollback(problem: str, why: str, json_: bool) -> None:
    """Take back what is on trial or live for PROBLEM: the release from before it serves again."""
    rollout = roll_back(open_project(), problem, why)
    tell(_facts(rollout), record=asdict(rollout) if json_ else None)


def _package(project: Project, rollout: Rollout, known: Collection[str]) -> dict[str, Any]:
    """Who signed the release that is tried, with a key made now or before, and what of it is a pickle."""
    release = rollout.challenger or rollout.champion
    content, signer = read_manifest(project, release)
    pickled = parse_manifest(content, release).get("pickled")
    signed = None
    if signer is not None:
        made = (
            "" if signer.id in known else f"; the key is new: commit keys/{signer.name}.pub, which others trust it by"
        )
        signed = f"by {signer.name}{made}"
    return {
        "Signed": signed,
        "Pickled": f"{', '.join(pickled)}: opening the release runs what the pickle says" if pickled else None,
    }


@click.command()
@click.argument("number", type=int)
@click.option("--why", required=True, help="The reason, for the history.")
@as_json
def retire(number: int, why: str, json_: bool) -> None:
    """Retire idea NUMBER, which is live: it has served its time, and the release from before it serves again."""
    rollout = retire_idea(open_project(), number, why)
    tell(_facts(rollout), record=asdict(rollout) if json_ else None)


def conduct(reading: LiveReading) -> str:
    """How the challenger decides, beside the money, against the champion."""
    found = reading.conduct
    said = [f"fell {found.new.fell} of {found.new.asked} periods"]
    if found.otherwise is not None:
        said.append(f"{found.otherwise:.0%} of units decided otherwise")
    if found.new.churn is not None:
        before = "" if found.old.churn is None else f" (champion {found.old.churn:.0%})"
        said.append(f"{found.new.churn:.0%} of its plan changes from period to period{before}")
    if found.new.seconds is not None:
        before = "" if found.old.seconds is None else f" (champion {1000 * found.old.seconds:.1f} ms)"
        said.append(f"{1000 * found.new.seconds:.1f} ms a decision{before}")
    return ", ".join(said)


def _next(rollout: Rollout, number: int) -> str:
    if rollout.phase.next is None and not rollout.phase.is_trial:
        return "shipworthy ledger, when live periods have their outcomes"
    if rollout.phase.next is None:
        return f"shipworthy ship {number} --resume, or shipworthy rollback {rollout.problem}"
    return f"shipworthy ship {number}, when live periods have their outcomes"


def _facts(rollout: Rollout) -> dict[str, Any]:
    drawn = f"{rollout.share:.0%}, drawn by {rollout.draw}" if rollout.share and rollout.plan is None else None
    return {
        "Now": f"{rollout.phase}" + (f", idea {int(rollout.idea)}" if rollout.idea else ""),
        "Champion": rollout.champion,
        "Challenger": rollout.challenger,
        "Share": drawn,
        "Blocks": _blocks(rollout),
        "Why": rollout.why,
    }


def _blocks(rollout: Rollout) -> list[str] | None:
    """The first blocks of a switchback; all of them follow from its seed."""
    if rollout.plan is None:
        return None
    blocks = rollout.plan.blocks()
    shown = [f"{start:%Y-%m-%d %H:%M}  {arm}" for start, arm in blocks.head(4).select("start", "arm").rows()]
    return [*shown, f"and {blocks.height - len(shown):,} more; `shipworthy history --json` has the whole plan"]
