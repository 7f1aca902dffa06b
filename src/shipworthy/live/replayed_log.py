"""Logged requests decided again by any release, by the same step and with what was known then, beside what was answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from math import isclose
from typing import Any

import msgspec
import polars as pl

from shipworthy.live.arms import TIME_LIMIT
from shipworthy.live.outcomes import LivePast, archive_of
from shipworthy.live.serving import Served, as_json
from shipworthy.live.valued import last_outcomes, money_of
from shipworthy.log import read_decisions
from shipworthy.log.archive import Entry
from shipworthy.log.taken import Key, answered
from shipworthy.project import Project
from shipworthy.ship.release import open_release
from shipworthy.step import Decided, Moment, Rung, seed_of, take_step

_TOLERANCE = 1e-9

Row = Mapping[str, Any]


class Match(StrEnum):
    """How what a release decides now compares with what was answered then."""

    EQUAL = "equal"
    TIED = "tied"
    DIFFERENT = "different"
    UNDECIDED = "undecided"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """One logged decision, decided again.

    Attributes:
        match: Equal; tied, where it is another plan for the same money; different; undecided, where the release could not; not
            asked, where the logged rows lack columns that it needs.
        units: How many units it has.
        changed: How many of them are decided otherwise.
        gain: The money of what is decided now less that of what was answered; None where it cannot be known.
        why: What is missing, or why it fell; empty where nothing is to be said.
        rows: What was answered and what is decided now, one row per unit.
    """

    match: Match
    units: int
    changed: int
    gain: float | None
    why: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class LogReplay:
    """All logged decisions of a span of time, decided again.

    Attributes:
        decisions: One for each logged decision, in their order.
        currency: The currency of all amounts.
        is_valued: Whether gains can be told: outcomes do not depend on what is decided.
    """

    decisions: Sequence[Again]
    currency: str
    is_valued: bool

    @property
    def table(self) -> pl.DataFrame:
        """One row per decision and unit: what was answered, and what is decided now."""
        return pl.DataFrame([row for one in self.decisions for row in one.rows], infer_schema_length=None)


def replay_log(
    project: Project,
    problem: str,
    release: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    done: Callable[[int, int], None] = lambda done, of: None,
) -> LogReplay:
    """Decides logged requests again with a release, each with what was known when it was decided.

    Attempts that nothing could decide are left out. A solver that stops by the clock may decide otherwise today.

    Args:
        project: Where logs and releases are.
        problem: The problem's name.
        release: The id of the release.
        since: Only what was decided at this instant or later.
        until: Only what was decided before this instant.
        done: Called with how many are done, and of how many.

    Raises:
        NotFoundError: there is no such release.
        UnavailableError: a store or the log does not answer.
    """
    served = Served(open_release(project, release))
    folder = project.log_folder / problem
    end = None if until is None else until.astimezone(UTC).isoformat(timespec="microseconds")
    entries = [
        entry
        for entry in read_decisions(project, problem, since=since)
        if (end is None or entry["at"] < end) and _was_decided(entry)
    ]
    declared = served.release.problem
    outcomes = last_outcomes(project, declared) if declared.counterfactual else {}
    found = []
    with closing(LivePast(folder, key=declared.key, archive=archive_of(project, problem, folder))) as past:
        for place, entry in enumerate(entries, start=1):
            found.append(_again(served, past, entry, outcomes))
            done(place, len(entries))
    return LogReplay(found, declared.currency, declared.counterfactual)


def _was_decided(entry: Entry) -> bool:
    return any(answer["rung"] != Rung.NONE for answer in entry["answers"].values())


def _again(served: Served, past: LivePast, entry: Entry, outcomes: Mapping[Key, Row]) -> Again:
    problem = served.release.problem
    given = {unit: (entry["answers"][arm], row) for unit, (arm, row) in answered(entry, problem.unit).items()}
    absent = [name for name in served.contract.asked if name not in entry["rows"][0]]
    if absent:
        why = f"The logged rows have no {', '.join(absent)}."
        rows = list(_rows(problem.decisions, entry, given, {}, Match.NOT_ASKED, None))
        return Again(match=Match.NOT_ASKED, units=len(given), changed=0, gain=None, why=why, rows=rows)
    step = _decided(served, past, entry)
    decided = {row[problem.unit]: row for row in msgspec.to_builtins(step.decisions.to_dicts())}
    changed = sum(
        any(decided[unit][name] != row[name] for name in problem.decisions) for unit, (_, row) in given.items()
    )
    money = _money(served, entry, {unit: row for unit, (_, row) in given.items()}, decided, outcomes)
    gain = None if money is None else sum(money[1].values()) - sum(money[0].values())
    match = _match(step, changed, gain, None if money is None else sum(money[0].values()))
    rows = list(_rows(problem.decisions, entry, given, decided, match, money, str(step.rung)))
    return Again(match=match, units=len(given), changed=changed, gain=gain, why="; ".join(step.falls), rows=rows)


def _decided(served: Served, past: LivePast, entry: Entry) -> Decided:
    """The step, as the service took it."""
    release, contract = served.release, served.contract
    period = contract.columns[release.problem.period].read_one(entry["period"])
    past.cover(as_json(period), as_json(served.first_remembered(period)), entry["at"])
    past.refresh(entry["at"])
    moment = Moment(
        period=period,
        rows=contract.frame(period, entry["rows"]),
        history=served.history(past),
        state=entry["state"],
        last=served.last_plan(past, period, [row[release.problem.unit] for row in entry["rows"]]),
        seed=seed_of(release.seed, period),
        time_limit=entry.get("time_limit") or TIME_LIMIT,
    )
    return take_step(release.problem, moment, release.decider, release.fallback)


def _match(step: Decided, changed: int, gain: float | None, answered_worth: float | None) -> Match:
    if step.rung is Rung.NONE:
        return Match.UNDECIDED
    if not changed:
        return Match.EQUAL
    if gain is not None and isclose(gain, 0.0, abs_tol=_TOLERANCE * max(1.0, abs(answered_worth or 0.0))):
        return Match.TIED
    return Match.DIFFERENT


def _money(
    served: Served, entry: Entry, given: Mapping[Any, Row], decided: Mapping[Any, Row], outcomes: Mapping[Key, Row]
) -> tuple[dict[Key, float], dict[Key, float]] | None:
    """The money of what was answered and of what is decided now; None where an outcome or a decision is missing."""
    unit, period = served.release.problem.unit, entry["period"]
    if any((period, row[unit]) not in outcomes for row in entry["rows"]):
        return None
    settled = {(period, row[unit]): {**row, **outcomes[period, row[unit]]} for row in entry["rows"]}
    before, after = (
        money_of(served, settled, {(period, name): row for name, row in rows.items()}) for rows in (given, decided)
    )
    if any(amount is None for amount in (*before.values(), *after.values())):
        return None
    return before, after


def _rows(
    names: Sequence[str],
    entry: Entry,
    given: Mapping[Any, tuple[Row, Row]],
    decided: Mapping[Any, Row],
    match: Match,
    money: tuple[dict[Key, float], dict[Key, float]] | None,
    rung: str | None = None,
) -> Iterator[Row]:
    for unit, (answer, row) in given.items():
        now, key = decided.get(unit, {}), (entry["period"], unit)
        yield {
            **{name: entry[name] for name in ("id", "at", "period")},
            "unit": unit,
            "answer": str(match),
            "release": answer["release"],
            "rung": answer["rung"],
            "rung_again": rung,
            **{name: row[name] for name in names},
            **{f"{name}_again": now.get(name) for name in names},
            "value": money[0][key] if money else None,
            "value_again": money[1][key] if money else None,
        }
