"""`shipworthy watch`: what runs live against what the replay promised."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from shipworthy.cli.show import as_json, money, show, tell
from shipworthy.errors import GateClosedError
from shipworthy.live.watch.alert import Alert
from shipworthy.live.watch.watch import Watched
from shipworthy.live.watch.watch import watch as look
from shipworthy.project import open_project
from shipworthy.project.clock import read_instant
from shipworthy.project.code import only_problem


@click.command()
@click.argument("problem", required=False)
@click.option("--at", help="Look as of this instant, as 2026-11-26T09:30:00Z, instead of now.")
@click.option("--fail", is_flag=True, help="End with exit code 4 where alerts are open.")
@as_json
def watch(problem: str | None, at: str | None, fail: bool, json_: bool) -> None:
    """Hold what runs live for PROBLEM against what the replay promised; alerts by the money at risk."""
    project = open_project()
    found = look(project, problem or only_problem(project), at=read_instant(at, "--at") if at else None)
    if json_:
        tell({}, record=_record(found))
    else:
        _show(found)
    if fail and found.news.open:
        raise GateClosedError(f"{len(found.news.open)} alerts are open for problem {found.problem!r}.")


def _show(found: Watched) -> None:
    click.echo(
        f"{found.problem} at {found.at:%Y-%m-%d %H:%M} UTC: {found.rollout.phase}, {found.periods} periods looked at."
    )
    rows = [_row(alert, found.currency) for alert in found.news.open]
    show(rows, json_=False, title="Alerts, money at risk a period", empty="All is as it was promised.")
    for alert in found.news.open:
        click.echo()
        tell({alert.kind: [alert.what], "Money": alert.reckoned, "Do": alert.do, "More": alert.anchor})
    for alert in found.news.closed:
        click.echo(f"Closed: {alert.key}")


def _row(alert: Alert, currency: str) -> dict[str, Any]:
    return {
        "alert": alert.kind,
        "about": alert.about,
        "at risk": "unknown" if alert.money_at_risk is None else money(alert.money_at_risk, currency),
        "look": {1: "some time", 2: "today", 3: "now"}[alert.severity],
        "since": f"{alert.since:%Y-%m-%d %H:%M}" if isinstance(alert.since, datetime) else "",
    }


def _record(found: Watched) -> dict[str, Any]:
    return {
        "problem": found.problem,
        "at": found.at.isoformat(),
        "phase": str(found.rollout.phase),
        "release": found.rollout.champion,
        "periods": found.periods,
        "currency": found.currency,
        "alerts": [alert.to_dict() for alert in found.news.open],
        "opened": [alert.key for alert in found.news.opened],
        "closed": [alert.to_dict() for alert in found.news.closed],
    }
