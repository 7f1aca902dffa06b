"""`shipworthy gc`: what no record leads to any more, and how to be rid of it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import click

from shipworthy.cli.show import as_json, show
from shipworthy.problem.span import Span
from shipworthy.project import open_project
from shipworthy.store.garbage import find_garbage


@click.command()
@click.option("--older-than", default="7d", show_default=True, help="Keep what was put within this span of time.")
@click.option("--delete", is_flag=True, help="Delete it. Without this, it is only shown.")
@as_json
def gc(older_than: str, delete: bool, json_: bool) -> None:
    """Show, or delete, the objects that no record leads to: cached replays, and what broken-off runs left.

    Snapshots, evidence and releases that any record names are kept, and so is everything that they name.
    """
    project = open_project()
    before = Span.of(older_than).before(datetime.now(UTC))
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for garbage in find_garbage(project.records, project.objects, before=before):
        folder = garbage.name.partition("/")[0]
        counts[folder] += 1
        sizes[folder] += garbage.about.size
        if delete:
            project.objects.delete(garbage.name)
    rows = [
        {
            "folder": folder,
            "objects": counts[folder],
            "MB": round(sizes[folder] / 1e6, 3),
            "deleted": "yes" if delete else "no",
        }
        for folder in sorted(counts)
    ]
    show(rows, json_=json_, empty="Nothing can go: every object is young, or a record leads to it.")
    if counts and not delete and not json_:
        click.echo("Delete them with `shipworthy gc --delete`.")
