"""What logged decisions were worth, once their outcomes are known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import polars as pl

from shipworthy.live.overrides import columns_of
from shipworthy.live.serving import Served
from shipworthy.log import read_outcomes
from shipworthy.log.taken import Key
from shipworthy.problem import Problem
from shipworthy.project import Project
from shipworthy.step import happened, worth
from shipworthy.step.worth import VALUE

Row = Mapping[str, Any]


def last_outcomes(project: Project, problem: Problem, periods: Collection[Any] | None = None) -> dict[Key, Row]:
    """The outcomes of some periods, or of all, by period and unit, as they were corrected last; null ones are not known."""
    period, unit = problem.key
    rows = (row for entry in read_outcomes(project, problem.name) for row in entry["rows"])
    found = {(row[period], row[unit]): row for row in rows if periods is None or row.get(period) in periods}
    return {key: row for key, row in found.items() if row.get(problem.outcome) is not None}


def money_of(served: Served, settled: Mapping[Key, Row], decisions: Mapping[Key, Row]) -> dict[Key, float]:
    """The money of each settled row by what was decided for it, as the release values it.

    Args:
        served: The release whose value counts, with the types of its columns.
        settled: Rows with their outcomes, as JSON values; whole periods, where money is per period.
        decisions: What was decided for each of them, and maybe for others.

    Raises:
        UserCodeError: the value cannot be computed.
    """
    problem, contract = served.release.problem, served.contract
    types = {name: dtype for name, dtype in contract.types.items() if name not in problem.decisions}
    rows = ({**row, problem.period: key[0], problem.unit: key[1]} for key, row in settled.items())
    table = worth(problem, happened(problem, contract.to_frame(rows, types), _decisions(served, settled, decisions)))
    return dict(zip(settled, table[VALUE].to_list(), strict=True))


def _decisions(served: Served, keys: Collection[Key], decisions: Mapping[Key, Row]) -> pl.DataFrame:
    """What was decided, with the key in the types of the release; decisions have the type in which they come."""
    columns, problem = columns_of(served), served.release.problem
    names = [*problem.key, *problem.decisions]
    turned = [name for name in names if columns[name].is_written_otherwise]
    rows = [
        {**dict(zip(problem.key, key, strict=True)), **{name: decisions[key][name] for name in problem.decisions}}
        for key in keys
    ]
    read = [{**row, **{name: columns[name].read_one(row[name]) for name in turned}} for row in rows]
    types = {name: columns[name].dtype for name in problem.key}
    return pl.DataFrame(read, schema_overrides=types, infer_schema_length=None)
