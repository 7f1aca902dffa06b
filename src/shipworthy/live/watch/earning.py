"""What came of it: outcomes that are late or missing, and what the live periods earned against what was forecast."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import polars as pl

from shipworthy.live.watch.alert import Alert
from shipworthy.live.watch.lived import Lived, instant
from shipworthy.live.watch.promised import Promised
from shipworthy.problem import Period, Span
from shipworthy.ship.reading import LiveReading

_MORE_MISSING = 0.05
_FEWEST_MISSING = 3
_BLIND = "no money by itself; but while outcomes are out, nobody sees harm"


def check_outcomes(promised: Promised, lived: Lived) -> list[Alert]:
    """The alerts about outcomes that should be there."""
    due = _due(promised, lived)
    period, unit = promised.problem.key
    known = lived.outcomes.filter(pl.col(promised.problem.outcome).is_not_null())
    asked = lived.asked.select(period, unit).filter(pl.col(period).is_in(list(due)))
    came = asked.join(known, on=[period, unit], how="semi")
    whole = set(came[period])
    return [
        *_late(due, whole),
        *_missing(promised, asked.filter(pl.col(period).is_in(list(whole))).height, came.height),
    ]


def _due(promised: Promised, lived: Lived) -> dict[Period, datetime | None]:
    """The periods whose outcome should be there, with the instant at which it was due: the outcome delay and a cadence later."""
    delay, step = Span.of(promised.problem.outcome_delay), promised.cadence
    grace = step if isinstance(step, timedelta) else timedelta(0)
    due: dict[Period, datetime | None] = {}
    for period in lived.periods:
        start = instant(delay.after(period))
        if start is None:
            if delay.after(period) < lived.periods[-1]:
                due[period] = None
        elif start + grace <= lived.at:
            due[period] = start
    return due


def _late(due: dict[Period, datetime | None], whole: set[Period]) -> Iterator[Alert]:
    late = [period for period in due if period not in whole]
    if late:
        what = f"{len(late)} of {len(due)} periods have no outcome although it is due, the oldest {late[0]}."
        yield Alert(kind="late-outcomes", what=what, since=due[late[0]], reckoned=_BLIND)


def _missing(promised: Promised, asked: int, came: int) -> Iterator[Alert]:
    outcome = promised.rows[promised.problem.outcome]
    last = outcome.is_not_null().arg_true().to_list()[-1:]
    usual = outcome.head(last[0] + 1).null_count() / (last[0] + 1) if last else 0.0
    share = (asked - came) / max(1, asked)
    if asked - came >= _FEWEST_MISSING and share > usual + _MORE_MISSING:
        what = f"{asked - came} of {asked} rows have no outcome in periods that have some"
        what += f": {share:.0%} against {usual:.0%} in the snapshot."
        yield Alert(kind="missing-outcomes", what=what, reckoned=_BLIND)


def check_earned(promised: Promised, reading: LiveReading | None, running_cost: float) -> list[Alert]:
    """The alerts about what the live periods of the idea show; every interval may be read after every period."""
    if reading is None:
        return []
    if reading.per_period is None:
        return list(_worse(reading))
    low, mean, high = reading.per_period
    shown = f"{mean:,.2f} {reading.currency} a period ({low:,.2f} to {high:,.2f}) in {reading.periods} live periods"
    return [
        *_harmed(shown, low, high),
        *_worse(reading),
        *_below(promised, shown, mean, high),
        *_retire(shown, high, running_cost, reading.currency),
    ]


def _harmed(shown: str, low: float, high: float) -> Iterator[Alert]:
    if high < 0.0:
        what = f"It loses money beyond doubt: {shown}."
        yield Alert(kind="harm", what=what, money_at_risk=-low, reckoned="the lower end of the interval")


def _worse(reading: LiveReading) -> Iterator[Alert]:
    for margin, found in reading.guardrails:
        if found.high < -margin.margin:
            worse = f"{-found.mean:,.3g} ({-found.high:,.3g} at least)"
            what = f"{margin.name} is worse by {worse}, more than its margin of {margin.margin:g}, beyond doubt."
            yield Alert(kind="guardrail-worse", about=margin.name, what=what, reckoned="a guardrail has no price")


def _below(promised: Promised, shown: str, mean: float, high: float) -> Iterator[Alert]:
    forecast = promised.gain
    if forecast is not None and 0.0 <= high < forecast.low:
        hoped = f"{forecast.gain:,.2f} {promised.currency} ({forecast.low:,.2f} at least)"
        what = f"It earns less than was forecast: {shown}; forecast were {hoped}."
        how = "the forecast gain less what came"
        yield Alert(kind="below-forecast", what=what, money_at_risk=forecast.gain - mean, reckoned=how)


def _retire(shown: str, high: float, running_cost: float, currency: str) -> Iterator[Alert]:
    if 0.0 <= high < running_cost:
        cost = f"{running_cost:,.2f} {currency} a period"
        what = f"It no longer earns what running it costs, {cost}: {shown}. Retiring it is proposed."
        yield Alert(
            kind="retirement",
            what=what,
            money_at_risk=running_cost - high,
            reckoned="its cost less the upper end of the interval",
        )
