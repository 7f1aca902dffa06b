"""What has happened live in the window that the watch looks at: what was asked, what was decided, what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

from shipworthy.errors import InvalidInputError
from shipworthy.live.requests import Contract
from shipworthy.live.watch.promised import Promised
from shipworthy.log import read_decisions, read_outcomes
from shipworthy.problem import Period, Span
from shipworthy.project import Project

FEWEST_PERIODS = 8
"""The window holds as many periods, however long one is."""

_ANSWER: Mapping[str, Any] = {
    "release": pl.String,
    "rung": pl.String,
    "status": pl.String,
    "falls": pl.String,
    "gap": pl.Float64,
    "seconds": pl.Float64,
}

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What a window of the logs says.

    Attributes:
        at: The instant of looking.
        since: The instant from which on the logs were read; None where all of them were.
        asked: The rows as they were asked for last, each (period, unit) once.
        decided: What the release that serves, or one of its kind, decided for them last: period, unit and decisions.
        answers: One row per request that it answered, or decided in the shadow: when, which rung, how long.
        outcomes: The newest outcome of each (period, unit): period, unit and what is known only afterwards.
        first_asked: When the first request of each period came.
    """

    at: datetime
    since: datetime | None
    asked: pl.DataFrame
    decided: pl.DataFrame
    answers: pl.DataFrame
    outcomes: pl.DataFrame
    first_asked: Mapping[Period, datetime]

    @property
    def periods(self) -> list[Period]:
        """The periods that were asked for, in order."""
        return sorted(self.first_asked)


def read_lived(project: Project, promised: Promised, at: datetime, window: timedelta) -> Lived:
    """Reads the window of the logs that ends at an instant.

    Raises:
        InvalidInputError: what was logged does not have the snapshot's types.
    """
    problem, name = promised.problem, promised.problem.name
    since = window_start(promised, at, window)
    contract = Contract(
        problem, dict(promised.release.memory.schema), promised.release.units, promised.release.contract
    )
    decisions = [
        entry
        for entry in read_decisions(project, name, since=since)
        if _instant_of(entry) <= at and _is_about(entry, promised)
    ]
    posted = [entry for entry in read_outcomes(project, name, since=since) if _instant_of(entry) <= at]
    known = {key: contract.types[key] for key in (*problem.key, *promised.inputs)}
    late = {key: contract.types[key] for key in (*problem.key, *problem.hidden) if key in contract.types}
    try:
        periods = _periods([entry["period"] for entry in decisions], contract)
        asked = contract.to_frame(
            iter([{**row, problem.period: entry["period"]} for entry in decisions for row in entry["rows"]]), known
        )
        outcomes = contract.to_frame(iter([row for entry in posted for row in entry["rows"]]), late)
        answers = _answers([_own(entry, promised) for entry in decisions]).with_columns(
            periods, pl.Series("at", [_instant_of(entry) for entry in decisions], dtype=pl.Datetime("us", "UTC"))
        )
        decided = _decided(decisions, promised, contract)
    except (pl.exceptions.PolarsError, TypeError, ValueError, KeyError, OverflowError) as error:
        raise InvalidInputError(
            f"The live log of problem {name!r} does not have the types of the snapshot: {error}. Correct what was sent to the "
            "service by sending it again."
        ) from error
    first_asked: dict[Period, datetime] = {}
    for period, entry in zip(periods.to_list(), decisions, strict=True):
        first_asked.setdefault(period, _instant_of(entry))
    return Lived(
        at=at,
        since=since,
        asked=_last(asked, problem.key),
        decided=_last(decided, problem.key),
        answers=answers,
        outcomes=_last(outcomes, problem.key),
        first_asked=first_asked,
    )


def window_start(promised: Promised, at: datetime, window: timedelta) -> datetime | None:
    """From when on the logs are read: the window, at least eight periods, and the outcomes they wait for before it."""
    if not isinstance(promised.cadence, timedelta):
        return None
    return at - max(window, FEWEST_PERIODS * promised.cadence) - delay_of(promised)


def delay_of(promised: Promised) -> timedelta:
    """How long after its period an outcome may take; nothing where periods are numbers."""
    begin = datetime(2000, 1, 1)
    after = Span.of(promised.problem.outcome_delay).after(begin)
    return after - begin if isinstance(after, datetime) else timedelta(0)


def instant(period: Period) -> datetime | None:
    """When a period begins, in UTC; None where periods are numbers.

    >>> instant(date(2026, 1, 31)).isoformat(), instant(7)
    ('2026-01-31T00:00:00+00:00', None)
    """
    if isinstance(period, datetime):
        return period.astimezone(UTC) if period.tzinfo else period.replace(tzinfo=UTC)
    return datetime.combine(period, time(), UTC) if isinstance(period, date) else None


def _is_about(entry: Entry, promised: Promised) -> bool:
    return any(answer["release"] in promised.releases for answer in entry["answers"].values())


def _instant_of(entry: Entry) -> datetime:
    return datetime.fromisoformat(str(entry["at"])).astimezone(UTC)


def _own(entry: Entry, promised: Promised) -> Entry:
    found: Entry = next(answer for answer in entry["answers"].values() if answer["release"] in promised.releases)
    return found


def _answers(answers: Sequence[Entry]) -> pl.DataFrame:
    told = {name: [answer.get(name) for answer in answers] for name in _ANSWER}
    told["falls"] = ["; ".join(falls) if isinstance(falls, list) else falls for falls in told["falls"]]
    return pl.DataFrame(told, schema=_ANSWER)


def _decided(decisions: Sequence[Entry], promised: Promised, contract: Contract) -> pl.DataFrame:
    problem = promised.problem
    rows = [(entry["period"], row) for entry in decisions for row in _own(entry, promised)["decisions"]]
    keys = contract.to_frame(
        iter([{problem.period: period, problem.unit: row[problem.unit]} for period, row in rows]),
        {name: contract.types[name] for name in problem.key},
    )
    return keys.with_columns(
        pl.Series(name, [row.get(name) for _, row in rows], strict=False) for name in problem.decisions
    )


def _periods(said: Sequence[Any], contract: Contract) -> pl.Series:
    """Logged periods as the rows have them; the column is called `period`."""
    name = contract.problem.period
    return contract.to_frame(iter([{name: one} for one in said]), {name: contract.types[name]})[name].alias("period")


def _last(table: pl.DataFrame, key: tuple[str, str]) -> pl.DataFrame:
    return table.unique(list(key), keep="last", maintain_order=True).sort(key)
