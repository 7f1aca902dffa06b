"""`shipworthy decide`: decide a table now, as the service would, and write the plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from shipworthy.cli.show import as_json, show
from shipworthy.errors import GateClosedError, InvalidInputError
from shipworthy.live.batch import as_plan, decide_table, source_rows
from shipworthy.live.given import read_file, write_file
from shipworthy.live.serving import open_serving
from shipworthy.project import open_project
from shipworthy.project.code import only_problem
from shipworthy.step import Rung


@click.command()
@click.argument("problem", required=False)
@click.option("--rows", metavar="FILE", help="The rows to decide: Parquet, CSV or JSON, with a column of periods.")
@click.option("--from-source", metavar="PERIOD", help="Decide this period of the problem's own rows.")
@click.option("--out", metavar="FILE", help="Write the plan here: Parquet, CSV or JSON lines, by the ending.")
@click.option("--state", type=click.Path(path_type=Path), help="A JSON file with the state to decide from.")
@click.option("--strict", is_flag=True, help="End with exit code 4 where a policy did not decide itself.")
@as_json
def decide(
    problem: str | None,
    rows: str | None,
    from_source: str | None,
    out: str | None,
    state: Path | None,
    strict: bool,
    json_: bool,
) -> int:
    """Decide rows of PROBLEM now with what is rolled out, as the service would; the same rows again give the same decisions."""
    if (rows is None) == (from_source is None):
        raise click.UsageError("Give --rows or --from-source: one of them.")
    project = open_project()
    name = problem or only_problem(project)
    table = read_file(project, rows) if rows is not None else source_rows(project, name, str(from_source))
    answered = decide_table(project, name, table, _read_state(state))
    plan = as_plan(answered, open_serving(project, name).champion.release.problem.period)
    if out is not None:
        write_file(plan, out)
    documents = [{**one.document, "repeated": one.repeated} for one in answered]
    if json_:
        show(documents, json_=True)
    else:
        show([_row(document) for document in documents] if out is not None else plan.to_dicts(), json_=False)
    fell = [document["period"] for document in documents if Rung(document["rung"]).is_fall]
    if fell:
        click.echo(
            f"The policy did not decide itself in: {', '.join(map(str, fell))}. The decision log says why.", err=True
        )
    return GateClosedError.exit_code if fell and strict else 0


def _row(document: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: document[name] for name in ("period", "arm", "release", "rung", "status")}
    return {**told, "units": len(document["decisions"]), "decided": "before" if document["repeated"] else "now"}


def _read_state(path: Path | None) -> Mapping[str, Any] | None:
    if path is None:
        return None
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{path} cannot be read as JSON: {error}. Write the state as one object.") from error
    if not isinstance(state, dict):
        raise InvalidInputError(f"{path} holds no JSON object. Write the state as one, by name.")
    return state
