"""`shipworthy store`: whether what is kept is whole, and how it is backed up, restored and moved."""

from __future__ import annotations

import re
from pathlib import Path

import click

from shipworthy.cli.move import move
from shipworthy.cli.show import as_json, progress, tell
from shipworthy.errors import InvalidInputError, NotFoundError, TamperedError
from shipworthy.project import open_project
from shipworthy.store import feed
from shipworthy.store.backup import read_backup, write_backup
from shipworthy.store.check import check_log, check_objects
from shipworthy.store.records import Head


@click.group()
def store() -> None:
    """The stores: check that they are whole, back them up, restore them and move them elsewhere."""


store.add_command(move)


@store.command()
@click.option(
    "--head", "noted", metavar="SEQ:CHAIN", help="Prove that this head, noted earlier, is part of the log still."
)
@as_json
def check(noted: str | None, json_: bool) -> None:
    """Read every record and object, and say whether all is there and as it was written.

    Note the head that it prints somewhere else: with it, a log that was rewritten as a whole is found out too.
    """
    project = open_project()
    log = check_log(project.records, noted=_head(noted) if noted else None)
    named, found = dict(log.objects), dict[str, str]()
    with progress("Reading objects") as advance:
        for name, trouble in check_objects(project.objects, named):
            found[name] = trouble
            advance(len(found), len(named))
    wrong = [f"{name} is {trouble}; {named[name]} names it" for name, trouble in sorted(found.items()) if trouble]
    facts = {
        "Records": f"{log.head.seq:,} of {log.things:,} things; the chain holds, and no version is missing",
        "Objects": wrong or f"{len(found):,}, all there and as they were put",
        "Head": str(log.head),
        "Noted head": f"{noted} is part of the log: nothing up to it was rewritten or cut" if noted else None,
    }
    record = {"records": log.head.seq, "things": log.things, "objects": len(found), "wrong": wrong}
    tell(facts, record={**record, "head": log.head._asdict()} if json_ else None)
    if wrong:
        kind = TamperedError if "changed" in found.values() else NotFoundError
        raise kind(
            f"{len(wrong)} of {len(found)} objects are missing or changed. Restore them from a backup of the objects, or repeat "
            "the stage that made them: data makes snapshots, research evidence, ship releases."
        )


@store.command()
@click.argument("file", type=click.Path(path_type=Path))
@as_json
def backup(file: Path, json_: bool) -> None:
    """Write every version of every record into FILE: compressed lines of JSON with their chain.

    Objects are not in it: they never change, so copy their folder or bucket as it is.
    """
    project = open_project()
    head = write_backup(feed(project.records), file, space=project.space)
    facts = {"Wrote": f"{file}: {head.seq:,} records", "Head": str(head)}
    tell(facts, record={"file": str(file), "records": head.seq, "head": head._asdict()} if json_ else None)


@store.command()
@click.argument("file", type=click.Path(path_type=Path))
@as_json
def restore(file: Path, json_: bool) -> None:
    """Fill this project's empty record store with what `backup` wrote, whichever kind of store it came from.

    All of it, or none: the chain is checked first, and places, instants, authors and chain stay as they were.
    """
    head = open_project().records.restore(read_backup(file))
    facts = {"Restored": f"{head.seq:,} records from {file}", "Head": str(head)}
    tell(facts, record={"file": str(file), "records": head.seq, "head": head._asdict()} if json_ else None)


def _head(text: str) -> Head:
    if not re.fullmatch(r"\d{1,18}:[0-9a-f]{64}", text):
        raise InvalidInputError(
            f"{text!r} is no head. A head is a number, a colon and 64 hexadecimal digits, as `shipworthy store check` prints."
        )
    seq, _, chain = text.partition(":")
    return Head(int(seq), chain)
