"""`shipworthy replay-log`: what another release would have answered to what was asked live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from shipworthy.cli.show import as_json, money, progress, show
from shipworthy.live.given import write_file
from shipworthy.live.replayed_log import Again, LogReplay, Match
from shipworthy.live.replayed_log import replay_log as replay_logged
from shipworthy.project import open_project
from shipworthy.project.clock import read_instant
from shipworthy.project.code import only_problem


@click.command("replay-log")
@click.argument("problem", required=False)
@click.option("--release", required=True, help="The release that decides again.")
@click.option("--since", metavar="INSTANT", help="Only what was decided at this instant or later.")
@click.option("--until", metavar="INSTANT", help="Only what was decided before this instant.")
@click.option("--out", metavar="FILE", help="Write both decisions of every unit here: Parquet, CSV or JSON lines.")
@as_json
def replay_log(
    problem: str | None, release: str, since: str | None, until: str | None, out: str | None, json_: bool
) -> None:
    """Decide PROBLEM's logged requests again with any release, and compare with what was answered."""
    project = open_project()
    with progress("deciding again") as done:
        found = replay_logged(
            project,
            problem or only_problem(project),
            release,
            since=read_instant(since, "--since") if since else None,
            until=read_instant(until, "--until") if until else None,
            done=done,
        )
    if out is not None:
        write_file(found.table, out)
    rows = [_row(match, of) for match in Match if (of := _of(found, match))]
    if json_:
        show(rows, json_=True)
        return
    shown = [{**row, "gain": "" if row["gain"] is None else money(row["gain"], found.currency)} for row in rows]
    show(shown, json_=False, empty="Nothing was decided in that time.")
    for why in dict.fromkeys(one.why for one in found.decisions if one.why):
        click.echo(f"Why: {why}")
    if not found.is_valued:
        click.echo("Outcomes depend on what is decided, so what other decisions would have earned is not known.")


def _of(found: LogReplay, match: Match) -> Sequence[Again]:
    return [one for one in found.decisions if one.match is match]


def _row(match: Match, of: Sequence[Again]) -> dict[str, Any]:
    gains = [one.gain for one in of if one.gain is not None]
    return {
        "answer": str(match),
        "decisions": len(of),
        "units": sum(one.units for one in of),
        "changed": sum(one.changed for one in of),
        "known": len(gains),
        "gain": sum(gains) if gains else None,
    }
