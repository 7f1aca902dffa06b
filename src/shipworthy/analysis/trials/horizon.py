"""How long each kind of live trial of an idea would take, by its own replay."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import ndtri, stdtrit

from shipworthy.analysis.analyse import criteria_of
from shipworthy.analysis.trials.lent import lent_by, one_measure
from shipworthy.analysis.trials.observations import floats, index_of
from shipworthy.analysis.trials.schedule import block_length, washout
from shipworthy.analysis.trials.switchback import horizon_days
from shipworthy.errors import GateClosedError, InvalidInputError
from shipworthy.ideas.lock import locked_criteria
from shipworthy.ideas.register import find_idea
from shipworthy.problem import Span
from shipworthy.project import Project
from shipworthy.project.code import load_problem
from shipworthy.research.evidence import open_evidence
from shipworthy.statistics.canary import FEWEST_PERIODS_BEFORE, FEWEST_UNITS_AN_ARM, TIGHTEST_AT, means_before
from shipworthy.statistics.sequential import mixture_radius, periods_to_ship
from shipworthy.statistics.series import FloatArray
from shipworthy.statistics.switchback import draws_for

_WANTED = 0.8
_ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """How many periods or days each kind of trial needs to show a gain four times in five; None where it cannot.

    Attributes:
        gain: The gain to be shown, per period.
        currency: Its currency.
        periods_per_day: Periods decided a day.
        shadow: Periods of a shadow.
        canary: Periods of a canary.
        kept: Whether the canary's units keep their arm, because decisions are felt beyond their period.
        units: Units of the canary.
        switchback_days: Days of a switchback.
        block_hours: Length of its blocks; None where periods are no dates.
        washout_hours: What of each block is not counted.
    """

    gain: float
    currency: str
    periods_per_day: float
    shadow: int | None
    canary: int | None
    kept: bool
    units: int
    switchback_days: int | None
    block_hours: float | None
    washout_hours: float | None


def plan_trials(
    project: Project,
    number: int,
    *,
    gain: float | None = None,
    carry_over_hours: float | None = None,
    units: int | None = None,
    share: float = 0.5,
    per_day: float | None = None,
) -> Horizon:
    """Plans live trials of an idea with the spread of its own replay.

    Args:
        project: The project.
        number: The idea's number.
        gain: The gain to be shown, per period; the smallest worth shipping by default.
        carry_over_hours: How long a decision is still felt; as the problem says by default.
        units: Units of a canary; those of the replay by default.
        share: The challenger's share of a canary.
        per_day: Periods decided a day; as the problem says by default.

    Raises:
        GateClosedError: The idea has no replay yet.
        InvalidInputError: There is no gain to plan for, or a number is out of its range.
    """
    idea = find_idea(project, number)
    record, locked = project.records.get("research", idea.key), locked_criteria(project, idea)
    if record is None or locked is None:
        raise GateClosedError(f"Idea {number} has no replay to plan with. Run `shipworthy research {number}`.")
    _, problem = load_problem(project, idea.problem)
    if carry_over_hours is None:
        carry_over_hours = Span.of(problem.carry_over or "0h").seconds / 3600.0
    # What is sealed tells nothing, its spread neither: where there is a holdout, what is open before it plans the trial.
    is_open = record.body.get("development") or record.body["evidence"]
    evidence = open_evidence(project, is_open).drop_nulls(["value_champion", "value_challenger"])
    criteria = criteria_of(problem, idea, locked, evidence)
    mean_units = evidence.height / max(evidence["period"].n_unique(), 1)
    wanted = criteria.min_effect if gain is None else gain / max(mean_units, 1.0)
    many = round(mean_units) if units is None else units
    _refuse(wanted, carry_over_hours, many, share, per_day)
    a_day = problem.periods_per_year / 365.0 if per_day is None else per_day
    block, felt, days = _switchback(evidence, wanted, carry_over_hours)
    kept = carry_over_hours * a_day > 0.0
    lent = lent_by(one_measure(evidence), criteria.refit_periods)
    return Horizon(
        gain=wanted * mean_units,
        currency=locked["currency"],
        periods_per_day=a_day,
        shadow=None if lent is None else periods_to_ship(lent, wanted),
        canary=_kept(evidence, wanted, many, share) if kept else _anew(evidence, wanted, many, share),
        kept=kept,
        units=many,
        switchback_days=days,
        block_hours=block,
        washout_hours=felt,
    )


def _anew(evidence: pl.DataFrame, gain: float, units: int, share: float) -> int | None:
    """Periods of a canary whose arms are drawn anew: the coins' own variance, given what no mean so far foresees."""
    values = floats(evidence["value_champion"])
    misses = values - means_before(values, index_of(evidence["unit"]), index_of(evidence["period"]))
    square = float(np.nanmean(misses**2)) if np.isfinite(misses).any() else math.inf
    sd = math.sqrt(square / (share * (1.0 - share) * units))
    return draws_for(sd, gain, alpha=_ALPHA, wanted=_WANTED, tightest_at=TIGHTEST_AT) if math.isfinite(sd) else None


def _kept(evidence: pl.DataFrame, gain: float, units: int, share: float) -> int | None:
    """Periods of a canary whose units keep their arm, as far as the history is long enough to know."""
    if min(share, 1.0 - share) * units < FEWEST_UNITS_AN_ARM:
        return None
    wide = evidence.pivot("unit", index="period", values="value_champion").sort("period").drop("period")
    money = wide.select(name for name in wide.columns if not wide[name].null_count()).to_numpy()
    if money.shape[1] < 2 * FEWEST_UNITS_AN_ARM:
        return None
    df = units - 3.0
    for n in range(7, money.shape[0] - FEWEST_PERIODS_BEFORE + 1):
        split = money.shape[0] - n
        se = _left(money[:split].mean(axis=0), money[split:].mean(axis=0)) / math.sqrt(units * share * (1.0 - share))
        information = (float(ndtri(0.975)) / (float(stdtrit(df, 0.975)) * se)) ** 2 if se > 0.0 else math.inf
        half = float(mixture_radius(information, alpha=_ALPHA, tightest_at=information))
        if half + float(stdtrit(df, _WANTED)) * se <= gain:
            return n
    return None


def _left(past: FloatArray, now: FloatArray) -> float:
    """Standard deviation of what the past leaves unexplained."""
    x, y = past - past.mean(), now - now.mean()
    theta = float(x @ y) / float(x @ x) if float(x @ x) > 0.0 else 0.0
    return float(np.std(y - theta * x, ddof=2))


def _switchback(
    evidence: pl.DataFrame, gain: float, carry_over_hours: float
) -> tuple[float | None, float | None, int | None]:
    """Block, washout and days of a switchback in which all units switch together."""
    if evidence.schema["period"] not in (pl.Date, pl.Datetime):
        return None, None, None
    rows = (
        evidence.group_by("period")
        .agg(pl.col("value_champion").mean().alias("value"))
        .sort("period")
        .select(pl.lit("all").alias("market"), pl.col("period").cast(pl.Datetime("us")).alias("at"), "value")
    )
    step = rows["at"].diff().drop_nulls().dt.total_seconds().median()
    cadence = float(step or 0.0) / 3600.0  # type: ignore[arg-type]  # a number
    block = block_length(carry_over_hours, cadence_hours=cadence)
    felt = washout(carry_over_hours, cadence_hours=cadence)
    return block, felt, horizon_days(rows, gain, block, felt, alpha=_ALPHA, wanted=_WANTED)


def _refuse(gain: float, carry_over_hours: float, units: int, share: float, per_day: float | None) -> None:
    """Refuses numbers that plan nothing."""
    for what, holds, remedy in (
        (f"a gain of {gain:g}", 0.0 < gain < math.inf, "Give one above 0 with --gain."),
        (f"a carry-over of {carry_over_hours:g} hours", 0.0 <= carry_over_hours < 8760.0, "Give less than a year."),
        (f"{units} units", units >= 1, "Give 1 or more."),
        (f"a share of {share:g}", 0.0 < share < 1.0, "Give one between 0 and 1."),
        (f"{per_day} periods a day", per_day is None or 0.0 < per_day < math.inf, "Give more than 0."),
    ):
        if not holds:
            raise InvalidInputError(f"No trial can be planned with {what}. {remedy}")
