"""`shipworthy export` and `shipworthy import`: parcels, out of a project and into another."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from shipworthy.cli.show import as_json, tell
from shipworthy.parcel.export import export_project
from shipworthy.parcel.intake import import_parcel
from shipworthy.project import open_project


@click.command()
@click.argument("place", metavar="FOLDER|FILE.zip", type=click.Path(path_type=Path))
@click.option("--problem", default="", metavar="NAME", help="Only what is about this problem.")
@as_json
def export(place: Path, problem: str, json_: bool) -> None:
    """Write everything of this project in open formats: records, tables, evidence, logs, releases, ideas.

    Run `shipworthy compact` before: of the logs, what was compacted is in it.
    """
    manifest = export_project(open_project(), place, problem=problem)
    facts = {
        "Wrote": f"{place}: {manifest.records:,} records, {len(manifest.objects):,} objects, {len(manifest.files):,} files",
        "Head": manifest.head,
        "Missing": [f"{name}, which records name, is not there any more" for name in manifest.missing],
    }
    tell(facts, record=asdict(manifest) if json_ else None)


@click.command("import")
@click.argument("place", metavar="FOLDER|FILE.zip", type=click.Path(path_type=Path))
@as_json
def import_(place: Path, json_: bool) -> None:
    """Take in what `export` wrote: records keep their versions, instants and authors; nothing of it is run."""
    taken = import_parcel(open_project(), place)
    manifest = taken.manifest
    facts = {
        "Took in": f"{manifest.records:,} records and {len(manifest.objects):,} objects of {manifest.space}",
        "Head": str(taken.head),
        "Texts": list(taken.texts),
        "Keys": [f"{key} signed releases; trust it with `shipworthy keys trust`" for key in taken.keys],
        "Missing": [f"{name} was not there any more when it was written" for name in manifest.missing],
    }
    record = {**asdict(manifest), "taken_in": str(taken.head), "texts": list(taken.texts), "keys": list(taken.keys)}
    tell(facts, record=record if json_ else None)
