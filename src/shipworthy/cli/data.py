"""`shipworthy data`: can the idea be proved with the data that are there?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import polars as pl

from shipworthy.cli.show import as_json, progress, tell
from shipworthy.data.examine import examine_data
from shipworthy.errors import GateClosedError
from shipworthy.project import open_project
from shipworthy.store.frames import get_frame


@click.command()
@click.argument("number", type=int)
@click.option(
    "--bad-rows", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows set apart to this CSV file."
)
@as_json
def data(number: int, bad_rows: Path | None, json_: bool) -> int:
    """2. Data: take a snapshot, and answer whether the idea can be proved with it."""
    project = open_project()
    with progress("replaying the champion") as done:
        answer = examine_data(project, number, done)
    if bad_rows is not None:
        table = get_frame(project.objects, answer.quarantine) if answer.quarantine else pl.DataFrame()
        table.write_csv(bad_rows)
    covered = answer.profile
    shown = answer.provable
    tell(
        {
            "Answer": "testable" if answer.is_testable else "refused: not testable",
            "Because": [str(gap) for gap in answer.gaps] or None,
            "Rows": f"{covered['n_rows']:,} of {covered['n_units']:,} units in {covered['n_periods']:,} periods, "
            f"{covered['first']} to {covered['last']}",
            "Leaks": "none found: what lies ahead was scrambled and no decision moved" if answer.is_testable else None,
            **_power(shown),
            "Remarks": list(answer.remarks) or None,
            "Snapshot": answer.snapshot,
            "Next": f"shipworthy research {number}" if answer.is_testable else None,
        },
        record={**asdict(answer), "is_testable": answer.is_testable} if json_ else None,
    )
    return 0 if answer.is_testable else GateClosedError.exit_code


def _power(shown: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the history can show, against what is worth shipping and what there is to gain at most."""
    if shown is None:
        return {}
    least, worth, year = shown["smallest_detectable"], shown["smallest_worth"], shown["periods_per_year"]
    can = (
        "no gain at all: too few periods, or refits among them"
        if math.isinf(least)
        else f"a gain of {least:,.2f} per period ({least * year:,.0f} a year), four times in five; "
        f"the last of 20 ideas {shown['smallest_detectable_last_idea']:,.2f}"
    )
    ceiling = shown["ceiling"]
    return {
        "Can show": can,
        "Worth": f"shipping from {worth:,.2f} per period ({worth * year:,.0f} a year)",
        "At most": f"{ceiling:,.2f} per period ({ceiling * year:,.0f} a year), by perfect foresight: {shown['oracle']}"
        if ceiling is not None
        else None,
        "Planned with": shown["rests_on"],
    }
