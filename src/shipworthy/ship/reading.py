"""What the live periods of an idea say so far, by the method of its trial; safe to be read after every one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from shipworthy.analysis.analyse import read_analysis
from shipworthy.analysis.criteria import Criteria, Margin
from shipworthy.analysis.gain import Gain
from shipworthy.analysis.money import plain, with_interval
from shipworthy.analysis.trials.canary import Arms, judge_canary
from shipworthy.analysis.trials.lent import differences, lent_by, one_measure, per_period
from shipworthy.analysis.trials.observations import floats, index_of
from shipworthy.analysis.trials.shadow import judge_shadow
from shipworthy.analysis.trials.switchback import judge_switchback
from shipworthy.analysis.trials.trial_verdict import Bounds, TrialDecision, TrialVerdict, verdict_of
from shipworthy.analysis.wording import a_period
from shipworthy.finite import finite
from shipworthy.project import Project
from shipworthy.research.evidence import open_evidence
from shipworthy.ship.conduct import Conduct
from shipworthy.ship.release import open_release
from shipworthy.ship.rollout import Draw, Phase, Rollout
from shipworthy.ship.shadow import MADE_UNDER, LiveEvidence, live_evidence
from shipworthy.ship.sides import Sides, moves_of, sides_of, step_of
from shipworthy.statistics.canary import means_before
from shipworthy.statistics.sample_ratio import SampleRatio
from shipworthy.statistics.sequential import monitor
from shipworthy.store import Record

_PERIODS_A_YEAR = 365.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveReading:
    """What the live periods say so far.

    Attributes:
        money: What they say of the gain per unit; None where outcomes depend on decisions and nothing was answered yet by
            the idea, so that no money can be told.
        guardrails: The same for each guardrail, turned so that more is better.
        periods: Periods whose outcome is known.
        in_step: Those among them that were decided in the step that goes on now.
        asked_in_step: Periods of that step which the idea's release decided, whether their outcome is known or not.
        units: Mean number of units per period.
        last: The last period that is counted.
        conduct: How both sides decide, beside the money.
        arms: How the arms of the trial were filled; None where no coin is thrown.
        currency: What money is counted in.
        cadence: The length of a period, such as "1d".
        looks_at: What comes with each look at the money: a live period, or a pair of blocks.
    """

    money: TrialVerdict | None
    guardrails: Sequence[tuple[Margin, TrialVerdict]]
    periods: int
    in_step: int
    asked_in_step: int
    units: float
    last: str
    conduct: Conduct
    arms: SampleRatio | None = None
    currency: str = ""
    cadence: str = ""
    looks_at: str = "live period"

    @property
    def per_period(self) -> tuple[float, float, float] | None:
        """Gain per period with the ends of its interval: low, mean, high; None where no money can be told."""
        money = self.money
        if money is None or money.decision is TrialDecision.INVALID:
            return None
        return money.low * self.units, money.mean * self.units, money.high * self.units

    @property
    def sentence(self) -> str:
        """What they say of the gain, in short."""
        found = self.per_period
        if found is None:
            return "no money can be told yet" if self.money is None else self.money.reasons[0]
        low, mean, high = found
        gain, ends = with_interval(Gain(gain=mean, low=low, high=high), self.currency, 0.0)
        return plain(f"{gain} {a_period(self.cadence)} ({ends})")

    def numbers(self) -> dict[str, Any]:
        """The numbers that a move rests on, as plain JSON values."""
        new = self.conduct.new
        body = {
            "periods": self.periods,
            "in_step": self.in_step,
            "last": self.last,
            "units": self.units,
            "currency": self.currency,
            "cadence": self.cadence,
            "money": self.money and _numbers(self.money),
            "guardrails": {margin.name: _numbers(found) for margin, found in self.guardrails},
            "arms": self.arms and list(self.arms.counts),
            "fell": new.fell,
            "asked": new.asked,
            "otherwise": self.conduct.otherwise,
            "churn": {"old": self.conduct.old.churn, "new": new.churn},
            "seconds": {"old": self.conduct.old.seconds, "new": new.seconds},
        }
        return dict(finite(body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How the live periods are to be judged.

    Attributes:
        step: The moves of the step in which both arms answer or, without one, of the last one.
        pairs: Whether what both sides earned is known in each period.
        is_live: Whether the idea is live, so that harm is a loss, not less than the smallest gain.
        periods_per_year: How many periods a year has.
        currency: What money is counted in.
    """

    step: Sequence[Rollout] = ()
    pairs: bool = True
    is_live: bool = False
    periods_per_year: float = _PERIODS_A_YEAR
    currency: str = ""

    @property
    def margin(self) -> float | None:
        """How much worse is tolerated, per unit."""
        return 0.0 if self.is_live else None


def judged_for_shadow(project: Project, moves: Sequence[Rollout], idea: str) -> Record | None:
    """The verdict on which the idea's release went into shadow; a later one may be about something else."""
    own = moves_of(moves, idea)
    return project.records.get("verdict", idea, at=own[0].at) if own else None


def read_idea_live(project: Project, moves: Sequence[Rollout], idea: str) -> LiveReading | None:
    """What the live periods of the idea on trial, or live, say so far; None before the first outcome."""
    judged = judged_for_shadow(project, moves, idea)
    sides = sides_of(moves, idea, since_resumed=True)
    if judged is None or not sides.new:
        return None
    analysis = read_analysis(judged)
    live, trial = open_live(project, moves, idea, sides)
    return read_live(live, open_evidence(project, analysis.evidence), analysis.verdict.criteria, trial)


def open_live(project: Project, moves: Sequence[Rollout], idea: str, sides: Sides) -> tuple[LiveEvidence, Trial]:
    """The live evidence of an idea, and how it is to be judged."""
    own = moves_of(moves, idea)
    shown = next(release for move in reversed(own) for release in _carriers(move) if release in sides.new)
    release = open_release(project, shown)
    trial = Trial(
        step=step_of(moves, idea),
        pairs=release.problem.counterfactual,
        is_live=own[-1].phase is Phase.LIVE,
        periods_per_year=release.problem.periods_per_year,
        currency=release.problem.currency,
    )
    return live_evidence(project, sides, release), trial


def read_live(
    live: LiveEvidence, evidence: pl.DataFrame, criteria: Criteria, trial: Trial | None = None
) -> LiveReading | None:
    """Reads live evidence; None before the first outcome.

    Where both sides of each period are known, the trial is judged by their differences, and the replay's evidence lends its
    variance; elsewhere by what the arm earned that answered, with the coins that were thrown or the plan that was published.

    Args:
        live: The live periods.
        evidence: The replay's evidence that the verdict was about.
        criteria: What the verdict judged by.
        trial: How they are to be judged; paired by default.
    """
    trial = trial or Trial()
    known = live.table if trial.pairs else live.answered
    if known.is_empty():
        return None
    began = trial.step[0].version if trial.step else 0
    in_step = known.filter(pl.col(MADE_UNDER) >= began) if MADE_UNDER in known.columns else known
    judge = _Paired(live, evidence, criteria, trial) if trial.pairs else _Answered(live, criteria, trial)
    return LiveReading(
        money=judge.money(),
        guardrails=[(margin, found) for margin in criteria.guardrails if (found := judge.guardrail(margin))],
        periods=known["period"].n_unique(),
        in_step=in_step["period"].n_unique(),
        asked_in_step=sum(version >= began for version in live.conduct.new.asked_under),
        units=known.height / known["period"].n_unique(),
        last=str(known["period"].max()),
        conduct=live.conduct,
        arms=_arms(live, trial),
        currency=trial.currency,
        cadence=criteria.cadence,
        looks_at=judge.looks_at,
    )


class _Paired:
    """Judges differences of what both sides decided."""

    looks_at = "live period"

    def __init__(self, live: LiveEvidence, evidence: pl.DataFrame, criteria: Criteria, trial: Trial) -> None:
        self.live, self.evidence, self.criteria, self.trial = live.table, evidence, criteria, trial

    def money(self) -> TrialVerdict:
        return judge_shadow(
            one_measure(self.live),
            backtest=one_measure(self.evidence),
            min_effect=self.criteria.min_effect,
            margin=self.trial.margin,
            refit_periods=self.criteria.refit_periods,
            periods_per_year=self.trial.periods_per_year,
        )

    def guardrail(self, margin: Margin) -> TrialVerdict:
        """By its interval alone: what adds up below the margin is tolerated, and a single period is no trend."""
        live, replayed = (one_measure(table, margin.name, margin.better) for table in (self.live, self.evidence))
        sums, counts = per_period(differences(live))
        bounds = Bounds(min_effect=-margin.margin, margin=margin.margin)
        lent = lent_by(replayed, self.criteria.refit_periods)
        found = monitor(sums / counts, lent, min_effect=bounds.min_effect, harm_below=bounds.harm_below)
        return verdict_of(found, bounds, "period")


class _Answered:
    """Judges what was answered, by the coins of a canary or the plan of a switchback."""

    def __init__(self, live: LiveEvidence, criteria: Criteria, trial: Trial) -> None:
        self.live, self.criteria, self.trial = live.answered, criteria, trial
        self.looks_at = "pair of blocks" if trial.step and trial.step[0].plan else "live period"

    def money(self) -> TrialVerdict | None:
        return self._judged("value", 1.0, Bounds(min_effect=self.criteria.min_effect, margin=self.trial.margin))

    def guardrail(self, margin: Margin) -> TrialVerdict | None:
        sign = 1.0 if margin.better == "higher" else -1.0
        return self._judged(margin.name, sign, Bounds(min_effect=-margin.margin, margin=margin.margin))

    def _judged(self, name: str, sign: float, bounds: Bounds) -> TrialVerdict | None:
        rows = drawn_in(self.live, self.trial.step)
        if rows.is_empty():
            return None
        first, least, margin = self.trial.step[0], bounds.min_effect, bounds.margin
        measured = rows.with_columns(value=pl.col(name) * sign)
        if first.plan is not None:
            frame = measured.select("arm", "value", at="period")
            return judge_switchback(frame, first.plan, min_effect=least, margin=margin)
        if first.share >= 1.0:
            return None  # nobody is left to compare with
        earlier = self.live.filter(pl.col(MADE_UNDER) < first.version, pl.col("period") < rows["period"].min())
        before = earlier.select("period", "unit", value=pl.col(name) * sign) if earlier.height else None
        arms = _arms_of(first)
        frame = measured.select("period", "unit", "arm", "value")
        if arms == "anew":
            frame = _foreseen(frame, before)
        return judge_canary(frame, share=first.share, arms=arms, before=before, min_effect=least, margin=margin)


def _foreseen(rows: pl.DataFrame, before: pl.DataFrame | None) -> pl.DataFrame:
    """The rows with what each was expected to come to before its arm was drawn: its unit's mean so far, or that of all."""
    columns = ["period", "unit", "value"]
    whole = pl.concat([*([] if before is None else [before]), rows.select(columns)]).filter(pl.col("value").is_finite())
    so_far = [pl.col(name).cum_sum().shift(1) for name in ("value", "n")]
    daily = whole.group_by("period").agg(pl.col("value").sum(), n=pl.len()).sort("period")
    everyone = daily.select("period", everyone=so_far[0] / so_far[1])
    own = means_before(floats(whole["value"]), index_of(whole["unit"]), index_of(whole["period"]))
    foreseen = whole.select("period", "unit", own=pl.Series(own).fill_nan(None)).join(everyone, on="period")
    forecast = foreseen.select("period", "unit", forecast=pl.coalesce("own", "everyone"))
    return rows.join(forecast, on=["period", "unit"], how="left")


def drawn_in(answered: pl.DataFrame, step: Sequence[Rollout]) -> pl.DataFrame:
    """The answered rows of a step in which an arm was drawn for each; none where it has no such step."""
    if answered.is_empty() or not step or step[0].phase not in {Phase.CANARY, Phase.SWITCHBACK}:
        return pl.DataFrame()
    return answered.filter(pl.col(MADE_UNDER).is_between(step[0].version, step[-1].version))


def _arms(live: LiveEvidence, trial: Trial) -> SampleRatio | None:
    """How the coins of a canary's step fell, whatever its money is judged by."""
    rows = drawn_in(live.answered, trial.step)
    first = trial.step[0] if trial.step else None
    if first is None or rows.is_empty() or first.plan is not None or not 0.0 < first.share < 1.0:
        return None
    frame = rows.select("period", "unit", "arm", "value")
    return judge_canary(frame, share=first.share, arms=_arms_of(first)).sample_ratio


def _arms_of(step: Rollout) -> Arms:
    """How the arms of a canary are drawn, as its judge calls it."""
    return "kept" if step.draw is Draw.UNIT else "anew"


def _carriers(move: Rollout) -> list[str]:
    return [release for release in (move.champion, move.challenger) if release is not None]


def _numbers(found: TrialVerdict) -> dict[str, Any]:
    names = ("mean", "low", "high", "look", "decided_at", "trigger")
    return {
        "decision": str(found.decision),
        **{name: getattr(found, name) for name in names},
        "reasons": list(found.reasons),
    }
