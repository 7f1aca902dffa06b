"""What live periods say: the old and the new release decided the same ones, and their outcomes have come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from shipworthy.errors import InvalidInputError
from shipworthy.log import read_outcomes
from shipworthy.log.taken import decisions_taken
from shipworthy.problem import Problem
from shipworthy.project import Project
from shipworthy.ship.release import Release
from shipworthy.step import happened, worth

_ROLES = ("champion", "challenger")
ANSWERED = "answered"
"""The column that says whether the idea's release was the one that answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEvidence:
    """The paired table of an idea's live periods.

    Attributes:
        table: One row per (period, unit) whose outcome is known, in the form of a replay's evidence: `champion` is the
            release from before the idea, `challenger` the one that carries it, whichever answers by now.
        asked: Periods that both were asked for.
        fell: Periods among them in which the idea's release did not decide itself.
    """

    table: pl.DataFrame
    asked: int
    fell: int


def live_evidence(project: Project, old: str, new: Release) -> LiveEvidence:
    """Joins the decision log with the outcomes, for the periods that both releases decided.

    A unit that was asked for several times in a period counts as it was decided last, an outcome as it was corrected last.

    Raises:
        InvalidInputError: what was logged does not have the snapshot's types.
        UserCodeError: the release's value or a guardrail cannot be computed from what was logged.
    """
    both = {old, new.id}
    log = decisions_taken(project, new.problem)
    decided = [entry for entry in log if both <= {answer["release"] for answer in entry["answers"].values()}]
    entries = _decided_last(decided, new.problem.unit)
    rungs = {entry["period"]: _answer(entry, new.id)["rung"] for entry in entries}
    fell = sum(rung not in ("policy", "incumbent") for rung in rungs.values())
    settled = _settled(new, entries, read_outcomes(project, new.problem.name))
    if settled.is_empty():
        return LiveEvidence(table=pl.DataFrame(), asked=len(rungs), fell=fell)
    worths = [_worth(new.problem, settled, _decisions(new, entries, release)) for release in (old, new.id)]
    named = [_named(new.problem, table, role) for table, role in zip(worths, _ROLES, strict=True)]
    answered = _frame(
        new,
        [{**_keys(new, entry, row), ANSWERED: _answers(entry, new.id)} for entry in entries for row in entry["rows"]],
    )
    paired = named[0].join(named[1], on=["period", "unit"])
    paired = paired.join(answered.rename(_renamed(new.problem)), on=["period", "unit"])
    return LiveEvidence(table=paired.sort("period", "unit"), asked=len(rungs), fell=fell)


def _decided_last(entries: Sequence[Mapping[str, Any]], unit: str) -> list[Mapping[str, Any]]:
    """The entries in their order, each with only the rows that no later one of the same period decided again."""
    last = {(entry["period"], row[unit]): entry["id"] for entry in entries for row in entry["rows"]}

    def kept(entry: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [row for row in rows if last[entry["period"], row[unit]] == entry["id"]]

    return [
        {
            **entry,
            "rows": kept(entry, entry["rows"]),
            "answers": {
                arm: {**answer, "decisions": kept(entry, answer["decisions"])}
                for arm, answer in entry["answers"].items()
            },
        }
        for entry in entries
    ]


def _answer(entry: Mapping[str, Any], release: str) -> Mapping[str, Any]:
    return next(answer for answer in entry["answers"].values() if answer["release"] == release)


def _answers(entry: Mapping[str, Any], release: str) -> bool:
    return bool(entry["answers"][entry["arm"]]["release"] == release)


def _keys(release: Release, entry: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    return {release.problem.period: entry["period"], release.problem.unit: row[release.problem.unit]}


def _settled(
    release: Release, entries: Sequence[Mapping[str, Any]], outcomes: Iterable[Mapping[str, Any]]
) -> pl.DataFrame:
    """The rows that were decided, with their outcomes, as far as these have come."""
    problem = release.problem
    known = {(str(row[problem.period]), row[problem.unit]): row for entry in outcomes for row in entry["rows"]}
    rows = []
    for entry in entries:
        for row in entry["rows"]:
            outcome = known.get((str(entry["period"]), row[problem.unit]))
            if outcome is not None and outcome.get(problem.outcome) is not None:
                late = {name: outcome.get(name) for name in problem.hidden}
                rows.append({**row, **_keys(release, entry, row), **late})
    return _frame(release, rows)


def _decisions(release: Release, entries: Sequence[Mapping[str, Any]], which: str) -> pl.DataFrame:
    return _frame(
        release,
        [{**_keys(release, entry, row), **row} for entry in entries for row in _answer(entry, which)["decisions"]],
    )


def _frame(release: Release, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Logged rows as a frame with the types of the snapshot, columns that are not in it as they come."""
    if not rows:
        return pl.DataFrame()
    try:
        return _typed(pl.DataFrame(rows, infer_schema_length=None), release.memory.schema)
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
        raise InvalidInputError(
            f"The live log of problem {release.problem.name!r} does not have the types of the snapshot: {error}. Correct what "
            "was sent to the service by sending it again."
        ) from error


def _typed(frame: pl.DataFrame, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    casts = []
    for name, dtype in schema.items():
        if name not in frame.columns or frame.schema[name] == dtype:
            continue
        column = pl.col(name)
        if frame.schema[name] == pl.String and dtype == pl.Date:
            column = column.str.to_date()
        elif frame.schema[name] == pl.String and dtype == pl.Datetime:
            column = column.str.to_datetime(time_zone=dtype.time_zone)  # type: ignore[attr-defined]  # a Datetime has one
        casts.append(column.cast(dtype))
    return frame.with_columns(casts)


def _worth(problem: Problem, settled: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    return worth(problem, happened(problem, settled, decisions))


def _renamed(problem: Problem) -> dict[str, str]:
    return {problem.period: "period", problem.unit: "unit"}


def _named(problem: Problem, table: pl.DataFrame, role: str) -> pl.DataFrame:
    names = _renamed(problem)
    return table.rename({name: names.get(name, f"{name}_{role}") for name in table.columns})
