"""`shipworthy compare`: many ideas in one table and one plot."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import click

from shipworthy.analysis.comparison import COLUMNS, Compared, Order, compare_ideas, in_order
from shipworthy.analysis.decision import Decision
from shipworthy.cli.figures import with_interval
from shipworthy.cli.show import as_json, narrowed, show, tell
from shipworthy.project import open_project
from shipworthy.ship.standing import standing

_PAGE = "shipworthy.analysis.report.comparison_page"  # draws, so only where a page is asked for
_TITLE = 22
_SPARE = ("harm", "regret", "falls", "ms", "periods", "repetitions", "looks", "problem")


@click.command()
@click.argument("numbers", type=int, nargs=-1)
@click.option("--problem", metavar="NAME", help="Only ideas about this problem.")
@click.option("--decision", type=click.Choice(list(map(str, Decision))), help="Only ideas with this verdict.")
@click.option(
    "--sort", type=click.Choice(get_args(Order)), default="number", show_default=True, help="What orders them."
)
@click.option("--reverse", is_flag=True, help="The other way round.")
@click.option("--csv", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write every column to this file.")
@click.option("--html", is_flag=True, help="Write a page with the plot, reports/compare.html, and print its path.")
@as_json
def compare(numbers: tuple[int, ...], html: bool, json_: bool, **asked: Any) -> None:
    """Compare ideas, all or those of the NUMBERS: verdict, gain a year, chance of harm, regret, speed."""
    project = open_project()
    decision = Decision(asked["decision"]) if asked["decision"] else None
    found = compare_ideas(project, standing, numbers, problem=asked["problem"], decision=decision)
    rows = in_order(found, asked["sort"], reverse=asked["reverse"])
    written: dict[str, str] = {}
    if asked["file"]:
        _write_csv(asked["file"], rows)
        written["csv"] = str(asked["file"])
    if html:
        path = import_module(_PAGE).write_comparison(project, rows)
        written["page"] = str(path.relative_to(project.root))
    if written:
        show([written], json_=True) if json_ else click.echo("\n".join(written.values()))
        return
    show(
        [row.to_dict() for row in rows]
        if json_ or not rows
        else narrowed([_row(row) for row in rows], title=_TITLE, spare=_SPARE),
        json_=json_,
        title="Gain a year by the verdict",
        empty="No such idea yet.",
    )
    misses = [f"{row.idea}: {row.misses}" for row in rows if row.misses]
    if misses and not json_:
        click.echo()
        tell({"Misses": misses})


def _row(row: Compared) -> dict[str, str | int | None]:
    """What a terminal shows; the last columns go first where there is no room."""
    return {
        "idea": row.idea,
        "title": row.title,
        "stands": row.stands,
        "gain a year": f"{with_interval(row.gain)} {row.currency}" if row.gain else None,
        "harm": _share(row.harm),
        "regret": _share(row.regret),
        "falls": _share(row.falls),
        "ms": None if row.seconds is None else f"{row.seconds * 1000:.1f}",
        "periods": row.periods,
        "repetitions": row.repetitions,
        "looks": row.looks,
        "problem": row.problem,
    }


def _share(share: float | None) -> str | None:
    """A share of a hundred; what is not zero is not written as zero.

    >>> _share(0.1234), _share(0.0), _share(0.00001)
    ('12.3%', '0%', '<0.1%')
    """
    if share is None:
        return None
    return "<0.1%" if 0.0 < share < 0.001 else f"{share:.1%}" if share else "0%"


def _write_csv(file: Path, rows: Sequence[Compared]) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, COLUMNS)
        table.writeheader()
        table.writerows(row.to_dict() for row in rows)
