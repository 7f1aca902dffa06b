"""What the logs hold of a rollout: each unit as it was decided last, each outcome as it was corrected last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from shipworthy.errors import InvalidInputError
from shipworthy.log import read_decisions, read_outcomes
from shipworthy.project import Project
from shipworthy.ship.release import Release
from shipworthy.ship.sides import Sides

MIXED = "mixed"
"""The arm of an entry whose units were answered by both, each by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One unit of one logged decision.

    Attributes:
        row: What was known of it.
        answered: The arm that answered.
        drawn: The arm that was drawn for it, which the champion may have stood in for.
    """

    row: Mapping[str, Any]
    answered: str
    drawn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One logged decision, with only the units that no later one of the same period decided again.

    Attributes:
        period: The period, as JSON has it.
        version: The move of the rollout under which it was made.
        asked: Its units.
        answers: What each arm gave.
    """

    period: Any
    version: int
    asked: Sequence[Asked]
    answers: Mapping[str, Mapping[str, Any]]

    def answer_of(self, releases: frozenset[str]) -> Mapping[str, Any] | None:
        """The answer of one side; None where it did not decide."""
        return next((answer for answer in self.answers.values() if answer["release"] in releases), None)


class Logged:
    """The logged decisions of both sides, with the outcomes that have come.

    Attributes:
        release: The idea's release, whose problem says what the columns mean.
        sides: Which releases are on which side.
        entries: The decisions, in the order in which they were made.
    """

    def __init__(self, project: Project, release: Release, sides: Sides) -> None:
        """Reads the logs."""
        self.release, self.sides = release, sides
        self._project = project
        self.entries = _decided_last(list(self._decisions()), release.problem.unit)

    @cached_property
    def settled(self) -> pl.DataFrame:
        """The rows that were decided, with their outcomes, as far as these have come.

        Raises:
            InvalidInputError: what was logged does not have the snapshot's types.
        """
        problem = self.release.problem
        outcomes = read_outcomes(self._project, problem.name)
        known = {(str(row[problem.period]), row[problem.unit]): row for entry in outcomes for row in entry["rows"]}
        rows = []
        for entry in self.entries:
            for asked in entry.asked:
                outcome = known.get((str(entry.period), asked.row[problem.unit]))
                if outcome is not None and outcome.get(problem.outcome) is not None:
                    late = {name: outcome.get(name) for name in problem.hidden}
                    rows.append({**asked.row, **self.keys(entry, asked.row), **late})
        return self.frame(rows)

    def keys(self, entry: Entry, row: Mapping[str, Any]) -> dict[str, Any]:
        """Period and unit of a row."""
        problem = self.release.problem
        return {problem.period: entry.period, problem.unit: row[problem.unit]}

    def decisions_of(self, releases: frozenset[str]) -> pl.DataFrame:
        """What one side decided for the units that stand, whoever answered."""
        problem, rows = self.release.problem, []
        for entry in self.entries:
            answer = entry.answer_of(releases)
            by_unit = {row[problem.unit]: row for row in answer["decisions"]} if answer else {}
            found = [by_unit[asked.row[problem.unit]] for asked in entry.asked if asked.row[problem.unit] in by_unit]
            rows += [{**self.keys(entry, row), **row} for row in found]
        return self.frame(rows)

    def frame(self, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
        """Logged rows as a frame with the types of the snapshot, columns that are not in it as they come.

        Raises:
            InvalidInputError: they do not have these types.
        """
        if not rows:
            return pl.DataFrame()
        try:
            return _typed(pl.DataFrame(rows, infer_schema_length=None), self.release.memory.schema)
        except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
            raise InvalidInputError(
                f"The live log of problem {self.release.problem.name!r} does not have the types of the snapshot: {error}. "
                "Correct what was sent to the service by sending it again."
            ) from error

    def _decisions(self) -> Iterator[Mapping[str, Any]]:
        """The entries that count: made since the evidence begins, by releases of these sides alone."""
        ours = self.sides.old | self.sides.new
        for entry in read_decisions(self._project, self.release.problem.name):
            made_by = {answer["release"] for answer in entry["answers"].values()}
            if made_by and made_by <= ours and (entry.get("rollout") or 0) >= self.sides.began:
                yield entry


def _decided_last(entries: Sequence[Mapping[str, Any]], unit: str) -> Sequence[Entry]:
    last = {(entry["period"], row[unit]): entry["id"] for entry in entries for row in entry["rows"]}
    found = []
    for entry in entries:
        answered = entry["arms"] if entry["arm"] == MIXED else [entry["arm"]] * len(entry["rows"])
        drawn = entry.get("drawn") or answered
        asked = [
            Asked(row=row, answered=by, drawn=for_it)
            for row, by, for_it in zip(entry["rows"], answered, drawn, strict=True)
            if last[entry["period"], row[unit]] == entry["id"]
        ]
        if asked:
            version = entry.get("rollout") or 0
            found.append(Entry(period=entry["period"], version=version, asked=asked, answers=entry["answers"]))
    return found


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
