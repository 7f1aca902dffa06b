"""`shipworthy release`: list and show releases, and take them out of the project or in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from shipworthy.cli.show import as_json, show, tell
from shipworthy.project import open_project
from shipworthy.ship.export import export_file, export_folder, import_release
from shipworthy.ship.manifest import files_of, parse_manifest
from shipworthy.ship.release import read_manifest


@click.group()
def release() -> None:
    """Releases: list and show them, and take them out of the project or in."""


@release.command(name="list")
@as_json
def list_(json_: bool) -> None:
    """List every release, the oldest first."""
    project = open_project()
    rows = [
        {
            "release": record.key,
            "problem": record.body["problem"],
            "policy": record.body["policy"],
            "idea": int(record.body["idea"]) if record.body["idea"] else None,
            "built": f"{record.at:%Y-%m-%d %H:%M:%S}",
            "by": record.by,
        }
        for record in sorted(project.records.find("release"), key=lambda record: record.at)
    ]
    show(rows, json_=json_, title="Releases", empty="No release yet. `shipworthy ship` builds the first.")


@release.command(name="show")
@click.argument("id_", metavar="ID")
@as_json
def show_(id_: str, json_: bool) -> None:
    """Show what is in release ID, where it comes from and who signed it; nothing of it is run."""
    content, signer = read_manifest(open_project(), id_)
    manifest = parse_manifest(content, id_)
    lineage: dict[str, Any] = dict(manifest.get("lineage", {}))
    facts = {
        "Release": id_,
        "Policy": f"{manifest['policy']} of problem {manifest['problem']}",
        "Fallback": manifest["fallback"],
        "Signed by": signer.name if signer else "nobody; allowed by its digest in shipworthy.toml",
        "Pickled": ", ".join(manifest["pickled"]) or None if "pickled" in manifest else "everything that was fitted",
        "Fitted on": f"rows through {manifest['fitted_through']}" if manifest["fitted_through"] else None,
        "Comes from": [f"{name} {value}" for name, value in lineage.items() if value is not None],
        "Runs on": f"Python {manifest['python']}, {manifest.get('platform', 'any platform')}",
        "Holds": [
            f"{name}: {file.kind}" + (f", {file.bytes:,} bytes" if file.bytes is not None else "")
            for name, file in files_of(manifest).items()
        ],
    }
    record = {**manifest, "id": id_, "signed_by": signer.name if signer else None}
    tell(facts, record=record if json_ else None)


@release.command()
@click.argument("id_", metavar="ID")
@click.argument("place", type=click.Path(path_type=Path))
@click.option("--folder", is_flag=True, help="Lay a folder to serve from, instead of one file.")
def export(id_: str, place: Path, folder: bool) -> None:
    """Write release ID into one file, or into a folder that serves it without the project."""
    (export_folder if folder else export_file)(open_project(), id_, place)
    click.echo(f"Wrote {place}.")


@release.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
def import_(file: Path) -> None:
    """Take in a release that `export` wrote; it has to be signed by a key that this project trusts."""
    click.echo(f"Took in release {import_release(open_project(), file)}.")
