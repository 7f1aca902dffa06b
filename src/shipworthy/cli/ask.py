"""`shipworthy ask`: read-only SQL over evidence, decisions, outcomes and records."""

from __future__ import annotations

from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import click

from shipworthy.analysis.report.layout import write_file
from shipworthy.analysis.report.palette import LIGHT
from shipworthy.cli.here import ledger_lines, projects_here
from shipworthy.cli.show import as_json, show, tell
from shipworthy.errors import InvalidInputError
from shipworthy.programme.ask import Answer
from shipworthy.programme.ask import ask as answer_to
from shipworthy.programme.limits import Limits
from shipworthy.programme.queries import find_queries, read_query, save_query
from shipworthy.programme.tables import TABLES, mentioned
from shipworthy.project import open_project

_PLOT = "shipworthy.programme.answer_plot"  # draws, so only where a plot is asked for
_SHOWN = 200


@click.command()
@click.argument("sql", required=False)
@click.option("--saved", metavar="NAME", help="Ask a saved question.")
@click.option("--save", metavar="NAME", help="Save the question under this name; with --why.")
@click.option("--why", default="", help="What a question that is saved tells, in a line.")
@click.option("--list", "list_", is_flag=True, help="List the saved questions, and those that every project has.")
@click.option("--tables", is_flag=True, help="List the tables that can be asked, with their columns.")
@click.option("--csv", type=click.Path(path_type=Path), metavar="FILE", help="Write the answer as CSV.")
@click.option("--parquet", type=click.Path(path_type=Path), metavar="FILE", help="Write the answer as Parquet.")
@click.option(
    "--plot", nargs=3, metavar="KIND X Y", help="Draw it: line, bar or points of column Y over column X; with --svg."
)
@click.option("--svg", type=click.Path(path_type=Path), metavar="FILE", help="Where the plot is written.")
@click.option("--rows", type=int, default=Limits().rows, show_default=True, help="So many rows at most.")
@click.option("--seconds", type=float, default=Limits().seconds, show_default=True, help="Broken off after so long.")
@click.option("--memory", type=int, default=Limits().megabytes, show_default=True, help="Megabytes it may take.")
@as_json
def ask(sql: str | None, **asked: Any) -> None:
    """Ask the project's records, evidence and logs in SQL; a question only reads, and reaches nothing else."""
    json_ = asked["json_"]
    if asked["tables"]:
        show([{"table": name, "columns": columns} for name, columns in TABLES.items()], json_=json_)
        return
    if asked["list_"]:
        found = find_queries(open_project())
        show(
            [query.to_dict() if json_ else {"name": query.name, "tells": query.why, "by": query.by} for query in found],
            json_=json_,
        )
        return
    question = _question(sql, asked)
    if asked["save"]:
        kept = save_query(open_project(), asked["save"], question, asked["why"])
        tell({"Saved": f"{kept.name}, version {kept.version}"}, record=kept.to_dict() if json_ else None)
        return
    projects = projects_here()
    limits = Limits(seconds=asked["seconds"], megabytes=asked["memory"], rows=asked["rows"])
    ledger = ledger_lines(projects) if "ledger" in mentioned(question) else None
    _give(answer_to(projects, question, limits=limits, ledger=ledger), asked)


def _question(sql: str | None, asked: dict[str, Any]) -> str:
    if (sql is None) == (asked["saved"] is None):
        raise InvalidInputError("Give one question: a SELECT, or --saved NAME. --tables lists what can be asked.")
    if (asked["plot"] is None) != (asked["svg"] is None):
        raise InvalidInputError("A plot needs both: --plot KIND X Y says which one, --svg FILE where to.")
    return sql if sql is not None else read_query(open_project(), asked["saved"]).sql


def _give(answer: Answer, asked: dict[str, Any]) -> None:
    written = []
    if asked["csv"]:
        written.append(write_file(asked["csv"], answer.flat().write_csv().encode()))
    if asked["parquet"]:
        buffer = BytesIO()
        answer.frame.write_parquet(buffer)
        written.append(write_file(asked["parquet"], buffer.getvalue()))
    if asked["plot"]:
        kind, x, y = asked["plot"]
        drawn = import_module(_PLOT).draw_answer(answer, x, y, kind).wide
        for name, colour in LIGHT.items():
            drawn = drawn.replace(f"var(--{name})", colour)
        written.append(write_file(asked["svg"], drawn.encode()))
    if asked["json_"]:
        tell({}, record={**answer.to_dict(), "written": list(map(str, written))})
        return
    if written:
        tell(
            {
                "Rows": f"{answer.frame.height:,}{' and more' if answer.truncated else ''}",
                "Written": list(map(str, written)),
            }
        )
        return
    shown = answer.flat().head(_SHOWN)
    show(shown.to_dicts(), json_=False, empty="No rows.")
    if answer.truncated or answer.frame.height > _SHOWN:
        click.echo(
            f"{shown.height} of {answer.frame.height:,}{' and more' if answer.truncated else ''} rows are shown.",
            err=True,
        )
