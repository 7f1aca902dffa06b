"""`shipworthy data`: can the idea be proved with the data that are there, and what must every row satisfy?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import polars as pl

from shipworthy.analysis.report.data_page import write_data_page
from shipworthy.cli.show import as_json, progress, tell
from shipworthy.data.contract import find_contract, read_contract
from shipworthy.data.contract_diff import compare_contracts
from shipworthy.data.contract_file import contract_path
from shipworthy.data.draft import write_draft
from shipworthy.data.examine import examine_data
from shipworthy.data.leakage import NO_LEAKS, NOT_COVERED
from shipworthy.data.provable import power_facts
from shipworthy.errors import GateClosedError, NotFoundError
from shipworthy.problem import Problem
from shipworthy.project import Project, open_project
from shipworthy.project.code import load_problem, only_problem
from shipworthy.store.frames import get_frame


@click.command()
@click.argument("number", type=int, required=False)
@click.option(
    "--bad-rows", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows set apart to this CSV file."
)
@click.option("--report", is_flag=True, help="Write the answer as an HTML page, for a refused idea too.")
@click.option("--draft-contract", is_flag=True, help="Write a first contract from the rows as they are now.")
@click.option(
    "--diff-contract",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Compare an older contract with the current one.",
)
@click.option("--problem", help="Whose contract it is, where there are several problems.")
@as_json
def data(
    number: int | None,
    bad_rows: Path | None,
    report: bool,
    draft_contract: bool,
    diff_contract: Path | None,
    problem: str | None,
    json_: bool,
) -> int:
    """2. Data: take a snapshot, and answer whether idea NUMBER can be proved with it; or draft and compare contracts."""
    asked = [number is not None, draft_contract, diff_contract is not None]
    if sum(asked) != 1:
        raise click.UsageError("Give the NUMBER of an idea, or --draft-contract, or --diff-contract: one of them.")
    if number is not None and problem is not None:
        raise click.UsageError("--problem belongs to --draft-contract and --diff-contract: an idea names its problem.")
    project = open_project()
    if number is not None:
        return _examine(project, number, bad_rows, report=report, json_=json_)
    if bad_rows is not None or report:
        raise click.UsageError(f"{'--report' if report else '--bad-rows'} belongs to the NUMBER of an idea.")
    _, declared = load_problem(project, problem or only_problem(project))
    if diff_contract is not None:
        return _compare(project, declared, diff_contract, json_=json_)
    return _draft(project, declared, json_=json_)


def _examine(project: Project, number: int, bad_rows: Path | None, *, report: bool, json_: bool) -> int:
    with progress("looking for leaks, replaying the champion") as done:
        answer = examine_data(project, number, done)
    if bad_rows is not None:
        table = get_frame(project.objects, answer.quarantine) if answer.quarantine else pl.DataFrame()
        table.write_csv(bad_rows)
    written = str(write_data_page(project, number).relative_to(project.root)) if report else None
    covered = answer.profile
    tell(
        {
            "Answer": "testable" if answer.is_testable else "refused: not testable",
            "Because": [str(gap) for gap in answer.gaps] or None,
            "Rows": f"{covered['n_rows']:,} of {covered['n_units']:,} units in {covered['n_periods']:,} periods, "
            f"{covered['first']} to {covered['last']}",
            "Leaks": [NO_LEAKS, NOT_COVERED] if answer.is_testable else None,
            **(power_facts(answer.provable) if answer.provable else {}),
            "Remarks": list(answer.remarks) or None,
            "Snapshot": answer.snapshot,
            "Report": written,
            "Next": f"shipworthy research {number}" if answer.is_testable else None,
        },
        record={**asdict(answer), "is_testable": answer.is_testable, "report": written} if json_ else None,
    )
    return 0 if answer.is_testable else GateClosedError.exit_code


def _draft(project: Project, problem: Problem, *, json_: bool) -> int:
    path, draft = write_draft(project, problem)
    file = str(path.relative_to(project.root))
    bound = [name for name, expected in draft.columns.items() if expected.is_bound]
    facts = {
        "Contract": file,
        "Columns": f"{len(draft.columns)} by type, {len(bound)} of them also by their values",
        "Left out": [f"{name}: a contract has no type for {dtype}" for name, dtype in draft.left_out.items()] or None,
        "Next": f"edit {file}, review it, then shipworthy data NUMBER",
    }
    record: Mapping[str, Any] = {
        "file": file,
        "text": draft.text,
        "columns": {name: asdict(expected) for name, expected in draft.columns.items()},
        "left_out": dict(draft.left_out),
    }
    tell(facts, record=record if json_ else None)
    return 0


def _compare(project: Project, problem: Problem, old: Path, *, json_: bool) -> int:
    current = find_contract(project, problem.name)
    if current is None:
        raise NotFoundError(
            f"Problem {problem.name!r} has no {contract_path(project, problem.name)}. Write one with `shipworthy data "
            "--draft-contract`."
        )
    found = compare_contracts(read_contract(old), current, problem)
    breaks = any(difference.breaks for difference in found)
    facts = {
        "Contract": f"{current.file}, beside {old}",
        "Answer": "breaks what was good" if breaks else "only loosens" if found else "says the same",
        "Differences": [str(difference) for difference in found] or None,
    }
    record = {"breaks": breaks, "differences": [asdict(difference) for difference in found]}
    tell(facts, record=record if json_ else None)
    return GateClosedError.exit_code if breaks else 0
