"""`shipworthy data`: can the idea be proved with the data that are there?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
import polars as pl

from shipworthy.cli.show import as_json, progress, tell
from shipworthy.data.examine import examine_data
from shipworthy.data.leakage import NOT_COVERED
from shipworthy.errors import GateClosedError
from shipworthy.project import open_project
from shipworthy.store.frames import get_frame

_NO_LEAKS = "none found: what lies ahead was changed in five ways and no decision moved"


@click.command()
@click.argument("number", type=int)
@click.option(
    "--bad-rows", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows set apart to this CSV file."
)
@as_json
def data(number: int, bad_rows: Path | None, json_: bool) -> int:
    """2. Data: take a snapshot, and answer whether the idea can be proved with it."""
    project = open_project()
    with progress("looking for leaks, replaying the champion") as done:
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
            "Leaks": [_NO_LEAKS, NOT_COVERED] if answer.is_testable else None,
            "Can show": f"a gain of {shown['smallest_detectable']:,.2f} per period, four times in five"
            if shown
            else None,
            "Remarks": list(answer.remarks) or None,
            "Snapshot": answer.snapshot,
            "Next": f"shipworthy research {number}" if answer.is_testable else None,
        },
        record={**asdict(answer), "is_testable": answer.is_testable} if json_ else None,
    )
    return 0 if answer.is_testable else GateClosedError.exit_code
