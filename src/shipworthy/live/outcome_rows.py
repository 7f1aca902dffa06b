"""Outcomes from a table: late ones, corrected ones and the same ones again, each noted once in the durable log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import msgspec
import polars as pl

from shipworthy.data.guard import Guard
from shipworthy.errors import InvalidInputError
from shipworthy.live.decision_log import SegmentLog
from shipworthy.live.given import Row, as_rows, read_source, refuse_lacking
from shipworthy.live.refusals import RefusedError
from shipworthy.live.requests import Contract
from shipworthy.live.serving import Serving
from shipworthy.log import read_decisions, read_outcomes
from shipworthy.log.archive import OUTCOMES
from shipworthy.project import Project
from shipworthy.project.clock import stamp

_TOGETHER = 1000
"""How many rows are looked at, and logged, at once."""

REASON = "reason"
"""The column that says why a row was refused."""

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What became of the rows of a table.

    Attributes:
        new: Rows whose outcome was not known.
        corrected: Rows whose outcome was known otherwise.
        same: Rows whose outcome was known already; nothing was written for them.
        open: Rows whose outcome is not there yet.
        undecided: Rows that nobody decided live, left out where the table is the whole source.
        refused: Rows that break the contract, as they came, with the reason of each.
    """

    new: int
    corrected: int
    same: int
    open: int
    undecided: int
    refused: pl.DataFrame


def note_table(project: Project, serving: Serving, table: pl.DataFrame, *, decided_only: bool = False) -> Noted:
    """Notes the outcomes of a table; the same table twice changes nothing.

    Of a (period, unit) that stands in it several times the last row counts. Columns that are no outcome are left aside; a row
    whose outcome is null is one that is not known yet.

    Raises:
        InvalidInputError: a column that outcomes must have is not there.
        UnavailableError: the log cannot be read or written; what was noted until then is noted.
    """
    contract = serving.champion.contract
    problem = contract.problem
    columns = {**contract.settled, **contract.known_after}
    refuse_lacking(table, contract.settled, "Outcomes")
    known_now = table.filter(pl.col(problem.outcome).is_not_null())
    kept, refused = _sorted_out(contract, known_now, as_rows(known_now, columns))
    rows = {tuple(row[name] for name in problem.key): row for row in kept}
    wanted = rows.keys() & _decided(project, contract) if decided_only else rows.keys()
    before, latest = _known(project, contract, wanted)
    told = {key: {**before.get(key, {}), **row} for key, row in rows.items() if key in wanted}
    fresh = [row for key, row in told.items() if row != before.get(key)]
    _append(project, problem.name, fresh, latest)
    corrected = sum(tuple(row[name] for name in problem.key) in before for row in fresh)
    return Noted(
        new=len(fresh) - corrected,
        corrected=corrected,
        same=len(told) - len(fresh),
        open=table.height - known_now.height,
        undecided=len(rows) - len(told),
        refused=refused,
    )


def note_source(project: Project, serving: Serving) -> Noted:
    """Notes the outcomes that the problem's own source has by now, of the rows that were decided live.

    Raises:
        InvalidInputError: the source lacks a column.
        UnavailableError: the source or the log does not answer.
    """
    problem, table = read_source(project, serving.champion.release.problem.name)
    if problem.key != serving.champion.release.problem.key:
        raise InvalidInputError(
            f"The rows of problem {problem.name!r} are keyed by {', '.join(problem.key)} by now, and what serves knows "
            f"{', '.join(serving.champion.release.problem.key)}. Give the outcomes as a file."
        )
    return note_table(project, serving, table, decided_only=True)


def _sorted_out(contract: Contract, table: pl.DataFrame, rows: Sequence[Row]) -> tuple[list[Row], pl.DataFrame]:
    """The rows that keep the contract, and the others as they came, each with a reason."""
    kept: list[Row] = []
    places: list[int] = []
    reasons: list[str] = []
    for start in range(0, len(rows), _TOGETHER):
        some = rows[start : start + _TOGETHER]
        for place, row, reason in _read_each(contract, some):
            if reason is None:
                kept.append(row)
            else:
                places.append(start + place)
                reasons.append(reason)
    refused = table[places].with_columns(pl.Series(REASON, reasons, dtype=pl.String))
    return kept, refused


def _read_each(contract: Contract, rows: Sequence[Row]) -> Iterator[tuple[int, Row, str | None]]:
    """The rows as the service would read them: all at once, and one by one only where that finds something."""
    try:
        read = contract.read_outcomes(json.dumps({"rows": rows}).encode())  # which has a word for NaN
    except RefusedError as refusal:
        if len(rows) == 1:
            yield 0, rows[0], str(refusal).removeprefix("rows[0].")
            return
        for place, row in enumerate(rows):
            for _, one, reason in _read_each(contract, [row]):
                yield place, one, reason
        return
    for place, (row, reason) in enumerate(zip(read, _broken_rules(contract, read), strict=True)):
        yield place, row, reason


def _broken_rules(contract: Contract, rows: Sequence[Row]) -> list[str | None]:
    """Which rule of the problem's contract each row breaks, as far as it is about outcomes."""
    types = {name: column.dtype for name, column in {**contract.settled, **contract.known_after}.items()}
    guard = Guard(contract.of_rows, types) if contract.of_rows else None
    if guard is None or not guard.rules:
        return [None] * len(rows)
    frame = contract.to_frame(iter(rows), types)
    says: list[str | None] = [None] * len(rows)
    for rule, broken in zip(guard.rules, guard.broken(frame), strict=True):
        for place in broken.fill_null(value=False).arg_true():
            says[place] = says[place] or rule.reason
    return says


def _decided(project: Project, contract: Contract) -> set[Key]:
    unit = contract.problem.unit
    return {
        (entry["period"], row[unit])
        for entry in read_decisions(project, contract.problem.name)
        for row in entry["rows"]
    }


def _known(project: Project, contract: Contract, wanted: set[Key] | Any) -> tuple[dict[Key, Row], str]:
    """The outcomes of these keys as they are known, and when the last ones of all were noted."""
    known: dict[Key, Row] = {}
    latest = ""
    for entry in read_outcomes(project, contract.problem.name):
        latest = entry["at"]
        for row in entry["rows"]:
            key = tuple(row.get(name) for name in contract.problem.key)
            if key in wanted:
                known[key] = row
    return known, latest


def _append(project: Project, problem: str, rows: Sequence[Row], latest: str) -> None:
    """Logs the rows after all that was noted before, so that they count."""
    log = SegmentLog(project.log_folder / problem, OUTCOMES)
    try:
        for start in range(0, len(rows), _TOGETHER):
            latest = stamp(latest)
            some = list(rows[start : start + _TOGETHER])
            log.append(msgspec.json.encode({"id": uuid4().hex, "at": latest, "problem": problem, "rows": some}))
    finally:
        log.close()
