"""`shipworthy store move`: records and objects to other stores."""

from __future__ import annotations

import json

import click

from shipworthy.cli.show import as_json, progress, tell
from shipworthy.project import CONFIG_NAME, open_project
from shipworthy.project.move import move_project


@click.command()
@click.option("--records", metavar="ADDRESS", help="Where the records are to lie: a path, or postgresql://…")
@click.option("--objects", metavar="ADDRESS", help="Where the objects are to lie: a path, s3://…, gs://… or az://…")
@click.option("--write", is_flag=True, help=f"Change the lines of {CONFIG_NAME} when all is there.")
@as_json
def move(records: str | None, objects: str | None, write: bool, json_: bool) -> None:
    """Copy this project's stores elsewhere, compare every object and record, and say which lines to change.

    What is here stays as it is. Killed at any moment, the same command goes on from there. `$NAME` stands for what an
    environment variable holds.
    """
    project = open_project()
    with progress("copying and comparing") as done:
        moved = move_project(project, records=records, objects=objects, write=write, done=done)
    lines = [f"{name} = {json.dumps(said)}" for name, said in moved.settings.items()]
    stores = moved.stores
    facts = {
        "Records": f"{stores.head.seq:,}, the same up to {stores.head}" if stores.head else None,
        "Objects": f"{stores.objects:,}, each compared; {stores.copied:,} were copied, {stores.bytes / 1e6:,.1f} MB"
        if stores.objects is not None
        else None,
        "Settings": [f"{CONFIG_NAME} says now" if write else f"Now write into [store] of {CONFIG_NAME}", *lines],
        "Logs": f"What is not compacted stays in {project.log_folder}" if project.log_folder.exists() else None,
    }
    record = {
        "records": stores.head.seq if stores.head else None,
        "head": str(stores.head) if stores.head else None,
        "objects": stores.objects,
        "copied": stores.copied,
        "bytes": stores.bytes,
        "settings": dict(moved.settings),
        "written": moved.is_written,
    }
    tell(facts, record=record if json_ else None)
