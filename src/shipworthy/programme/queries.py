"""Saved queries: questions with a name, kept as records for everybody, and a handful that every project has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.project import Project
from shipworthy.store import Change, Record

KIND = "query"
_NAME = r"[a-z0-9][a-z0-9-]{0,62}"
_LONGEST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question with a name.

    Attributes:
        name: Its name.
        sql: The question.
        why: What it tells, in a line.
        by: Who saved it; empty where it comes with shipworthy.
        at: When; None likewise.
        version: Which version; 0 likewise.
    """

    name: str
    sql: str
    why: str
    by: str = ""
    at: datetime | None = None
    version: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "at": self.at and self.at.isoformat()}


_OWN = (
    Query(
        name="verdicts",
        why="The newest verdict of each idea, the most money first.",
        sql="select project, idea, decision, gain_a_year, low_a_year, high_a_year, currency from verdicts where newest "
        "order by gain_a_year desc nulls last",
    ),
    Query(
        name="decisions-by-day",
        why="Decisions a day, and how many of them fell down the ladder.",
        sql="select problem, date_trunc('day', instant) as day, count(*) as decisions, "
        "count(*) filter (where rung <> 'policy') as fell, median(seconds) as seconds from decisions group by all order by day",
    ),
    Query(
        name="gain-by-unit",
        why="What each idea's evidence gains, unit by unit.",
        sql="select project, idea, unit, count(*) as periods, sum(value_challenger - value_champion) as gain from evidence "
        "group by all order by idea, gain desc",
    ),
    Query(
        name="overrides-by-reason",
        why="What people did instead of what was decided, by their reasons.",
        sql="select problem, row->>'why' as why, count(*) as units from overrides group by all order by units desc",
    ),
    Query(
        name="moves",
        why="What served when, and who moved it.",
        sql="select instant, problem, phase, idea, who, trigger, why from rollouts order by instant desc",
    ),
    Query(
        name="busiest",
        why="Who wrote how many records of which kind in the last 30 days.",
        sql="select who, kind, count(*) as records from records where instant > now()::timestamp - interval 30 day "
        "group by all order by records desc",
    ),
)
OWN: Mapping[str, Query] = {query.name: query for query in _OWN}
"""The questions that every project has."""


def save_query(project: Project, name: str, sql: str, why: str) -> Query:
    """Saves a question under a name; one that is there gets another version.

    Raises:
        InvalidInputError: the name or the question cannot be one, or shipworthy has a question of that name.
    """
    if not re.fullmatch(_NAME, name) or name in OWN:
        taken = "comes with shipworthy" if name in OWN else "is no name"
        raise InvalidInputError(f"{name!r} {taken}. Choose another one, of small letters, digits and '-'.")
    if not sql.strip() or not why.strip() or len(sql) + len(why) > _LONGEST:
        raise InvalidInputError(f"The question {name!r} needs its SELECT, and a line that says what it tells (why).")
    body = {"name": name, "sql": sql.strip(), "why": why.strip(), "by": project.who}
    [record] = project.records.add(Change(kind=KIND, key=name, body=body), by=project.who)
    return _query(record)


def find_queries(project: Project) -> list[Query]:
    """Every question that has a name, saved ones first."""
    return [*map(_query, project.records.find(KIND)), *_OWN]


def read_query(project: Project, name: str) -> Query:
    """A question by its name.

    Raises:
        NotFoundError: none has it.
    """
    if name in OWN:
        return OWN[name]
    record = project.records.get(KIND, name)
    if record is None:
        raise NotFoundError.among("query", name, [query.name for query in find_queries(project)])
    return _query(record)


def _query(record: Record) -> Query:
    said = record.body
    return Query(name=record.key, sql=said["sql"], why=said["why"], by=record.by, at=record.at, version=record.version)
