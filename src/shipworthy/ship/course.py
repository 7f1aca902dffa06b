"""How a rollout goes: the steps it takes, what its live periods say look by look, and what its next step misses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from shipworthy.analysis.analyse import read_analysis
from shipworthy.analysis.trials.trial_verdict import Look, TrialVerdict
from shipworthy.ideas.register import find_idea
from shipworthy.project import Gap, Project
from shipworthy.research.evidence import open_evidence
from shipworthy.ship.gate import missing, missing_signoffs
from shipworthy.ship.reading import LiveReading, Trial, judged_for_shadow, open_live, read_live
from shipworthy.ship.release import open_release
from shipworthy.ship.rollout import Phase, Rollout, rolled_out
from shipworthy.ship.rules import Rules, read_rules
from shipworthy.ship.shadow import ANSWERED, LiveEvidence
from shipworthy.ship.ship import following
from shipworthy.ship.sides import sides_of

_MOST_PERIODS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a live period came to.

    Attributes:
        period: Which one, as the rows call it.
        arm: Who answered: "champion" or "challenger", as sides of the idea; "both" where units of one period were shared.
        value: What was answered earned, in the problem's currency.
        champion: What the side from before the idea earned or would have; None where that cannot be known.
        challenger: The same of the idea's side.
    """

    period: Any
    arm: str
    value: float
    champion: float | None = None
    challenger: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a rollout goes.

    Attributes:
        rollout: What serves now.
        currency: The currency of its money; empty where nothing is tried or live.
        cadence: The length of a period, such as "1d".
        steps: What the idea goes through, in order: each phase with its share, where it is a canary.
        following: The phase that comes next; None where none does.
        gaps: What is missing before that; empty means that the gate is open.
        reading: What the live periods say; None where none can be read.
        money: What each live period came to, the newest last, at most 400 of them.
        smallest: The smallest gain worth shipping, a period; None without a verdict.
        rules: How the problem's ideas are rolled out.
    """

    rollout: Rollout
    currency: str = ""
    cadence: str = ""
    steps: Sequence[tuple[Phase, float]] = ()
    following: Phase | None = None
    gaps: Sequence[Gap] = ()
    reading: LiveReading | None = None
    money: Sequence[Answered] = ()
    smallest: float | None = None
    rules: Rules

    @property
    def looks(self) -> Sequence[Look]:
        """The gain a period with its anytime interval, look by look."""
        found = self.reading and self.reading.money
        return _times(found, self.reading.units) if found and self.reading else ()

    def to_dict(self) -> dict[str, Any]:
        """The course as plain values."""
        moved = {name: getattr(self.rollout, name) for name in ("problem", "phase", "idea", "champion", "challenger")}
        return {
            **moved,
            "move": self.rollout.version,
            "share": self.rollout.share,
            "draw": self.rollout.draw,
            "currency": self.currency,
            "cadence": self.cadence,
            "steps": [{"phase": phase, "share": share} for phase, share in self.steps],
            "following": self.following,
            "gaps": [asdict(gap) for gap in self.gaps],
            "smallest": self.smallest,
            "rules": asdict(self.rules),
            "reading": self.reading and self._reading(self.reading),
            "looks": [asdict(look) for look in self.looks],
            "money": [asdict(one) for one in self.money],
        }

    def _reading(self, found: LiveReading) -> dict[str, Any]:
        return {
            **found.numbers(),
            "per_period": found.per_period,
            "sentence": found.sentence,
            "looks_at": found.looks_at,
            "reasons": list(found.money.reasons) if found.money else [],
            "guardrails": [
                {"name": margin.name, "margin": margin.margin, "better": margin.better, **_ends(verdict)}
                for margin, verdict in found.guardrails
            ],
        }


def read_course(project: Project, problem: str) -> Course:
    """How the rollout of a problem goes.

    Raises:
        NotFoundError: nothing is rolled out for it.
        InvalidInputError: the logs, or the rules in shipworthy.toml, cannot be read.
    """
    moves = rolled_out(project, problem)
    serves = moves[-1]
    rules = read_rules(project, problem)
    judged = judged_for_shadow(project, moves, serves.idea) if serves.idea else None
    sides = sides_of(moves, serves.idea, since_resumed=True) if serves.idea else None
    if judged is None or sides is None or not sides.new or serves.idea is None:
        return Course(rollout=serves, rules=rules)
    analysis = read_analysis(judged)
    live, trial = open_live(project, moves, serves.idea, sides)
    reading = read_live(live, open_evidence(project, analysis.evidence), analysis.verdict.criteria, trial)
    goes_on = serves.phase in {Phase.SHADOW, Phase.CANARY, Phase.SWITCHBACK}
    to = following(serves, rules) if goes_on else None
    gaps = missing(to, reading, rules.periods) if to else []
    if to is Phase.LIVE:
        gaps += missing_signoffs(project, find_idea(project, int(serves.idea)), serves, project.who)
    return Course(
        rollout=serves,
        currency=analysis.currency,
        cadence=analysis.verdict.criteria.cadence,
        steps=list(_steps(project, moves, serves, rules)),
        following=to,
        gaps=gaps,
        reading=reading,
        money=_money(live, trial),
        smallest=analysis.verdict.criteria.min_effect * reading.units if reading else None,
        rules=rules,
    )


def _steps(project: Project, moves: Sequence[Rollout], serves: Rollout, rules: Rules) -> Iterator[tuple[Phase, float]]:
    """The phases that the idea went through or will: those that were taken count, whatever the rules say by now."""
    own = [move for move in moves if move.idea == serves.idea]
    carrier = next((move.challenger for move in own if move.phase is Phase.SHADOW), None)
    kind = rules.trial_of(open_release(project, carrier).problem)[0] if carrier else Phase.CANARY
    taken = next((move.phase for move in own if move.phase in {Phase.CANARY, Phase.SWITCHBACK}), kind)
    yield Phase.SHADOW, 0.0
    if taken is Phase.SWITCHBACK:
        yield Phase.SWITCHBACK, 0.5
    else:
        for share in sorted({*rules.steps, *(move.share for move in own if move.phase is Phase.CANARY)}):
            yield Phase.CANARY, share
    yield Phase.LIVE, 1.0


def _money(live: LiveEvidence, trial: Trial) -> Sequence[Answered]:
    if live.answered.is_empty():
        return ()
    by_idea = pl.col(ANSWERED)
    arms = (
        live.answered.group_by("period")
        .agg(value=pl.col("value").sum(), any=by_idea.any(), all=by_idea.all())
        .select(
            "period",
            "value",
            arm=pl.when("all")
            .then(pl.lit("challenger"))
            .when("any")
            .then(pl.lit("both"))
            .otherwise(pl.lit("champion")),
        )
    )
    if trial.pairs and not live.table.is_empty():
        sums = [pl.col(f"value_{side}").sum().alias(side) for side in ("champion", "challenger")]
        arms = arms.join(live.table.group_by("period").agg(sums), on="period", how="left")
    return [Answered(**row) for row in arms.sort("period").tail(_MOST_PERIODS).to_dicts()]


def _times(found: TrialVerdict, units: float) -> list[Look]:
    return [Look(look.mean * units, look.low * units, look.high * units) for look in found.looks]


def _ends(found: TrialVerdict) -> dict[str, Any]:
    names = ("mean", "low", "high", "look", "decided_at", "least")
    return {"decision": str(found.decision), **{name: getattr(found, name) for name in names}}
