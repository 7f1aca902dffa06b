"""The gates of a rollout: what is missing before an idea may go one phase further."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from shipworthy.analysis.criteria import Criteria, Margin
from shipworthy.project import Gap
from shipworthy.research.repetitions import ONCE
from shipworthy.ship.rollout import Phase
from shipworthy.ship.shadow import LiveEvidence
from shipworthy.statistics import Backtest, LiveDecision, Monitor, monitor

CANARY_PERIODS = 14
_MOST_FALLS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveReading:
    """What the live periods say so far, safe to be read after every one of them.

    Attributes:
        money: The difference per unit, with its anytime-valid interval.
        guardrails: The same for each guardrail, turned so that more is better.
        periods: Periods whose outcome is known.
        asked: Periods that were asked for.
        fell: Periods in which the idea's release did not decide itself.
        units: Mean number of units per period.
        last: The last period that is counted.
    """

    money: Monitor
    guardrails: Sequence[tuple[Margin, Monitor]]
    periods: int
    asked: int
    fell: int
    units: float
    last: str


def read_live(live: LiveEvidence, evidence: pl.DataFrame, criteria: Criteria) -> LiveReading | None:
    """Reads live evidence against the replay's, which lends its variance; None before the first outcome.

    Args:
        live: The paired live periods.
        evidence: The replay's evidence that the verdict was about.
        criteria: What the verdict judged by.
    """
    if live.table.is_empty():
        return None
    money = monitor(*_streams(live.table, evidence, "value", 1, criteria), min_effect=criteria.min_effect)
    guardrails = [(margin, _guarded(live.table, evidence, margin, criteria)) for margin in criteria.guardrails]
    periods = live.table["period"].n_unique()
    return LiveReading(
        money=money,
        guardrails=guardrails,
        periods=periods,
        asked=live.asked,
        fell=live.fell,
        units=live.table.height / periods,
        last=str(live.table["period"].max()),
    )


def missing(phase: Phase, reading: LiveReading | None) -> list[Gap]:
    """What is missing before an idea may go on to `phase`; empty means open. What is inconclusive never opens a gate."""
    wait = "Let it decide more periods, post their outcomes to /v1/outcomes, and ask again."
    if reading is None:
        return [Gap("No live period has its outcome yet.", wait)]
    gaps = [*_harms(reading)]
    if reading.periods < CANARY_PERIODS:
        gaps.append(Gap(f"{reading.periods} live periods are known; {CANARY_PERIODS} are the least.", wait))
    if reading.fell > _MOST_FALLS * reading.asked:
        what = f"The new release did not decide itself in {reading.fell} of {reading.asked} periods."
        gaps.append(Gap(what, "Find out why in the decision log, and begin a new idea with the repair."))
    if phase is Phase.LIVE and not gaps:
        gaps.extend(_unproven(reading, wait))
    return gaps


def _harms(reading: LiveReading) -> list[Gap]:
    harmed = [name for name, found in _named(reading) if found.decision is LiveDecision.HARM]
    back = "Take it back with `shipworthy rollback`."
    return [Gap(f"The live periods show harm beyond doubt in {name}.", back) for name in harmed]


def _unproven(reading: LiveReading, wait: str) -> list[Gap]:
    gaps = []
    money = reading.money
    if money.decision is not LiveDecision.SHIP:
        shown = f"{money.mean:,.2f} per unit ({money.low:,.2f} to {money.high:,.2f}) after {money.n} periods"
        gaps.append(Gap(f"The live gain is not beyond doubt yet: {shown}.", wait))
    for margin, found in reading.guardrails:
        if found.low <= -margin.margin:
            gaps.append(Gap(f"Guardrail {margin.name} may still be worse by more than {margin.margin:g}.", wait))
    return gaps


def _named(reading: LiveReading) -> list[tuple[str, Monitor]]:
    return [("money", reading.money), *((f"guardrail {margin.name}", found) for margin, found in reading.guardrails)]


def _guarded(live: pl.DataFrame, evidence: pl.DataFrame, margin: Margin, criteria: Criteria) -> Monitor:
    sign = 1 if margin.better == "higher" else -1
    streams = _streams(live, evidence, margin.name, sign, criteria)
    return monitor(*streams, min_effect=-margin.margin, harm_below=-margin.margin)


def _streams(
    live: pl.DataFrame, evidence: pl.DataFrame, name: str, sign: int, criteria: Criteria
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], Backtest]:
    sums, counts = _per_period(live, name, sign)
    lent = f"{ONCE}{name}" if f"{ONCE}{name}_challenger" in evidence.columns else name
    backtest = Backtest.from_sums(*_per_period(evidence, lent, sign), refit_periods=criteria.refit_periods)
    return sums / counts, backtest


def _per_period(
    table: pl.DataFrame, name: str, sign: int
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    difference = (pl.col(f"{name}_challenger") - pl.col(f"{name}_champion")) * sign
    known = table.select("period", difference.alias("d")).drop_nulls()
    daily = known.group_by("period").agg(pl.col("d").sum(), pl.len().alias("n")).sort("period")
    return daily["d"].to_numpy(), daily["n"].to_numpy().astype(np.float64)
