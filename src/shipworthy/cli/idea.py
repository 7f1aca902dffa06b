"""`shipworthy idea`: begin, show, list and edit ideas."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from shipworthy.cli.comment import line_of
from shipworthy.cli.show import as_json, narrowed, show, tell
from shipworthy.cli.status import row_of
from shipworthy.ideas.comment import comments
from shipworthy.ideas.edit import edit_idea, pull_idea, push_idea, waiting
from shipworthy.ideas.gate import missing
from shipworthy.ideas.idea import FIELDS, Idea, read_idea
from shipworthy.ideas.lock import deviations, locked_criteria
from shipworthy.ideas.register import find_idea, list_ideas, new_idea
from shipworthy.ideas.signoff import signoffs
from shipworthy.ideas.written import Agreement, Written, overtaken, read_written
from shipworthy.project import Project, open_project
from shipworthy.ship.lint import neighbours
from shipworthy.ship.standing import standing


@click.group()
def idea() -> None:
    """1. Idea: what do we believe, why, and what would it be worth?"""


_TEXTS = (
    click.option("--problem", default="", help="The problem it is about."),
    click.option("--challenger", default="", help="The policy that carries it."),
    click.option("--change", default="", help="What would be done differently."),
    click.option("--because", default="", help="The mechanism: why that should earn more."),
    click.option("--owner", default="", help="Who answers for it."),
    click.option("--smallest-gain", type=float, help="The smallest gain worth shipping, in money per period."),
)


def _texts(command: Any) -> Any:
    for option in reversed(_TEXTS):
        command = option(command)
    return command


@idea.command()
@click.argument("title")
@_texts
@as_json
def new(title: str, smallest_gain: float | None, json_: bool, **texts: str) -> None:
    """Begin an idea: write ideas/NNNN-title.toml, to be completed and reviewed."""
    project = open_project()
    path = new_idea(project, title, smallest_gain=smallest_gain, **texts)
    begun = read_idea(path)
    facts = {
        "Idea": begun.number,
        "File": str(path.relative_to(project.root)),
        "Others": _others(project, begun),
        "Still misses": [str(gap) for gap in missing(begun)] or None,
        "Next": f"shipworthy data {begun.number}" if not missing(begun) else f"edit {path.relative_to(project.root)}",
    }
    record = {
        **asdict(begun),
        "file": str(path.relative_to(project.root)),
        "gaps": [asdict(gap) for gap in missing(begun)],
    }
    tell(facts, record=record if json_ else None)


@idea.command()
@click.argument("number", type=int)
@click.option("--title", default="", help="One line that a product manager would say.")
@_texts
@click.option("--deadline", help="Until when, such as 2027-03-31.")
@click.option("--segment", "segments", multiple=True, help="A column to tell the gain apart by; again for another one.")
@click.option("--expected-gain", type=float, nargs=3, metavar="LOW LIKELY HIGH", help="What is expected, in money.")
@click.option("--per", type=click.Choice(["period", "year"]), help="What both gains are counted per.")
@click.option("--effort", type=float, help="Person-days that it would take.")
@click.option("--cost", type=float, help="Money that it would cost besides.")
@click.option(
    "--guardrail", "guardrails", type=(str, float), multiple=True, metavar="NAME MARGIN", help="A margin of its own."
)
@click.option("--without", multiple=True, type=click.Choice(FIELDS), metavar="FIELD", help="Take a field out.")
@click.option("--deviate", is_flag=True, help="Change what is locked too; it stands in the report as a deviation.")
@as_json
def edit(number: int, without: tuple[str, ...], deviate: bool, json_: bool, **given: Any) -> None:
    """Say something of idea NUMBER differently, in its file and its record; comments in the file stay."""
    fields = {name: value for name, value in given.items() if value not in (None, "", ())}
    if "guardrails" in fields:
        fields["guardrails"] = dict(fields["guardrails"])
    if not fields and not without:
        raise click.UsageError("Say what is to be different, such as --title or --without deadline.")
    project = open_project()
    before = read_written(project, number)
    after = edit_idea(project, number, {**dict.fromkeys(without), **fields}, expect=before.edition, knowingly=deviate)
    _tell_written(project, after, before=before.idea, json_=json_)


@idea.command()
@click.argument("number", type=int, required=False)
@as_json
def pull(number: int | None, json_: bool) -> None:
    """Write the file of idea NUMBER as its record says it, or of every idea whose file is missing or behind."""
    project = open_project()
    written = [pull_idea(project, one) for one in ([number] if number is not None else waiting(project))]
    files = [str(path.relative_to(project.root)) for path in written]
    tell({"Files": files or "each says what its record says"}, record={"files": files} if json_ else None)


@idea.command()
@click.argument("number", type=int)
@as_json
def push(number: int, json_: bool) -> None:
    """Let the file of idea NUMBER count: its record says from now on what the file says."""
    project = open_project()
    _tell_written(project, push_idea(project, number), json_=json_)


def _tell_written(project: Project, written: Written, *, before: Idea | None = None, json_: bool) -> None:
    one = written.idea
    changed = [name for name in FIELDS if before is not None and getattr(before, name) != getattr(one, name)]
    facts = {
        "Idea": f"{one.number}. {one.title}",
        "Edited": ", ".join(changed) or ("nothing" if before is not None else None),
        "File": str(written.path.relative_to(project.root)) if written.path else "none here: its record has it",
        "Deviations": deviations(project, one) or None,
        "Still misses": [str(gap) for gap in missing(one)] or None,
    }
    tell(facts, record={**asdict(one), "edition": written.edition, "edited": changed} if json_ else None)


@idea.command("show")
@click.argument("number", type=int)
@as_json
def show_(number: int, json_: bool) -> None:
    """Show one idea: its hypothesis, what is locked, and where it stands."""
    project = open_project()
    one = find_idea(project, number)
    stands = standing(project, one)
    signed, said = signoffs(project, one), comments(project, number)
    facts = {
        "Idea": f"{one.number}. {one.title}",
        "Problem": one.problem,
        "Challenger": one.challenger,
        "Change": one.change,
        "Because": one.because,
        "Owner": one.owner,
        "Worth shipping from": None if one.smallest_gain is None else f"{one.smallest_gain:,.2f} per {one.per}",
        "Expected": _expected(one),
        "Takes": _takes(one),
        "Until": one.deadline,
        "Locked": "yes, since research started" if locked_criteria(project, one) else "not yet: research locks it",
        "Deviations": deviations(project, one) or None,
        "File": _file(read_written(project, number)),
        "Others": _others(project, one),
        "Signed": [one.sentence for one in signed] or None,
        "Comments": [line_of(one) for one in said] or None,
        "Stands": f"{stands.stage}: {stands.says}",
        "Misses": [str(gap) for gap in stands.gaps] or None,
        "Next": stands.next,
    }
    record = {
        **asdict(one),
        **asdict(stands),
        "deviations": deviations(project, one),
        "signoffs": [one.to_dict() for one in signed],
        "comments": [one.to_dict() for one in said],
    }
    tell(facts, record=record if json_ else None)


@idea.command("list")
@as_json
def list_(json_: bool) -> None:
    """List all ideas."""
    project = open_project()
    rows = [row_of(project, one) for one in list_ideas(project)]
    show(
        rows if json_ or not rows else narrowed(rows),
        json_=json_,
        empty='No idea yet. Begin one: shipworthy idea new "What do we believe?"',
    )


def _expected(one: Idea) -> str | None:
    if one.expected_gain is None:
        return None
    low, likely, high = one.expected_gain
    return f"{low:,.0f} to {high:,.0f}, most likely {likely:,.0f} per {one.per}"


def _takes(one: Idea) -> str | None:
    takes = [] if one.effort is None else [f"{one.effort:g} person-days"]
    takes += [] if one.cost is None else [f"{one.cost:,.0f} in money"]
    return ", ".join(takes) or None


def _others(project: Project, one: Idea) -> list[str] | None:
    """What other ideas mean for this one."""
    others = [other for other in list_ideas(project) if other.number != one.number]
    return [str(advice) for advice in neighbours(project, one, others)] or None


def _file(written: Written) -> str | None:
    """How the file stands to the record, where they are not the same."""
    if written.path is None:
        return f"none here; write it with `shipworthy idea pull {written.idea.number}`"
    if written.recorded is None or written.agreement is Agreement.SAME:
        return None
    if written.agreement is Agreement.CHANGED:
        return (
            f"changed by hand since it was recorded; `shipworthy idea push {written.idea.number}` lets others read it"
        )
    return str(overtaken(written)[0])
