"""`shipworthy ledger`: forecast against realised gain of each shipped idea."""

from __future__ import annotations

import click

from shipworthy.cli.show import as_json, money, show
from shipworthy.live.ledger import Line, read_ledger
from shipworthy.project import open_project


@click.command()
@as_json
def ledger(json_: bool) -> None:
    """Show forecast against realised gain of each shipped idea, per period."""
    lines = read_ledger(open_project())
    show(
        [line.to_dict() if json_ else _row(line) for line in lines],
        json_=json_,
        title="Forecast against realised, money per period",
        empty="No idea has been shipped yet.",
    )


def _row(line: Line) -> dict[str, str | int]:
    realised = "no outcome yet"
    if line.realised is not None:
        realised = f"{line.realised.gain:,.2f} ({line.realised.low:,.2f} to {line.realised.high:,.2f})"
    return {
        "idea": line.idea,
        "title": line.title,
        "phase": line.phase,
        "forecast": f"{line.forecast.gain:,.2f} ({line.forecast.low:,.2f} to {line.forecast.high:,.2f})",
        "raw": f"{line.raw:,.2f}",
        "realised": realised,
        "periods": f"{line.answered} of {line.periods}",
        "earned": money(line.earned, line.currency),
    }
