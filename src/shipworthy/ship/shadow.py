"""What live periods say: champion and challenger decided the same ones, and their outcomes have come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from shipworthy.problem import Period, Problem
from shipworthy.project import Project
from shipworthy.ship.release import Release
from shipworthy.ship.rollout import Rollout
from shipworthy.step import happened, worth
from shipworthy.step.worth import VALUE
from shipworthy.store import read_log


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEvidence:
    """The paired table of an idea's live periods.

    Attributes:
        table: One row per (period, unit) whose outcome is known and which both releases decided: `period`, `unit`,
            `value_champion`, `value_challenger`, the guardrails of both, and `answered` by whom.
        undecided: Periods in which the challenger, though asked, did not decide itself.
        periods: Periods that both were asked for, whether or not the outcome is known.
    """

    table: pl.DataFrame
    undecided: int
    periods: int


def live_evidence(project: Project, release: Release, rollout: Rollout) -> LiveEvidence:
    """Joins the decision log with the outcomes for the idea that a rollout is about.

    Champion is the policy from before the idea and challenger the one that carries it, whichever of them is called so by
    now. A period that was asked for several times counts as it was decided last, and an outcome as it was corrected
    last.

    Args:
        project: Where the logs lie.
        release: Either release of the idea; its problem says what a row was worth.
        rollout: The rollout as it stands.
    """
    problem = release.problem
    folder = project.log_folder / problem.name
    asked = [entry for entry in read_log(folder, "decisions") if entry.get("idea") == rollout.idea and rollout.idea]
    outcomes = _outcomes(problem, release, read_log(folder, "outcomes"))
    tables = {role: _decided(problem, release, asked, role) for role in ("champion", "challenger")}
    falls = {entry["period"]: entry["answers"].get("challenger", {}).get("rung") for entry in asked}
    table = _paired(problem, tables, outcomes) if asked and outcomes.height else _EMPTY
    undecided = sum(rung not in ("policy", "incumbent") for rung in falls.values())
    return LiveEvidence(table=table, undecided=undecided, periods=len(falls))
