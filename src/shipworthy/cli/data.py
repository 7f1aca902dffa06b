"""`shipworthy data`: can the idea be proved with the data that are there, and what must every row satisfy?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import polars as pl

from shipworthy.cli.show import as_json, progress, tell
from shipworthy.data.contract import find_contract, read_contract
from shipworthy.data.contract_diff import compare_contracts
from shipworthy.data.contract_file import contract_path
from shipworthy.data.draft import write_draft
from shipworthy.data.examine import examine_data
from shipworthy.data.leakage import NOT_COVERED
from shipworthy.errors import GateClosedError, NotFoundError
from shipworthy.problem import Problem
from shipworthy.project import Project, open_project
from shipworthy.project.code import load_problem, only_problem
from shipworthy.store.frames import get_frame

_NO_LEAKS = "none found: what lies ahead was changed in five ways and no decision moved"


@click.command()
@click.argument("number", type=int, required=False)
@click.option(
    "--bad-rows", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows set apart to this CSV file."
)
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
        return _examine(project, number, bad_rows, json_=json_)
    if bad_rows is not None:
        raise click.UsageError("--bad-rows belongs to the NUMBER of an idea.")
    _, declared = load_problem(project, problem or only_problem(project))
    if diff_contract is not None:
        return _compare(project, declared, diff_contract, json_=json_)
    return _draft(project, declared, json_=json_)


def _examine(project: Project, number: int, bad_rows: Path | None, *, json_: bool) -> int:
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
            **_power(shown),
            "Remarks": list(answer.remarks) or None,
            "Snapshot": answer.snapshot,
            "Next": f"shipworthy research {number}" if answer.is_testable else None,
        },
        record={**asdict(answer), "is_testable": answer.is_testable} if json_ else None,
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
