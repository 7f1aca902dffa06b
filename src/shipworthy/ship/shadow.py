"""What live periods say: what both sides decided, or what the one earned that answered, with the outcomes that have come."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from shipworthy.problem import Problem
from shipworthy.project import Project
from shipworthy.ship.conduct import Conduct, conduct_of
from shipworthy.ship.logged import Logged
from shipworthy.ship.release import Release
from shipworthy.ship.sides import Sides
from shipworthy.step import happened, worth

_ROLES = ("champion", "challenger")
ANSWERED = "answered"
"""The column that says whether the idea's release was the one that answered."""
MADE_UNDER = "rollout"
"""The column with the move of the rollout under which a row was decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEvidence:
    """An idea's live periods.

    Attributes:
        table: One row per (period, unit) that both sides decided and whose outcome is known, in the form of a replay's
            evidence: `champion` is the side from before the idea, `challenger` the one that carries it, whichever answers
            by now. Empty where outcomes depend on what is decided: then only one of them was ever tried.
        answered: One row per (period, unit) whose outcome is known: the arm that was drawn, `value` and guardrails of what
            was answered.
        conduct: How both decide, beside the money.
    """

    table: pl.DataFrame
    answered: pl.DataFrame
    conduct: Conduct


def live_evidence(project: Project, sides: Sides, new: Release) -> LiveEvidence:
    """Joins the decision log with the outcomes.

    A unit that was asked for several times in a period counts as it was decided last, an outcome as it was corrected last.

    Raises:
        InvalidInputError: what was logged does not have the snapshot's types.
        UserCodeError: the release's value or a guardrail cannot be computed from what was logged.
    """
    logged = Logged(project, new, sides)
    answered = _answered(logged)
    table = _paired(logged, answered) if new.problem.counterfactual and answered.height else pl.DataFrame()
    return LiveEvidence(table=table, answered=answered, conduct=conduct_of(logged))


def _answered(logged: Logged) -> pl.DataFrame:
    """What the arm earned that answered: period, unit, arm, answered, rollout, value, and each guardrail."""
    problem, rows, arms = logged.release.problem, [], []
    for entry in logged.entries:
        decided = {
            arm: {row[problem.unit]: row for row in answer["decisions"]} for arm, answer in entry.answers.items()
        }
        for asked in entry.asked:
            keys, unit = logged.keys(entry, asked.row), asked.row[problem.unit]
            by_idea = entry.answers[asked.answered]["release"] in logged.sides.new
            arms.append({**keys, "arm": asked.drawn, ANSWERED: by_idea, MADE_UNDER: entry.version})
            rows.append({**keys, **decided[asked.answered][unit]})
    if logged.settled.is_empty():
        return pl.DataFrame()
    earned = _worth(problem, logged.settled, logged.frame(rows))
    return earned.join(logged.frame(arms).rename(_renamed(problem)), on=["period", "unit"]).sort("period", "unit")


def _paired(logged: Logged, answered: pl.DataFrame) -> pl.DataFrame:
    problem = logged.release.problem
    decisions = [logged.decisions_of(side) for side in (logged.sides.old, logged.sides.new)]
    if any(one.is_empty() for one in decisions):
        return pl.DataFrame()
    sides = [_worth(problem, logged.settled, one) for one in decisions]
    named = [
        table.rename({name: f"{name}_{role}" for name in table.columns if name not in ("period", "unit")})
        for table, role in zip(sides, _ROLES, strict=True)
    ]
    paired = named[0].join(named[1], on=["period", "unit"])
    who = answered.select("period", "unit", ANSWERED, MADE_UNDER)
    return paired.join(who, on=["period", "unit"]).sort("period", "unit")


def _worth(problem: Problem, settled: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    return worth(problem, happened(problem, settled, decisions)).rename(_renamed(problem))


def _renamed(problem: Problem) -> dict[str, str]:
    return {problem.period: "period", problem.unit: "unit"}
