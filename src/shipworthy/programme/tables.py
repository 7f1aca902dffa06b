"""The tables that can be asked, laid into a folder as files, and the SQL that names them.

Only those are laid that a question mentions. What a sealed holdout withholds is in none of them: estimates leak.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from shipworthy.analysis.analyse import read_analysis
from shipworthy.analysis.withheld import open_body
from shipworthy.ideas.register import list_ideas
from shipworthy.log.archive import DECISIONS, OUTCOMES, OVERRIDES
from shipworthy.log.files import log_files, logged_problems
from shipworthy.programme.quoting import quoted
from shipworthy.project import Project
from shipworthy.research.research import read_research
from shipworthy.ship.rollout import rollout_history
from shipworthy.ship.standing import standing
from shipworthy.store import Record, feed, get_content

TABLES: Mapping[str, str] = {
    "ideas": "project, idea, title, problem, challenger, change, because, owner, deadline, smallest_gain, expected_low, "
    "expected_likely, expected_high, per, effort, stage, stands, gap",
    "verdicts": "project, idea, version, newest, instant, who, decision, gain, low, high, gain_a_year, low_a_year, "
    "high_a_year, probability_of_harm, currency, sealed, reason",
    "rollouts": "project, problem, version, newest, instant, who, phase, idea, champion, challenger, share, trigger, why",
    "records": "project, kind, key, version, newest, instant, who, body",
    "evidence": "project, idea, stretch, period, unit, value_champion, value_challenger, and what else was paired",
    "decisions": "project, problem, id, instant, period, phase, rollout, arm, release, rung, status, seconds, rows, entry",
    "outcomes": "project, problem, id, instant, row",
    "overrides": "project, problem, id, instant, row",
    "ledger": "project, idea, title, problem, phase, currency, cadence, forecast, forecast_low, forecast_high, raw, "
    "realised, realised_low, realised_high, periods, answered, earned",
}
"""The tables, each with its columns; `entry`, `body` and `row` are JSON, instants are in UTC."""

_OPEN = "and what else was paired"
"""What stands for the columns of evidence that differ from project to project."""

_INSTANT = pl.Datetime("us")
_ENTRY: Mapping[str, str] = {
    "id": "json->>'$.id'",
    "instant": "(json->>'$.at')::timestamptz::timestamp",
    "period": "json->>'$.period'",
    "phase": "json->>'$.phase'",
    "rollout": "(json->>'$.rollout')::bigint",
    "arm": "json->>'$.arm'",
    **{
        name: f"json_extract_string(json, '$.answers.' || (json->>'$.arm') || '.{name}'){cast}"
        for name, cast in (("release", ""), ("rung", ""), ("status", ""), ("seconds", "::double"))
    },
    "rows": "json_array_length(json, '$.rows')::bigint",
    "entry": "json::varchar",
}
"""The columns of a logged entry, as a line of a segment has them; the archive has them under these names already."""


@dataclass(frozen=True, slots=True)
class Laid:
    """Tables that are laid: the SQL that makes them, and the only files that it may read."""

    views: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


def columns_of(table: str) -> list[str]:
    """The columns that a table has everywhere.

    >>> columns_of("evidence")[-1]
    'value_challenger'
    """
    return [column for column in TABLES[table].split(", ") if column != _OPEN]


def mentioned(sql: str) -> list[str]:
    """The tables whose names stand in a question.

    >>> mentioned("select count(*) from Decisions join ideas using (project)")
    ['ideas', 'decisions']
    """
    return [name for name in TABLES if re.search(rf"\b{name}\b", sql, flags=re.IGNORECASE)]


def lay_tables(
    projects: Sequence[Project], sql: str, folder: Path, ledger: Mapping[str, Sequence[Mapping[str, Any]]] | None = None
) -> Laid:
    """Lays the tables that a question mentions.

    Args:
        projects: The only projects whose rows are in them.
        sql: The question.
        folder: Where files are put.
        ledger: By a project's space the lines of its ledger, as `Line.to_dict` gives them.
    """
    laid = Laid()
    for name in mentioned(sql):
        if name in _FRAMES:
            frame = pl.DataFrame(list(_FRAMES[name][1](projects)), schema=_FRAMES[name][0], orient="row")
            _lay(laid, folder, name, frame)
        elif name == "ledger":
            _lay(laid, folder, name, _ledger(ledger or {}))
        elif name == "evidence":
            _lay_evidence(laid, folder, projects)
        else:
            _lay_log(laid, folder, projects, name)
    return laid


def _lay(laid: Laid, folder: Path, name: str, frame: pl.DataFrame) -> None:
    path = folder / f"{name}.parquet"
    frame.write_parquet(path)
    laid.paths.append(str(path))
    laid.views.append(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({quoted(str(path))})")  # noqa: S608  (our own names)


def _ideas(projects: Iterable[Project]) -> Iterator[Sequence[Any]]:
    for project in projects:
        for idea in list_ideas(project):
            stands = standing(project, idea)
            texts = (idea.title, idea.problem, idea.challenger, idea.change, idea.because, idea.owner)
            worth = (idea.smallest_gain, *(idea.expected_gain or (None, None, None)), idea.per)
            gap = str(stands.gaps[0]) if stands.gaps else None
            yield (
                project.space,
                idea.number,
                *texts,
                idea.deadline,
                *worth,
                idea.effort,
                str(stands.stage),
                stands.says,
                gap,
            )


def _verdicts(projects: Iterable[Project]) -> Iterator[Sequence[Any]]:
    for project in projects:
        for newest in project.records.find("verdict"):
            for record in project.records.history("verdict", newest.key):
                yield _verdict(project, record, record.version == newest.version)


def _verdict(project: Project, record: Record, newest: bool) -> Sequence[Any]:
    found = read_analysis(record)
    verdict = found.verdict
    each = verdict.per_period()
    year = verdict.per_year() if verdict.criteria.units_per_year else None
    money = [each.gain, each.low, each.high, *((year.gain, year.low, year.high) if year else (None, None, None))]
    about = (project.space, int(record.key), record.version, newest, _utc(record.at), record.by, str(verdict.decision))
    reason = verdict.reasons[0] if verdict.reasons else ""
    return (*about, *map(_known, money), verdict.probability_of_harm, found.currency, found.is_sealed, reason)


def _known(amount: float | None) -> float | None:
    """An amount that can be averaged: what is withheld, or open, is null."""
    return amount if amount is not None and abs(amount) < float("inf") else None


def _rollouts(projects: Iterable[Project]) -> Iterator[Sequence[Any]]:
    for project in projects:
        for record in project.records.find("rollout"):
            for move in rollout_history(project, record.key):
                idea = int(move.idea) if move.idea else None
                when = (move.problem, move.version, move.version == record.version, _utc(move.at), move.by)
                releases = (str(move.phase), idea, move.champion, move.challenger, move.share)
                yield project.space, *when, *releases, move.trigger, move.why


def _records(projects: Iterable[Project]) -> Iterator[Sequence[Any]]:
    for project in projects:
        newest: dict[tuple[str, str], int] = {}
        rows = []
        for record in feed(project.records):
            newest[record.kind, record.key] = max(record.version, newest.get((record.kind, record.key), 0))
            rows.append((record.kind, record.key, record.version, record.at, record.by, open_body(record)))
        for kind, key, version, at, by, body in rows:
            said = json.dumps(body, separators=(",", ":"))
            yield project.space, kind, key, version, version == newest[kind, key], _utc(at), by, said


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)


def _schema(names: str, **types: Any) -> dict[str, Any]:
    return {name: types.get(name, pl.String()) for name in names.split(", ")}


_FLOATS = dict.fromkeys(
    (
        *("smallest_gain", "expected_low", "expected_likely", "expected_high", "effort", "share", "raw", "earned"),
        *("gain", "low", "high", "gain_a_year", "low_a_year", "high_a_year", "probability_of_harm"),
        *("forecast", "forecast_low", "forecast_high", "realised", "realised_low", "realised_high"),
    ),
    pl.Float64(),
)
_WHOLE = {name: pl.Int64() for name in ("idea", "version", "periods", "answered")}
_TYPES: Mapping[str, Any] = {
    **_FLOATS,
    **_WHOLE,
    "newest": pl.Boolean(),
    "sealed": pl.Boolean(),
    "deadline": pl.Date(),
    "instant": _INSTANT,
}
_Rows = Callable[[Iterable[Project]], Iterator[Sequence[Any]]]
_FRAMES: Mapping[str, tuple[dict[str, Any], _Rows]] = {
    name: (_schema(TABLES[name], **_TYPES), read)
    for name, read in (("ideas", _ideas), ("verdicts", _verdicts), ("rollouts", _rollouts), ("records", _records))
}


def _ledger(lines: Mapping[str, Sequence[Mapping[str, Any]]]) -> pl.DataFrame:
    rows = []
    for space, told in lines.items():
        for line in told:
            realised, forecast = line.get("realised") or {}, line.get("forecast") or {}
            row = {
                **line,
                "project": space,
                "forecast": forecast.get("gain"),
                "forecast_low": forecast.get("low"),
                "forecast_high": forecast.get("high"),
                "realised": realised.get("gain"),
                "realised_low": realised.get("low"),
                "realised_high": realised.get("high"),
            }
            rows.append({name: row.get(name) for name in TABLES["ledger"].split(", ")})
    return pl.DataFrame(rows, schema=_schema(TABLES["ledger"], **_TYPES))


def _lay_evidence(laid: Laid, folder: Path, projects: Iterable[Project]) -> None:
    """One view over the newest evidence of every idea; of a sealed holdout nothing, but what was open beside it."""
    found: list[tuple[str, int, str, Path]] = []
    for project in projects:
        for record in project.records.find("research"):
            run = read_research(record)
            address = run.evidence if run.holdout is None else run.development
            if address is None:
                continue
            path = folder / f"evidence-{len(found)}.parquet"
            path.write_bytes(get_content(project.objects, address))
            found.append((project.space, int(record.key), "whole" if run.holdout is None else "development", path))
    schemas = [pl.read_parquet_schema(path) for *_, path in found]
    shared = _shared_types(schemas)
    selects = []
    for (space, idea, stretch, path), schema in zip(found, schemas, strict=True):
        about = f"{quoted(space)} AS project, {idea}::bigint AS idea, {quoted(stretch)} AS stretch"
        columns = ", ".join(f"{_named(name)}{shared[name]} AS {_named(name)}" for name in schema)
        selects.append(f"SELECT {about}, {columns} FROM read_parquet({quoted(str(path))})")  # noqa: S608  (all in quotes)
    empty = (
        "SELECT ''::varchar AS project, 0::bigint AS idea, ''::varchar AS stretch, NULL::date AS period, ''::varchar AS "
        "unit, 0.0::double AS value_champion, 0.0::double AS value_challenger WHERE false"
    )
    laid.views.append(f"CREATE VIEW evidence AS {' UNION ALL BY NAME '.join(selects) or empty}")
    laid.paths.extend(str(path) for *_, path in found)


def _shared_types(schemas: Sequence[Mapping[str, pl.DataType]]) -> dict[str, str]:
    """What each column is cast to, so that all evidence fits into one table: nothing where it is of one type everywhere."""
    types: dict[str, set[pl.DataType]] = {}
    for schema in schemas:
        for name, dtype in schema.items():
            types.setdefault(name, set()).add(dtype)
    return {
        name: "" if len(seen) == 1 else "::double" if all(one.is_numeric() for one in seen) else "::varchar"
        for name, seen in types.items()
    }


def _named(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _lay_log(laid: Laid, folder: Path, projects: Iterable[Project], name: str) -> None:
    """A view over the files of one log, each entry once: what was compacted, then the segments."""
    noun = {"decisions": DECISIONS, "outcomes": OUTCOMES, "overrides": OVERRIDES}[name]
    columns = list(_ENTRY) if noun == DECISIONS else ["id", "instant", "entry"]
    archived = ", ".join('"at"::timestamp AS instant' if one == "instant" else one for one in columns)
    lines = ", ".join(f"{_ENTRY[one]} AS {one}" for one in columns)
    selects = []
    for project in projects:
        for problem in logged_problems(project):
            place = folder / f"log-{len(laid.paths)}"
            place.mkdir(exist_ok=True)
            parts, segments = log_files(project, problem, noun, place)
            about = f"SELECT {quoted(project.space)} AS project, {quoted(problem)} AS problem"
            if parts:
                selects.append(f"{about}, {archived} FROM read_parquet([{_listed(parts)}])")
            if segments:
                source = (
                    f"read_ndjson_objects([{_listed(segments)}], ignore_errors = true, maximum_object_size = 33554432)"
                )
                selects.append(f"{about}, {lines} FROM {source} WHERE json->>'$.id' IS NOT NULL")
            laid.paths.extend(map(str, [*parts, *segments]))
    kinds = {"instant": "timestamp", "rollout": "bigint", "seconds": "double", "rows": "bigint"}
    empty = ", ".join(f"NULL::{kinds.get(one, 'varchar')} AS {one}" for one in ("project", "problem", *columns))
    entries = " UNION ALL ".join(selects) or f"SELECT {empty} WHERE false"
    if noun == DECISIONS:
        laid.views.append(f"CREATE VIEW decisions AS {entries}")
        return
    row = "unnest(json_extract(entry, '$.rows[*]'))::varchar AS row"
    laid.views.append(f"CREATE VIEW {name} AS SELECT project, problem, id, instant, {row} FROM ({entries})")  # noqa: S608


def _listed(paths: Iterable[Path]) -> str:
    return ", ".join(quoted(str(path)) for path in paths)
