"""A shadow, judged: both policies decide every period, so each difference is known."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from shipworthy.analysis.trials.lent import FEWEST_LENT, differences, lent_by, per_period
from shipworthy.analysis.trials.observations import read_rows, refuse_bounds, too_few_usable, twice
from shipworthy.analysis.trials.trial_verdict import Bounds, TrialDecision, TrialVerdict, invalid, verdict_of
from shipworthy.analysis.wording import amount
from shipworthy.statistics.harm import Alarm, Trigger, first_alarm
from shipworthy.statistics.sequential import Backtest, monitor

_COLUMNS = ("period", "unit", "value_champion", "value_challenger")


def judge_shadow(
    frame: pl.DataFrame,
    *,
    backtest: pl.DataFrame | None = None,
    min_effect: float = 0.0,
    margin: float | None = None,
    alpha: float = 0.05,
    refit_periods: int = 0,
    periods_per_year: float = 365.0,
) -> TrialVerdict:
    """Judges a shadow so far; read it after every period.

    Args:
        frame: Columns period, unit, value_champion, value_challenger; one row per period and unit, as in a replay.
        backtest: The same columns of a replay of at least 20 periods, which lends its variance; without one it takes
            112 periods to ship.
        min_effect: Ship where the interval lies above it.
        margin: How much worse is tolerated per unit; None rolls back where the gain is below `min_effect`.
        alpha: Two-sided error over all looks together.
        refit_periods: The challenger is refitted every so many periods; 0 where it is frozen.
        periods_per_year: Over which false alarms of losses that begin late are counted.

    Raises:
        InvalidInputError: A column is missing or holds no numbers, or a bound is out of its range.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> replayed = pl.DataFrame({"period": range(180), "value_challenger": rng.normal(size=180)})
    >>> live = pl.DataFrame({"period": range(90), "value_challenger": rng.normal(1.0, size=90)})
    >>> replayed, live = (one.with_columns(unit=1, value_champion=0.0) for one in (replayed, live))
    >>> found = judge_shadow(live, backtest=replayed)
    >>> str(found.decision), found.look, found.decided_at
    ('ship', 90, 28)
    """
    bounds = Bounds(min_effect=min_effect, margin=margin, alpha=alpha)
    refuse_bounds(bounds)
    rows = read_rows(frame, _COLUMNS, numbers=_COLUMNS[2:], what="shadow")
    known = None if backtest is None else read_rows(backtest, _COLUMNS, numbers=_COLUMNS[2:], what="backtest")
    paired = differences(rows)
    obstacle = twice(rows, ["period", "unit"]) or too_few_usable(paired, "d")
    if obstacle:
        return invalid(obstacle)
    sums, counts = per_period(paired)
    lent, notes = _lent(known, refit_periods)
    live = sums / counts
    found = verdict_of(
        monitor(live, lent, min_effect=min_effect, harm_below=bounds.harm_below, alpha=alpha),
        bounds,
        "period",
        notes=notes,
    )
    alarm = first_alarm(live, lent, margin=margin or 0.0, alpha=alpha, periods_per_year=periods_per_year)
    return found if alarm is None or _decided_first(found, alarm) else _alarmed(found, alarm)


def _decided_first(found: TrialVerdict, alarm: Alarm) -> bool:
    """Whether the interval took the challenger back before the alarm did, or by it."""
    if found.decision is not TrialDecision.ROLL_BACK or found.decided_at is None:
        return False
    return found.decided_at < alarm.n or (found.decided_at == alarm.n and not alarm.trigger.is_pause)


def _alarmed(found: TrialVerdict, alarm: Alarm) -> TrialVerdict:
    """The verdict with the alarm before it: a pause asks a human, anything else takes the challenger back."""
    says, what = {
        Trigger.INTERVAL: ("The losses are beyond doubt since period {}.", "Even the upper end of the interval"),
        Trigger.CUSUM: (
            "Losses have added up beyond what chance explains, by period {}.",
            "Their sum in standard deviations",
        ),
        Trigger.BREAKER: ("Period {} lost more than anything the backtest saw.", "Its difference"),
    }[alarm.trigger]
    figures = f"{what} came to {amount(alarm.value)}, past {amount(alarm.threshold)}."
    return replace(
        found,
        decision=TrialDecision.PAUSE if alarm.trigger.is_pause else TrialDecision.ROLL_BACK,
        reasons=(says.format(alarm.n), figures, *found.reasons),
        decided_at=alarm.n,
        trigger=str(alarm.trigger),
    )


def _lent(backtest: pl.DataFrame | None, refit_periods: int) -> tuple[Backtest | None, list[str]]:
    """What the backtest lends, and a note where it lends nothing."""
    if backtest is None:
        return None, [
            "No backtest lends its variance, so blocks of 14 periods are compared: 8 of them are the least to ship."
        ]
    lent = lent_by(backtest, refit_periods)
    if lent is None:
        few = backtest["period"].n_unique()
        return None, [f"The backtest has {few} periods and lends nothing; {FEWEST_LENT} are the least."]
    return lent, []
