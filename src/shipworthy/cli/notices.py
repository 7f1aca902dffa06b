"""`shipworthy notices`: tell a webhook and Slack what happens."""

from __future__ import annotations

from threading import Event

import click

from shipworthy.cli.here import projects_here
from shipworthy.cli.show import as_json, tell
from shipworthy.errors import InvalidInputError, UnavailableError
from shipworthy.programme.notices import channels, refuse_unknown_kinds
from shipworthy.programme.notices import follow as follow_feed
from shipworthy.programme.notices import tell as tell_news
from shipworthy.project import open_project


@click.command()
@click.option("--once", is_flag=True, help="Tell what is new, and end; this is what it does unless --follow is given.")
@click.option("--follow", is_flag=True, help="Go on and tell what comes, until it is interrupted.")
@as_json
def notices(once: bool, follow: bool, json_: bool) -> None:
    """Tell the channels of [notices] which gates, verdicts, rollouts and alerts moved, each at least once."""
    if once and follow:
        raise InvalidInputError("Give one of --once and --follow.")
    if follow:
        project = open_project()
        refuse_unknown_kinds(project)
        follow_feed(project, Event())
        return
    troubles = [trouble for project in projects_here() for trouble in tell_news(project)]
    named = sorted({channel for project in projects_here() for channel in channels(project)})
    record = {"channels": named, "troubles": troubles}
    tell({"Told": ", ".join(named) or "nobody: [notices] names no channel"}, record=record if json_ else None)
    if troubles:
        raise UnavailableError(" ".join(troubles))
