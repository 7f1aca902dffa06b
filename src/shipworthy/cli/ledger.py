"""`shipworthy ledger`: forecast against realised gain of each shipped idea."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from textwrap import shorten

import click

from shipworthy.analysis.report.money import MINUS, figure, step_for, step_of
from shipworthy.analysis.verdicts import Gain
from shipworthy.cli.show import as_json, money, show
from shipworthy.live.ledger import Line, read_ledger
from shipworthy.project import open_project

_PAGE = "shipworthy.live.ledger_page"  # draws, so only where a page is asked for
_WIDEST = 100
_BETWEEN = 3  # between columns on a terminal; a pipe takes one less
_SHORTEST_TITLE = 12


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
        [line.to_dict() for line in lines] if json_ or not lines else _rows(lines),
        json_=json_,
        title="Forecast against realised, money per period",
        empty="No idea has been shipped yet.",
    )


def _rows(lines: Sequence[Line]) -> list[dict[str, str | int]]:
    """Rows of at most 100 columns, for which titles are cut; with rounded figures, as the intervals allow."""
    rows = [_row(line) for line in lines]
    rest = sum(_BETWEEN + max(len(name), *(len(str(row[name])) for row in rows)) for name in rows[0] if name != "title")
    room = max(_WIDEST - rest, _SHORTEST_TITLE)
    return [
        {**row, "title": shorten(line.title, room, placeholder="...")} for row, line in zip(rows, lines, strict=True)
    ]


def _row(line: Line) -> dict[str, str | int]:
    return {
        "idea": line.idea,
        "title": line.title,
        "phase": line.phase,
        "forecast": _shown(line.forecast),
        "raw": _figure(line.raw, step_of([line.raw])),
        "realised": "no outcome yet" if line.realised is None else _shown(line.realised),
        "periods": f"{line.answered} of {line.periods}",
        "earned": money(line.earned, line.currency),
    }


def _shown(gain: Gain) -> str:
    step = step_for(gain, 0.0)
    return f"{_figure(gain.gain, step)} ({_figure(gain.low, step)} to {_figure(gain.high, step)})"


def _figure(amount: float, step: float) -> str:
    return figure(amount, step).replace(MINUS, "-")
