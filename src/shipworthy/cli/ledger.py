"""`shipworthy ledger`: forecast against realised gain of each shipped idea."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

import click

from shipworthy.analysis.money import step_of
from shipworthy.cli.figures import plain, with_interval
from shipworthy.cli.show import as_json, money, narrowed, show, tell
from shipworthy.live.ledger.ledger import Line, read_calibration, read_ledger
from shipworthy.live.ledger.sentences import calibrated, came_true
from shipworthy.project import open_project

_PAGE = "shipworthy.live.ledger.page"  # draws, so only where a page is asked for


@click.command()
@click.option("--html", is_flag=True, help="Write it as a page, reports/ledger.html, and print its path.")
@as_json
def ledger(html: bool, json_: bool) -> None:
    """Show forecast against realised gain of each shipped idea, per period."""
    project = open_project()
    if html:
        path = str(import_module(_PAGE).write_ledger(project).relative_to(project.root))
        show([{"page": path}], json_=True) if json_ else click.echo(path)
        return
    lines = read_ledger(project)
    show(
        [line.to_dict() for line in lines] if json_ or not lines else narrowed([_row(line) for line in lines]),
        json_=json_,
        title="Forecast against realised, money per period",
        empty="No idea has been shipped yet.",
    )
    if not json_:
        _tell_what_came_true(lines)


def _tell_what_came_true(lines: Sequence[Line]) -> None:
    shares = {line.idea: found for line in lines if (found := came_true(line))}
    together = read_calibration(lines)
    if shares:
        click.echo()
        tell(
            {
                "Came true": [f"{idea}: {share} of the forecast ({ends})" for idea, (share, ends) in shares.items()],
                "Together": calibrated(together) if together else None,
            }
        )


def _row(line: Line) -> dict[str, str | int]:
    return {
        "idea": line.idea,
        "title": line.title,
        "phase": line.phase,
        "forecast": with_interval(line.forecast),
        "raw": plain(line.raw, step_of([line.raw])),
        "realised": "no outcome yet" if line.realised is None else with_interval(line.realised),
        "periods": f"{line.answered} of {line.periods}",
        "earned": money(line.earned, line.currency),
    }
