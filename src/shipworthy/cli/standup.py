"""`shipworthy standup`: what moved, what waits for whom, what is at risk."""

from __future__ import annotations

import click

from shipworthy.cli.here import ledger_lines, projects_here
from shipworthy.cli.show import as_json, tell
from shipworthy.programme.facts import Facts
from shipworthy.programme.standup import since_of
from shipworthy.programme.standup import standup as found_by
from shipworthy.programme.standup_text import as_markdown
from shipworthy.project.clock import now


@click.command()
@click.option("--since", default="1d", show_default=True, metavar="SPAN|INSTANT", help="From when on.")
@click.option("--markdown", is_flag=True, help="As Markdown, for a channel or a page.")
@click.option("--ledger", "with_ledger", is_flag=True, help="Reckon the ledger too: what earns below its forecast.")
@as_json
def standup(since: str, markdown: bool, with_ledger: bool, json_: bool) -> None:
    """Tell what moved since yesterday, what waits for whom, and what is at risk in money."""
    projects = projects_here()
    found = found_by(
        [Facts(project) for project in projects],
        since_of(since, now()),
        ledger=ledger_lines(projects) if with_ledger else None,
    )
    if markdown:
        click.echo(as_markdown(found, several=len(projects) > 1))
        return
    several = len(projects) > 1
    no_risk = found.no_risk if found.unwatched else "nothing that is known"
    facts = {
        "At risk": [_said(one.project, one.says, several) for one in found.at_risk] or no_risk,
        "Moved": [_said(one.project, one.says, several) for one in found.moved] or "nothing",
        "Waits": [_said(one.project, one.says, several) for one in found.waits] or "nothing",
    }
    tell(facts, record=found.to_dict() if json_ else None)


def _said(space: str, says: str, several: bool) -> str:
    return f"{space}: {says}" if several else says
