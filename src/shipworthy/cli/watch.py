"""`shipworthy watch`: what runs live against what the replay promised."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from shipworthy.cli.show import as_json, money, show, tell
from shipworthy.errors import GateClosedError, InvalidInputError
from shipworthy.finite import finite
from shipworthy.live.watch.alert import Alert
from shipworthy.live.watch.loop import keep_watching
from shipworthy.live.watch.watch import Watched
from shipworthy.live.watch.watch import watch as look
from shipworthy.project import open_project
from shipworthy.project.clock import now, read_instant
from shipworthy.project.code import only_problem


@click.command()
@click.argument("problem", required=False)
@click.option("--once", is_flag=True, help="Look once, and end; this is what it does unless --every is given.")
@click.option("--every", metavar="SPAN", help="Look again and again, as often as this: 60s, 5m or 1h.")
@click.option(
    "--at", help="Only look, as of this instant: 2026-11-26T09:30:00Z, or now. Nothing is moved, recorded or told."
)
@click.option("--fail", is_flag=True, help="End with exit code 4 where alerts are open.")
@as_json
def watch(problem: str | None, once: bool, every: str | None, at: str | None, fail: bool, json_: bool) -> None:
    """Hold what runs live for PROBLEM against what the replay promised; alerts by the money at risk.

    A rollout moves by itself on what it finds, and what opened and closed is told where [watch] says.
    """
    project = open_project()
    name = problem or only_problem(project)
    if every is not None:
        if once or at or fail:
            raise InvalidInputError("--every looks again and again: leave out --once, --at and --fail.")
        keep_watching(project, name, _seconds(every), lambda found: _show_news(found, json_))
    found = look(project, name, at=_instant(at))
    if json_:
        tell({}, record=_record(found))
    else:
        _show(found)
    if fail and found.news.open:
        raise GateClosedError(f"{len(found.news.open)} alerts are open for problem {found.problem!r}.")


def _instant(at: str | None) -> datetime | None:
    return None if at is None else now() if at == "now" else read_instant(at, "--at")


def _show(found: Watched) -> None:
    click.echo(
        f"{found.problem} at {found.at:%Y-%m-%d %H:%M} UTC: {found.rollout.phase}, {found.periods} periods looked at."
    )
    if found.expected is not None:
        said = found.expected
        value, low, high = (money(amount, found.currency) for amount in (said.value, said.low, said.high))
        click.echo(
            f"Before outcomes, a period is expected to earn {value} ({low} to {high}), by {' and '.join(said.by)}."
        )
    rows = [_row(alert, found.currency) for alert in found.news.open]
    show(rows, json_=False, title="Alerts, money at risk a period", empty="All is as it was promised.")
    for alert in found.news.open:
        click.echo()
        tell({alert.kind: [alert.what], "Money": alert.reckoned, "Do": alert.do, "More": alert.anchor})
    for alert in found.news.closed:
        click.echo(f"Closed: {alert.key}")
    if found.moved is not None:
        tell({"Moved": f"{found.moved.phase}: {found.moved.why}"})
    for trouble in found.untold:
        click.echo(trouble, err=True)


def _show_news(found: Watched, json_: bool) -> None:
    """One line of JSON each time for programs; for people, only what is new."""
    if json_:
        click.echo(json.dumps(finite(_record(found)), default=str))
    elif found.news.is_any or found.moved is not None or found.untold:
        _show(found)


def _seconds(span: str) -> float:
    known = re.fullmatch(r"([1-9]\d*)([smh])", span.strip())
    if known is None:
        raise InvalidInputError(f"--every {span!r} is no span. Write a number and s, m or h, such as 60s.")
    return float(known[1]) * {"s": 1.0, "m": 60.0, "h": 3600.0}[known[2]]


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
        "expected": found.expected and asdict(found.expected),
        "moved": None if found.moved is None else {"phase": str(found.moved.phase), "why": found.moved.why},
        "untold": list(found.untold),
    }
