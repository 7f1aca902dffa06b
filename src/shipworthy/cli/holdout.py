"""`shipworthy holdout`: who opened each history, what that spent, and when it retires."""

from __future__ import annotations

from typing import Any

import click

from shipworthy.cli.show import as_json, show, tell
from shipworthy.data.holdout import Holdout, Opening, read_holdouts
from shipworthy.errors import NotFoundError
from shipworthy.project import Project, open_project


@click.command()
@click.argument("problem", required=False)
@as_json
def holdout(problem: str | None, json_: bool) -> None:
    """Tell which ideas opened each history, what they spent of its budget of errors, and when it retires."""
    project = open_project()
    known = read_holdouts(project)
    if problem is not None and problem not in {one.problem for one in known}:
        names = sorted({one.problem for one in known})
        raise NotFoundError.among(
            "history of problem", problem, names, "One opens with the first `shipworthy analyse`."
        )
    chosen = [one for one in known if problem in (None, one.problem)]
    if json_:
        show([_record(project, one) for one in chosen], json_=True)
        return
    if not chosen:
        click.echo("No idea has been judged yet.")
    for one in chosen:
        click.echo("")
        tell(_facts(project, one))
        click.echo("")
        show([_row(i, opening) for i, opening in enumerate(one.openings, start=1)], json_=False)


def _facts(project: Project, one: Holdout) -> dict[str, str | None]:
    sealed = "sealed: it answers with decisions alone" if one.is_sealed else "open: whoever replays an idea can see it"
    return {
        "History": f"{one.key}, {one.first} to {one.last}, {sealed}",
        "Ideas": f"{one.ideas} tried of {one.planned} planned, {one.looks:,} candidates inside their fits",
        "Spent": f"{one.spent:.0%} of its budget of errors; {one.left:.2%} is left of {one.alpha / 2.0:.2%}",
        "Next idea": None if one.is_retired else _next(project, one),
        "Retires": one.retirement,
    }


def _next(project: Project, one: Holdout) -> str | None:
    """The gain that the next idea needs to be found four times in five."""
    shown = _planned(project, one)
    if shown is None:
        return None
    least = shown["smallest_detectable_last_idea"]
    return f"found four times in five from {least:,.2f} a period, {least * shown['periods_per_year']:,.0f} a year"


def _planned(project: Project, one: Holdout) -> dict[str, Any] | None:
    """What the newest data answer of the problem says that the history can show."""
    records = [record for record in project.records.find("data") if record.body.get("problem") == one.problem]
    found = [record.body["provable"] for record in sorted(records, key=lambda record: record.at)]
    return next((shown for shown in reversed(found) if shown), None)


def _row(number: int, opening: Opening) -> dict[str, str | int]:
    return {
        "opened": number,
        "idea": int(opening.idea),
        "decision": opening.decision,
        "versions": len(opening.versions),
        "looks": opening.looks,
        "repetitions": opening.repetitions,
        "at": opening.at[:19].replace("T", " "),
    }


def _record(project: Project, one: Holdout) -> dict[str, Any]:
    """All but fingerprints and bars: they hold what a sealed history withholds."""
    shown = _planned(project, one)
    names = ("key", "problem", "first", "last", "is_sealed", "ideas", "planned", "looks", "alpha", "spent", "left")
    return {
        **{name: getattr(one, name) for name in names},
        "is_retired": one.is_retired,
        "retirement": one.retirement,
        "next_detectable_per_period": shown["smallest_detectable_last_idea"] if shown else None,
        "openings": [_row(i, opening) | {"evidence": opening.evidence} for i, opening in enumerate(one.openings, 1)],
    }
