"""The ledger: per shipped idea, the gain that was forecast and the gain that was realised."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from shipworthy.analysis.analyse import Analysis, read_analysis, read_whole_verdict
from shipworthy.analysis.gain import Gain
from shipworthy.errors import NotFoundError
from shipworthy.ideas.register import list_ideas
from shipworthy.project import Project
from shipworthy.research.evidence import open_evidence
from shipworthy.ship.reading import drawn_in, open_live, read_live
from shipworthy.ship.rollout import Phase, Rollout, rollout_history
from shipworthy.ship.shadow import ANSWERED
from shipworthy.ship.sides import sides_of
from shipworthy.statistics import Calibration, Ratio, forecast, realised_ratio
from shipworthy.statistics.calibration import calibration

_FORECAST_WIDTH = 2.0 * 1.6449
_REALISED_WIDTH = 2.0 * 1.9600


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePeriod:
    """What a live period with outcomes came to.

    Attributes:
        period: Which one, as the rows call it.
        gain: What the idea's release would have earned, or did, more than the release from before it.
        earned: The part of the gain that it did: 0 where it decided only in the shadow.
        answered: Whether the idea's release answered.
    """

    period: Any
    gain: float
    earned: float
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One shipped idea; money is per period, but for what it earned.

    Attributes:
        idea: Its number.
        title: Its title.
        problem: Its problem.
        phase: How far it has come.
        currency: The currency of all amounts.
        cadence: The length of a period, such as "1d".
        forecast: What it was expected to earn, shrunk for the winner's curse, with a 90 % interval.
        raw: What the replay measured, not shrunk.
        realised: What live periods show, with an interval that may be read after every period; None before the first outcome.
        course: The live periods with outcomes, whoever answered, the oldest first.
        periods_per_year: How many periods a year has.
    """

    idea: int
    title: str
    problem: str
    phase: str
    currency: str
    cadence: str
    forecast: Gain
    raw: float
    realised: Gain | None
    course: tuple[LivePeriod, ...]
    periods_per_year: float

    @property
    def periods(self) -> int:
        """Live periods with outcomes, whoever answered."""
        return len(self.course)

    @property
    def answered(self) -> int:
        """Those that the idea's release answered."""
        return sum(one.answered for one in self.course)

    @property
    def earned(self) -> float:
        """What it earned in these more than the release from before it would have."""
        return math.fsum(one.earned for one in self.course)

    @property
    def ratio(self) -> Ratio | None:
        """What was realised of each unit of money forecast, with a 95 % interval; None before there is an interval."""
        errors = self._errors
        return errors and realised_ratio(self.realised.gain, errors[1], self.forecast.gain, errors[0])  # type: ignore[union-attr]

    @property
    def _errors(self) -> tuple[float, float] | None:
        """Standard errors of forecast and realised gain, from the widths of their 90 and 95 % intervals.

        The realised interval may be read after every period and is wider than one that is read once; so is what follows.
        """
        if self.realised is None or not math.isfinite(self.realised.high - self.realised.low):
            return None
        widths = self.forecast.high - self.forecast.low, self.realised.high - self.realised.low
        return widths[0] / _FORECAST_WIDTH, widths[1] / _REALISED_WIDTH

    def to_dict(self) -> dict[str, Any]:
        """The line as plain values."""
        more = {"periods": self.periods, "answered": self.answered, "earned": self.earned}
        return {**asdict(self), **more, "ratio": asdict(self.ratio) if self.ratio else None}


def read_calibration(lines: Sequence[Line]) -> Calibration | None:
    """How the forecasts of all lines with an interval hold together; None for fewer than five of them."""
    known = [
        (line.forecast.gain, errors, line.realised.gain) for line in lines if line.realised and (errors := line._errors)
    ]
    return calibration(
        [expected for expected, _, _ in known],
        [errors[0] for _, errors, _ in known],
        [came for _, _, came in known],
        [errors[1] for _, errors, _ in known],
    )


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
                tried.setdefault(move.idea, move)
    return [_line(project, key, titles.get(key, "(its file is gone)"), tried[key], last[key]) for key in sorted(tried)]


def _line(project: Project, key: str, title: str, tried: Rollout, last: Rollout) -> Line:
    judged = project.records.get("verdict", key, at=tried.at)
    if judged is None or tried.challenger is None:
        raise NotFoundError(
            f"Idea {int(key)} was rolled out without a verdict: the record store is damaged. Restore it from a backup."
        )
    analysis = read_analysis(judged)
    moves = rollout_history(project, tried.problem)
    live, trial = open_live(project, moves, key, sides_of(moves, key))
    reading = read_live(live, open_evidence(project, analysis.evidence), analysis.verdict.criteria, trial)
    found = reading.per_period if reading is not None else None
    realised = Gain(low=found[0], gain=found[1], high=found[2]) if found is not None else None
    course = _course(live.table) if trial.pairs else _estimated(drawn_in(live.answered, trial.step), realised)
    together = _judged_together(analysis, trial.periods_per_year)
    return Line(
        idea=int(key),
        title=title,
        problem=last.problem,
        phase=str(last.phase),
        currency=analysis.currency,
        cadence=analysis.verdict.criteria.cadence if together == 1 else f"{24 / together:g}h",
        forecast=forecast_of(project, analysis, trial.periods_per_year),
        raw=analysis.verdict.per_period().gain / together,
        realised=realised,
        course=course,
        periods_per_year=trial.periods_per_year,
    )


def _judged_together(analysis: Analysis, periods_per_year: float) -> int:
    """How many periods the verdict joins into one: those of a day where several are decided a day, else 1."""
    verdict = analysis.verdict
    if verdict.exposure is None or not verdict.criteria.units_per_year:
        return 1
    return max(1, round(verdict.exposure.pairs_per_period * periods_per_year / verdict.criteria.units_per_year))


def _course(table: pl.DataFrame) -> tuple[LivePeriod, ...]:
    """The live periods with what they came to."""
    if table.is_empty():
        return ()
    gain = pl.col("value_challenger") - pl.col("value_champion")
    found = table.group_by("period").agg(
        gain=gain.sum(), earned=gain.filter(ANSWERED).sum(), answered=pl.col(ANSWERED).any()
    )
    return tuple(LivePeriod(**row) for row in found.sort("period").to_dicts())


def _estimated(answered: pl.DataFrame, realised: Gain | None) -> tuple[LivePeriod, ...]:
    """The periods of a trial that cannot tell what the other arm would have earned: each gained what they did on average."""
    if answered.is_empty() or realised is None:
        return ()
    share = pl.col(ANSWERED).mean()
    found = answered.group_by("period").agg(
        gain=pl.lit(realised.gain), earned=share * realised.gain, answered=pl.col(ANSWERED).any()
    )
    return tuple(LivePeriod(**row) for row in found.sort("period").to_dicts())


def forecast_of(project: Project, analysis: Analysis, periods_per_year: float) -> Gain:
    """What an idea is expected to earn a period: the verdict's gain, shrunk by what all other verdicts of the project were."""
    others = [read_whole_verdict(record) for record in project.records.find("verdict") if record.key != analysis.idea]
    known = [other for other in others if math.isfinite(other.se) and other.se > 0 and other.exposure is not None]
    units = analysis.verdict.exposure.pairs_per_period if analysis.verdict.exposure else 1.0
    units /= _judged_together(analysis, periods_per_year)
    found = forecast(
        analysis.verdict.gain,
        analysis.verdict.se,
        df=max(1, analysis.verdict.nu),
        past_estimates=[other.gain for other in known],
        past_ses=[other.se for other in known],
        past_dfs=[max(1, other.nu) for other in known],
    )
    return Gain(gain=found.mean * units, low=found.low * units, high=found.high * units)


def line_from(fields: Mapping[str, Any]) -> Line:
    """The line whose `to_dict` went through JSON."""
    names = ("idea", "title", "problem", "phase", "currency", "cadence", "raw", "periods_per_year")
    course = (LivePeriod(**{**one, "period": instant_of(one["period"])}) for one in fields["course"])
    return Line(
        **{name: fields[name] for name in names},
        forecast=_gain(fields["forecast"]),
        realised=_gain(fields["realised"]) if fields["realised"] else None,
        course=tuple(course),
    )


def instant_of(period: Any) -> Any:
    """A period as the rows have it, from how JSON holds it: a day, an instant, or a number.

    >>> instant_of("2015-09-09"), instant_of(7)
    (datetime.date(2015, 9, 9), 7)
    """
    if not isinstance(period, str):
        return period
    return date.fromisoformat(period) if len(period) == len("2015-09-09") else datetime.fromisoformat(period)


def _gain(fields: Mapping[str, float | None]) -> Gain:
    """A gain whose open ends JSON holds as null."""
    low, mean, high = (fields[name] for name in ("low", "gain", "high"))
    return Gain(
        low=-math.inf if low is None else low,
        gain=math.nan if mean is None else mean,
        high=math.inf if high is None else high,
    )
