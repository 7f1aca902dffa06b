"""`shipworthy compact`: turn what was logged into Parquet, and let go what is old."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from shipworthy.cli.show import as_json, show
from shipworthy.live.retention import drop, find_old
from shipworthy.log.archive import Part
from shipworthy.log.compaction import compact as compact_log
from shipworthy.project import open_project
from shipworthy.project.code import only_problem


@click.command()
@click.argument("problem", required=False)
@click.option(
    "--drop", "dropped", is_flag=True, help="Drop what is older than [live] keep. Without this, it is only told."
)
@as_json
def compact(problem: str | None, dropped: bool, json_: bool) -> None:
    """Put the segments of PROBLEM's logs that nobody writes any more into the object store, as Parquet."""
    project = open_project()
    name = problem or only_problem(project)
    done = compact_log(project, name)
    retention = find_old(project, name)
    if dropped:
        drop(project, retention.old)
    rows = [*_rows(done.parts, "compacted"), *_rows(retention.old, "dropped" if dropped else "old")]
    show(rows, json_=json_, empty=f"Nothing to compact; {done.live} segments are still written.")
    if not json_:
        if done.waiting:
            click.echo(f"{done.waiting} segments wait for the shadow.")
        if retention.evidence:
            click.echo(
                f"{len(retention.evidence)} parts are as old, but the evidence or ledger of an idea rests on them."
            )
        if retention.old and not dropped:
            click.echo("Drop what is old with `shipworthy compact --drop`.")
    for damaged in done.damaged:
        click.echo(f"Left as it is: {damaged}. Mend or move the file, and compact again.", err=True)


def _rows(parts: Sequence[Part], what: str) -> list[dict[str, Any]]:
    return [
        {
            "log": part.noun,
            "part": what,
            "entries": part.count,
            "from": part.first[:19],
            "to": part.last[:19],
            "object": part.object[:21],
        }
        for part in parts
    ]
