"""Whether the newest outcome is as new as the contract wants it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl

from shipworthy.data.snapshot import Snapshot
from shipworthy.errors import InvalidInputError
from shipworthy.problem import Period, Problem
from shipworthy.project import Gap, clock


def stale(problem: Problem, snapshot: Snapshot, now: datetime | None = None) -> list[Gap]:
    """What the contract's freshness finds missing; nothing where it asks for none, or no outcome is known at all.

    Args:
        problem: Says which columns are the period and the outcome.
        snapshot: The rows with the contract that they were held against.
        now: The moment of asking; the clock's where it is None.

    Raises:
        InvalidInputError: periods are numbers, which have no age.
    """
    contract = snapshot.contract
    if contract is None or contract.freshness is None:
        return []
    newest = snapshot.rows.filter(pl.col(problem.outcome).is_not_null())[problem.period].max()
    if newest is None:
        return []
    if not isinstance(newest, date):
        raise InvalidInputError(
            f"{contract.file}: freshness needs periods that are dates or times, and {problem.period} is a number. Leave it out."
        )
    oldest: Any = contract.freshness.before(_as_period(now or clock.now(), newest))
    if newest >= oldest:
        return []
    wanted = f"the contract wants one of {oldest} or later (freshness {contract.freshness.text})"
    what = f"The newest outcome is of {newest}; {wanted}."
    return [Gap(what, "Bring the rows up to date.")]


def _as_period(now: datetime, like: date) -> Period:
    """A moment, in UTC, as the period column would have it."""
    if not isinstance(like, datetime):
        return now.date()
    return now if like.tzinfo else now.replace(tzinfo=None)
