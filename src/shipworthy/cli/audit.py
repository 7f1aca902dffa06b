"""`shipworthy audit`: who did what, when and where; and whether the log of it is whole."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from shipworthy.cli.instant import as_instant
from shipworthy.cli.show import as_json, show, tell
from shipworthy.errors import InvalidInputError
from shipworthy.project.project import user_of_the_machine
from shipworthy.store import Head
from shipworthy.workspace.audit import OWN, Entry, Wanted, entries, look_back
from shipworthy.workspace.audit import verify as verify_logs
from shipworthy.workspace.audit_log import AuditLog
from shipworthy.workspace.workspace import Workspace, open_workspace


@click.command()
@click.option("--since", callback=as_instant, metavar="INSTANT", help="From this instant on, such as 2026-03-01T12:00.")
@click.option("--by", help="What this login did, or was refused.")
@click.option("--kind", help="Of this kind of record, such as verdict, session or audit.")
@click.option("--squad", help="Of this squad.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many, the newest ones.")
@click.option(
    "--export", type=click.Path(dir_okay=False, path_type=Path), help="Write them all to a file of JSON lines."
)
@click.option("--verify", is_flag=True, help="Recompute the chain of every log, and tell the heads to be noted.")
@click.option(
    "--head", "heads", multiple=True, metavar="[PLACE=]SEQ:CHAIN", help="A head that was noted, to be verified."
)
@as_json
def audit(limit: int, export: Path | None, verify: bool, heads: tuple[str, ...], json_: bool, **narrowed: Any) -> None:
    """Tell who did what, when and where, in this workspace and its projects."""
    workspace, wanted = open_workspace(), Wanted(**narrowed)
    if verify or heads:
        _verify(workspace, heads, json_=json_)
    elif export is not None:
        click.echo(f"{export}: {_export(workspace, wanted, export):,} lines")
    else:
        found = look_back(workspace, wanted, limit).entries[::-1]
        show([dict(one.to_json()) if json_ else _row(one) for one in found], json_=json_, empty="Nothing of that kind.")


def _verify(workspace: Workspace, heads: Sequence[str], *, json_: bool) -> None:
    noted: dict[str, list[Head]] = {}
    for place, head in map(_head, heads):
        noted.setdefault(place, []).append(head)
    found = verify_logs(workspace, noted)
    told = {place: f"{place}={head}" for place, head in found.items()}
    tell({"Answer": "every log is whole", "Heads": list(told.values())}, record=dict(told) if json_ else None)


def _head(text: str) -> tuple[str, Head]:
    found = re.fullmatch(r"(?:([a-z0-9-]+)=)?(\d{1,18}):([0-9a-f]{64})", text)
    if found is None:
        raise InvalidInputError(
            f"--head {text!r} is no head. `shipworthy audit --verify` tells them, as PLACE=SEQ:CHAIN."
        )
    return found[1] or OWN, Head(int(found[2]), found[3])


def _export(workspace: Workspace, wanted: Wanted, file: Path) -> int:
    """Writes the entries beside the file first, so that it is whole or as it was; that they were taken out is noted."""
    AuditLog(workspace.records).exported(user_of_the_machine(), f"the audit, to {file.name}", squad=wanted.squad or "")
    part, count = file.with_name(file.name + ".part"), 0
    with part.open("w", encoding="utf-8") as lines:
        for entry in entries(workspace, wanted):
            lines.write(json.dumps(entry.to_json(), separators=(",", ":")) + "\n")
            count += 1
    part.replace(file)
    return count


def _row(entry: Entry) -> dict[str, str | int]:
    record = entry.record
    return {
        "at": f"{record.at:%Y-%m-%d %H:%M:%S}",
        "by": record.by,
        "place": entry.place,
        "seq": record.seq,
        "what": entry.says[:120],
    }
