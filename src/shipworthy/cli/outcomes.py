"""`shipworthy outcomes`: say what happened, from a file, a query or the problem's own source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from shipworthy.cli.show import as_json, tell
from shipworthy.errors import InvalidInputError
from shipworthy.live.given import read_file, read_query
from shipworthy.live.outcome_rows import REASON, note_source, note_table
from shipworthy.live.serving import open_serving
from shipworthy.project import open_project
from shipworthy.project.code import only_problem

F = TypeVar("F", bound=Callable[..., Any])

_SHOWN = 5


def from_somewhere(command: F) -> F:
    """The options of a verb that takes rows from a file or a query."""
    options = (
        click.option("--sql", metavar="QUERY", help="Take the rows that this query gives, of files by DuckDB."),
        click.option("--database", metavar="ADDRESS", help="Ask this database: postgresql://, $NAME or a SQLite file."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("file", required=False)
@click.option("--problem", help="Whose outcomes they are, where there are several problems.")
@from_somewhere
@click.option("--from-source", is_flag=True, help="Take the problem's own rows, as far as they were decided live.")
@click.option(
    "--bad-rows",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the rows that were refused to this CSV file.",
)
@as_json
def outcomes(
    file: str | None,
    problem: str | None,
    sql: str | None,
    database: str | None,
    from_source: bool,
    bad_rows: Path | None,
    json_: bool,
) -> int:
    """Note outcomes from FILE (Parquet, CSV, JSON), a query, or the problem's own source; the same twice change nothing."""
    if sum((file is not None, sql is not None, from_source)) != 1:
        raise click.UsageError("Give a FILE, or --sql, or --from-source: one of them.")
    project = open_project()
    serving = open_serving(project, problem or only_problem(project))
    if from_source:
        noted = note_source(project, serving)
    else:
        table = read_file(project, file) if file else read_query(project, str(sql), database)
        noted = note_table(project, serving, table)
    if bad_rows is not None:
        noted.refused.write_csv(bad_rows)
    counts = {name: getattr(noted, name) for name in ("new", "corrected", "same", "open", "undecided")}
    facts = {
        "New": counts["new"],
        "Corrected": counts["corrected"] or None,
        "Known": counts["same"] or None,
        "Not there yet": counts["open"] or None,
        "Never decided": f"{counts['undecided']}, left out" if counts["undecided"] else None,
        "Refused": [f"row {row}" for row in noted.refused.head(_SHOWN).to_dicts()] or None,
    }
    tell(facts, record={**counts, "refused": noted.refused.to_dicts()} if json_ else None)
    if noted.refused.is_empty():
        return 0
    click.echo(f"{noted.refused.height} rows were refused; column {REASON} says why. The others are noted.", err=True)
    return InvalidInputError.exit_code
