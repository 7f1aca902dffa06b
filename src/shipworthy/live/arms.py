"""What an arm decides: one release, on one request or on several together, as plain values for the log."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import polars as pl

from shipworthy.errors import UnavailableError
from shipworthy.live.outcomes import LivePast
from shipworthy.live.requests import DecideRequest
from shipworthy.live.serving import Recollection, Served
from shipworthy.step import Decided, Moment, Rung, seed_of, take_step, take_steps

TIME_LIMIT = 30.0
"""Seconds for one decision where neither the caller nor the policy says: nothing may hang for ever."""

_LOG = logging.getLogger("shipworthy.live")

Entry = dict[str, Any]


def answer_of(
    served: Served, past: LivePast, request: DecideRequest, seconds: float, *, until_now: bool = True
) -> Entry:
    """What one release decides, as plain values; whatever the user's code raises is an answer without decisions.

    Args:
        served: The release.
        past: What was decided, and has turned out.
        request: What is asked.
        seconds: How long the caller can wait.
        until_now: Whether the past is read up to now before somebody looks back; else it is taken as it is.

    Raises:
        UnavailableError: the log cannot be read.
    """
    release = served.release
    try:
        moment = _moment(served, past, request, seconds, until_now=until_now)
        return _account(served, take_step(release.problem, moment, release.decider, release.fallback))
    except UnavailableError:
        raise
    except Exception as error:  # noqa: BLE001  (user code: a fallback that cannot be made is a rung less, not the end)
        _LOG.exception("Release %s failed", release.id)
        return undecided(served, request, f"{release.decider.name}: {type(error).__name__}: {error}")


def answer_together(
    served: Served, past: LivePast, requests: Sequence[DecideRequest], seconds: float
) -> list[Entry] | None:
    """What the champion decides for several requests; None where each has to be decided by itself."""
    release = served.release
    try:
        moments = [_moment(served, past, request, seconds) for request in requests]
        steps = take_steps(release.problem, moments, release.decider, seconds)
        return None if steps is None else [_account(served, step) for step in steps]
    except Exception:  # noqa: BLE001  (whatever it was, it is met again, and answered, where each is decided by itself)
        return None


def _moment(
    served: Served, past: LivePast, request: DecideRequest, seconds: float, *, until_now: bool = True
) -> Moment:
    recollection = Recollection(served, past, until_now)
    return Moment(
        period=request.period,
        rows=served.contract.frame_of(request),
        history=recollection,
        state=request.state,
        last=lambda: recollection.last_plan(request.period, request.units),
        seed=seed_of(served.release.seed, request.period),
        time_limit=seconds,
    )


def _account(served: Served, step: Decided) -> Entry:
    decisions = step.decisions.to_dicts()
    return {"release": served.release.id, **step.telemetry(), "falls": list(step.falls), "decisions": decisions}


def undecided(served: Served, request: DecideRequest, why: str) -> Entry:
    """The account of an arm that could not even take the step."""
    release = served.release
    blank = dict.fromkeys(release.problem.decisions)
    decisions = [{release.problem.unit: unit, **blank} for unit in request.units]
    nothing = Decided(
        decisions=pl.DataFrame(),
        rung=Rung.NONE,
        status="nothing decided",
        seconds=0.0,
        seed=seed_of(release.seed, request.period),
    )
    return {"release": release.id, **nothing.telemetry(), "falls": [why], "decisions": decisions}


def lacking(served: Served, request: DecideRequest) -> str:
    """Why a release cannot decide on a request that another one takes; empty where it can."""
    return "" if served.contract.asks_no_more_than(request.contract) else breaking(served, request)


def breaking(served: Served, request: DecideRequest) -> str:
    """Why a release cannot decide on a request, by whomever it was taken; empty where it can."""
    absent = [name for name in served.contract.asked if name not in request.rows[0]]
    if absent:
        return f"has no {', '.join(absent)}"
    broken = served.contract.broken_rules(request.period, request.rows)
    return f"breaks its contract: {broken[0].field} {broken[0].detail}" if broken else ""
