"""Overrides: what a person really did instead of what was decided, who it was, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

import msgspec
import polars as pl

from shipworthy.live.columns import Column
from shipworthy.live.decision_log import SegmentLog
from shipworthy.live.given import Row, as_rows, refuse_lacking
from shipworthy.live.refusals import FieldError, RefusedError, wrong_fields
from shipworthy.live.serving import Served
from shipworthy.log import read_overrides
from shipworthy.log.archive import OVERRIDES
from shipworthy.project import Project
from shipworthy.project.clock import stamp

MOST_ROWS = 50_000
"""How many rows one request may hold."""

BY, WHY = "by", "why"
_MOST_LETTERS = 1000
_TOGETHER = 1000

REASON = "reason"
"""The column that says why a row was refused."""


def columns_of(served: Served) -> Mapping[str, Column]:
    """The columns of a row that says what was done: period, unit, every decision, `by` and `why`."""
    types = {**served.release.golden.schema, BY: pl.String(), WHY: pl.String()}
    problem = served.release.problem
    return {name: Column(name, types[name], required=True) for name in (*problem.key, *problem.decisions, BY, WHY)}


def read_rows(columns: Mapping[str, Column], body: bytes) -> list[Row]:
    """Reads the body of posted overrides: its rows, as JSON values.

    Raises:
        RefusedError: a field is wrong; every one is named.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError(400, "The body is not JSON.") from None
    if type(content) is not dict or content.keys() != {"rows"}:
        raise RefusedError(422, "The body must be a JSON object with rows, and nothing else.")
    rows = content["rows"]
    if type(rows) is not list or not rows or len(rows) > MOST_ROWS:
        raise wrong_fields([FieldError("rows", f"must be a list of 1 to {MOST_ROWS} objects, one per unit")])
    errors = [error for place, row in enumerate(rows) for error in _errors(f"rows[{place}]", columns, row)]
    if errors:
        raise wrong_fields(errors)
    return [{name: msgspec.to_builtins(columns[name].read_one(value)) for name, value in row.items()} for row in rows]


class OverrideLog:
    """Where overrides are appended; it may be used from several threads."""

    def __init__(self, problem: str, folder: Path, latest: str = "") -> None:
        """Names the problem, the folder of its logs, and when the last override was noted, if that is known."""
        self._problem, self._latest, self._lock = problem, latest, Lock()
        self._log = SegmentLog(folder, OVERRIDES)

    def note(self, served: Served, body: bytes) -> int:
        """Notes posted overrides, durable when it returns, and says how many.

        Raises:
            RefusedError: the request is wrong.
            UnavailableError: they could not be logged.
        """
        period = served.release.problem.period
        rows = read_rows(columns_of(served), body)
        self.append([{**row, period: served.contract.written(row[period])} for row in rows])
        return len(rows)

    def append(self, rows: Sequence[Row]) -> None:
        """Logs rows that were checked.

        Raises:
            UnavailableError: they could not be logged.
        """
        with self._lock:
            at = self._latest = stamp(self._latest)
        self._log.append(
            msgspec.json.encode({"id": uuid4().hex, "at": at, "problem": self._problem, "rows": list(rows)})
        )

    def close(self) -> None:
        """Lets go of the log."""
        self._log.close()


def note_table(project: Project, served: Served, table: pl.DataFrame) -> tuple[int, int, pl.DataFrame]:
    """Notes the overrides of a table: how many are new or changed, how many were known, and those refused, each with a reason.

    Raises:
        InvalidInputError: a column is missing.
        UnavailableError: the log cannot be read or written.
    """
    columns, problem = columns_of(served), served.release.problem
    refuse_lacking(table, columns, "Overrides")
    before, latest = _known(project, problem.name, problem.key)
    fresh: dict[tuple[Any, ...], Row] = {}
    same, reasons = 0, {}
    for place, row in enumerate(as_rows(table, columns)):
        errors = list(_errors("", columns, row))
        if errors:
            reasons[place] = "; ".join(f"{error.field.lstrip('.')} {error.detail}" for error in errors)
            continue
        row[problem.period] = served.contract.written(row[problem.period])
        key = tuple(row[name] for name in problem.key)
        if before.get(key) == row:
            same += 1
        else:
            fresh[key] = row
    log, rows = OverrideLog(problem.name, project.log_folder / problem.name, latest), list(fresh.values())
    for start in range(0, len(rows), _TOGETHER):
        log.append(rows[start : start + _TOGETHER])
    log.close()
    refused = table[list(reasons)].with_columns(pl.Series(REASON, list(reasons.values()), dtype=pl.String))
    return len(fresh), same, refused


def _known(project: Project, problem: str, key: Sequence[str]) -> tuple[dict[tuple[Any, ...], Row], str]:
    """The overrides as they are known, and when the last one was noted."""
    known: dict[tuple[Any, ...], Row] = {}
    latest = ""
    for entry in read_overrides(project, problem):
        latest = entry["at"]
        known.update((tuple(row[name] for name in key), row) for row in entry["rows"])
    return known, latest


def _errors(where: str, columns: Mapping[str, Column], row: Any) -> list[FieldError]:
    if type(row) is not dict:
        return [FieldError(where, "must be an object with one member per column")]
    errors = [FieldError(f"{where}.{name}", "is missing") for name in columns if name not in row]
    errors += [
        FieldError(f"{where}.{str(name)[:60]}", f"is not known here. There is: {', '.join(columns)}")
        for name in row
        if name not in columns
    ]
    for name, column in columns.items():
        if name in row:
            errors += _wrong(f"{where}.{name}", column, row[name])
    return errors


def _wrong(field: str, column: Column, value: Any) -> list[FieldError]:
    try:
        column.read_one(value)
    except ValueError as error:
        return [FieldError(field, str(error))]
    if column.name in (BY, WHY) and not 0 < len(str(value).strip()) <= _MOST_LETTERS:
        return [
            FieldError(field, f"must say {'who did it' if column.name == BY else 'why'}, in {_MOST_LETTERS} letters")
        ]
    return []
