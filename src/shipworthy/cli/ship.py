"""`shipworthy ship` and `shipworthy rollback`: one phase further, or back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

import click

from shipworthy.cli.show import as_json, tell
from shipworthy.project import Project, open_project
from shipworthy.ship.keys import public_keys
from shipworthy.ship.manifest import parse_manifest
from shipworthy.ship.release import read_manifest
from shipworthy.ship.rollout import Rollout
from shipworthy.ship.ship import CANARY_SHARE, roll_back, ship_idea


@click.command()
@click.argument("number", type=int)
@click.option(
    "--share", type=float, default=CANARY_SHARE, show_default=True, help="The share of periods that a canary answers."
)
@as_json
def ship(number: int, share: float, json_: bool) -> None:
    """5. Ship: take the idea one phase further: into shadow, then canary, then live.

    Every step rests on evidence: shadow on the verdict and on parity, canary and live on live periods whose outcomes
    have come.
    """
    project = open_project()
    known = {key.id for key in public_keys(project)}
    shipped = ship_idea(project, number, share=share)
    parity = shipped.parity
    proof = None
    if parity is not None:
        proof = f"{parity.equal} of {parity.periods} golden periods decided alike by the packaged server"
        if parity.tied:
            proof += f", {parity.tied} otherwise but for the same money"
    following = "shipworthy ledger" if shipped.rollout.phase.next is None else f"shipworthy ship {number}"
    facts = {
        **_facts(shipped.rollout),
        "Parity": proof,
        **_package(project, shipped.rollout, known),
        "Next": f"{following}, when live periods have their outcomes",
    }
    tell(facts, record=asdict(shipped) if json_ else None)


@click.command()
@click.argument("problem")
@click.option("--why", default="asked for on the command line", show_default=True, help="The reason, for the history.")
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


def _facts(rollout: Rollout) -> dict[str, Any]:
    return {
        "Now": f"{rollout.phase}" + (f", idea {int(rollout.idea)}" if rollout.idea else ""),
        "Champion": rollout.champion,
        "Challenger": rollout.challenger,
        "Share": f"{rollout.share:.0%}" if rollout.share else None,
        "Why": rollout.why,
    }
