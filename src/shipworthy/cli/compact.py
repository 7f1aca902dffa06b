"""`shipworthy compact`: turn what was logged into Parquet, and let go what is old."""

from __future__ import annotations

import click

from shipworthy.cli.show import as_json, show
from shipworthy.log.compaction import compact as compact_log
from shipworthy.project import open_project
from shipworthy.project.code import only_problem


@click.command()
@click.argument("problem", required=False)
@as_json
def compact(problem: str | None, json_: bool) -> None:
    """Put the segments of PROBLEM's logs that nobody writes any more into the object store, as Parquet."""
    project = open_project()
    done = compact_log(project, problem or only_problem(project))
    rows = [
        {"log": part.noun, "entries": part.count, "from": part.first[:19], "to": part.last[:19], "object": part.object}
        for part in done.parts
    ]
    show(rows, json_=json_, empty=f"Nothing to compact; {done.live} segments are still written.")
    for damaged in done.damaged:
        click.echo(f"Left as it is: {damaged}. Mend or move the file, and compact again.", err=True)
