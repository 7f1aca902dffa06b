"""`shipworthy overrides`: what was really done instead of what was decided, and what that was worth."""

from __future__ import annotations

from dataclasses import asdict

import click

from shipworthy.cli.outcomes import from_somewhere
from shipworthy.cli.show import as_json, money, show, tell
from shipworthy.errors import InvalidInputError
from shipworthy.live.adoption import Adoption, read_adoption
from shipworthy.live.given import read_file, read_query
from shipworthy.live.overrides import REASON, note_table
from shipworthy.live.serving import Served, open_serving
from shipworthy.project import Project, open_project
from shipworthy.project.code import only_problem

_SHOWN = 5


@click.command()
@click.argument("file", required=False)
@click.option("--problem", help="Whose overrides they are, where there are several problems.")
@from_somewhere
@as_json
def overrides(file: str | None, problem: str | None, sql: str | None, database: str | None, json_: bool) -> int:
    """Note what was done instead, from FILE (Parquet, CSV, JSON) or a query; alone, show adoption and its worth."""
    if file is not None and sql is not None:
        raise click.UsageError("Give a FILE or --sql, not both.")
    project = open_project()
    served = open_serving(project, problem or only_problem(project)).champion
    if file is None and sql is None:
        _tell_adoption(read_adoption(project, served), json_=json_)
        return 0
    table = read_file(project, file) if file else read_query(project, str(sql), database)
    return _note(project, served, table, json_=json_)


def _note(project: Project, served: Served, table: object, *, json_: bool) -> int:
    new, same, refused = note_table(project, served, table)  # type: ignore[arg-type]  # a frame, whose library stays out of doors
    rows = refused.to_dicts()
    facts = {"New": new, "Known": same or None, "Refused": [f"row {row}" for row in rows[:_SHOWN]] or None}
    tell(facts, record={"new": new, "same": same, "refused": rows} if json_ else None)
    if not rows:
        return 0
    click.echo(f"{len(rows)} rows were refused; {REASON} says why. The others are noted.", err=True)
    return InvalidInputError.exit_code


def _tell_adoption(adoption: Adoption, *, json_: bool) -> None:
    if json_:
        tell({}, record={**asdict(adoption), "share": adoption.share})
        return
    share = "nothing was decided yet" if adoption.share is None else f"{adoption.share:.1%}"
    of = f"{adoption.decided - adoption.overridden:,} of {adoption.decided:,} units as proposed"
    remark = "Outcomes depend on what is decided, so what the proposal would have earned is not known; only adoption is told."
    tell(
        {
            "Adoption": f"{share} ({of})" if adoption.decided else share,
            "Unasked": f"{adoption.unasked} overrides of units that nobody had decided" if adoption.unasked else None,
            "Worth": None if adoption.is_valued else remark,
        }
    )
    rows = [
        {
            "by": reason.by,
            "why": reason.why,
            "units": reason.units,
            "known": reason.settled,
            "worth": "" if reason.worth is None else money(reason.worth, adoption.currency),
        }
        for reason in adoption.reasons
    ]
    if rows:
        click.echo()
        show(rows, json_=False)
