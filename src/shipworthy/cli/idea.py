"""`shipworthy idea`: begin, show and list ideas."""

from __future__ import annotations

from dataclasses import asdict

import click

from shipworthy.cli.show import as_json, show, tell
from shipworthy.cli.status import row_of
from shipworthy.ideas.gate import missing
from shipworthy.ideas.idea import Idea, read_idea
from shipworthy.ideas.lock import deviations, locked_criteria
from shipworthy.ideas.register import alike, find_idea, list_ideas, new_idea
from shipworthy.project import open_project
from shipworthy.ship.standing import standing


@click.group()
def idea() -> None:
    """1. Idea: what do we believe, why, and what would it be worth?"""


@idea.command()
@click.argument("title")
@click.option("--problem", default="", help="The problem it is about.")
@click.option("--challenger", default="", help="The policy that carries it.")
@click.option("--change", default="", help="What would be done differently.")
@click.option("--because", default="", help="The mechanism: why that should earn more.")
@click.option("--owner", default="", help="Who answers for it.")
@click.option("--smallest-gain", type=float, help="The smallest gain worth shipping, in money per period.")
@as_json
def new(title: str, smallest_gain: float | None, json_: bool, **texts: str) -> None:
    """Begin an idea: write ideas/NNNN-title.toml, to be completed and reviewed."""
    project = open_project()
    path = new_idea(project, title, smallest_gain=smallest_gain, **texts)
    begun = read_idea(path)
    facts = {
        "Idea": begun.number,
        "File": str(path.relative_to(project.root)),
        "Alike": [f"idea {other.number}: {other.title}" for other in alike(project, begun)] or None,
        "Still misses": [str(gap) for gap in missing(begun)] or None,
        "Next": f"shipworthy data {begun.number}" if not missing(begun) else f"edit {path.relative_to(project.root)}",
    }
    record = {
        **asdict(begun),
        "file": str(path.relative_to(project.root)),
        "gaps": [asdict(gap) for gap in missing(begun)],
    }
    tell(facts, record=record if json_ else None)


@idea.command("show")
@click.argument("number", type=int)
@as_json
def show_(number: int, json_: bool) -> None:
    """Show one idea: its hypothesis, what is locked, and where it stands."""
    project = open_project()
    one = find_idea(project, number)
    stands = standing(project, one)
    facts = {
        "Idea": f"{one.number}. {one.title}",
        "Problem": one.problem,
        "Challenger": one.challenger,
        "Change": one.change,
        "Because": one.because,
        "Owner": one.owner,
        "Worth shipping from": None if one.smallest_gain is None else f"{one.smallest_gain:,.2f} per {one.per}",
        "Expected": _expected(one),
        "Locked": "yes, since research started" if locked_criteria(project, one) else "not yet: research locks it",
        "Deviations": deviations(project, one) or None,
        "Stands": f"{stands.stage}: {stands.says}",
        "Misses": [str(gap) for gap in stands.gaps] or None,
        "Next": stands.next,
    }
    tell(facts, record={**asdict(one), **asdict(stands), "deviations": deviations(project, one)} if json_ else None)


@idea.command("list")
@as_json
def list_(json_: bool) -> None:
    """List all ideas."""
    project = open_project()
    rows = [row_of(project, one) for one in list_ideas(project)]
    show(rows, json_=json_, empty='No idea yet. Begin one: shipworthy idea new "What do we believe?"')


def _expected(one: Idea) -> str | None:
    if one.expected_gain is None:
        return None
    low, likely, high = one.expected_gain
    return f"{low:,.0f} to {high:,.0f}, most likely {likely:,.0f} per {one.per}"
