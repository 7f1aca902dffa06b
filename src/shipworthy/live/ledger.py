"""The ledger: per shipped idea, the gain that was forecast and the gain that was realised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from shipworthy.analysis.analyse import Analysis, read_analysis
from shipworthy.errors import NotFoundError
from shipworthy.ideas.register import list_ideas
from shipworthy.project import Project
from shipworthy.research.evidence import open_evidence
from shipworthy.ship.gate import read_live
from shipworthy.ship.release import open_release
from shipworthy.ship.rollout import Phase, Rollout, rollout_history
from shipworthy.ship.shadow import ANSWERED, live_evidence
from shipworthy.statistics import forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Money per period, with its interval."""

    gain: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One shipped idea; money is per period, but for what it earned.

    Attributes:
        idea: Its number.
        title: Its title.
        problem: Its problem.
        phase: How far it has come.
        currency: The currency of all amounts.
        forecast: What it was expected to earn, shrunk for the winner's curse, with a 90 % interval.
        raw: What the replay measured, not shrunk.
        realised: What live periods show, with an interval that may be read after every period; None before the first outcome.
        periods: Live periods with outcomes, whoever answered.
        answered: Those that the idea's release answered.
        earned: What it earned in these more than the release from before it would have.
        periods_per_year: How many periods a year has.
    """

    idea: int
    title: str
    problem: str
    phase: str
    currency: str
    forecast: Gain
    raw: float
    realised: Gain | None
    periods: int
    answered: int
    earned: float
    periods_per_year: float

    def to_dict(self) -> dict[str, Any]:
        """The line as plain values."""
        return asdict(self)


def read_ledger(project: Project) -> Sequence[Line]:
    """One line per idea that has ever been in a rollout, by number."""
    titles = {idea.key: idea.title for idea in list_ideas(project)}
    moves = [move for record in project.records.find("rollout") for move in rollout_history(project, record.key)]
    last: dict[str, Rollout] = {}
    tried: dict[str, Rollout] = {}
    for move in moves:
        if move.idea is not None:
            last[move.idea] = move
            if move.phase is Phase.SHADOW:
                tried[move.idea] = move
    return [_line(project, key, titles.get(key, "(its file is gone)"), tried[key], last[key]) for key in sorted(tried)]


def _line(project: Project, key: str, title: str, tried: Rollout, last: Rollout) -> Line:
    judged = project.records.get("verdict", key, at=tried.at)
    if judged is None or tried.challenger is None:
        raise NotFoundError(
            f"Idea {int(key)} was rolled out without a verdict: the record store is damaged. Restore it from a backup."
        )
    analysis = read_analysis(judged)
    release = open_release(project, tried.challenger)
    live = live_evidence(project, tried.champion, release)
    reading = read_live(live, open_evidence(project, analysis.evidence), analysis.verdict.criteria)
    realised = None
    if reading is not None:
        realised = Gain(
            gain=reading.money.mean * reading.units,
            low=reading.money.low * reading.units,
            high=reading.money.high * reading.units,
        )
    own = live.table.filter(ANSWERED) if reading is not None else live.table
    return Line(
        idea=int(key),
        title=title,
        problem=last.problem,
        phase=str(last.phase),
        currency=analysis.currency,
        forecast=_forecast(project, key, analysis),
        raw=analysis.verdict.per_period().gain,
        realised=realised,
        periods=reading.periods if reading is not None else 0,
        answered=own["period"].n_unique() if own.height else 0,
        earned=float(own.select(pl.col("value_challenger") - pl.col("value_champion")).to_series().sum())
        if own.height
        else 0.0,
        periods_per_year=release.problem.periods_per_year,
    )


def _forecast(project: Project, key: str, analysis: Analysis) -> Gain:
    """The gain per period shrunk by what all other verdicts of the project were."""
    others = [read_analysis(record).verdict for record in project.records.find("verdict") if record.key != key]
    known = [other for other in others if math.isfinite(other.se) and other.se > 0 and other.exposure is not None]
    units = analysis.verdict.exposure.pairs_per_period if analysis.verdict.exposure else 1.0
    found = forecast(
        analysis.verdict.gain,
        analysis.verdict.se,
        past_estimates=[other.gain for other in known],
        past_ses=[other.se for other in known],
    )
    return Gain(gain=found.mean * units, low=found.low * units, high=found.high * units)
