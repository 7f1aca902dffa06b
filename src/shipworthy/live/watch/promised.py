"""What the replay promised of the release that serves: the rows it saw, what it decided on them, and the gain it forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from shipworthy.analysis.analyse import Analysis, read_analysis
from shipworthy.analysis.gain import Gain
from shipworthy.data.snapshot import open_snapshot
from shipworthy.live.ledger.ledger import forecast_of
from shipworthy.problem import Problem
from shipworthy.project import Project
from shipworthy.research.evidence import open_evidence
from shipworthy.research.research import read_research
from shipworthy.ship.reading import judged_for_shadow
from shipworthy.ship.release import Release, open_release
from shipworthy.ship.rollout import Rollout, rollout_history
from shipworthy.step import History
from shipworthy.step.worth import VALUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """What a release was expected to be like.

    Attributes:
        release: The release that serves.
        releases: Every release of the same policy and idea, however often it was fitted.
        rows: The snapshot's rows that it was built from, each (period, unit) once.
        decided: What the replay decided with its policy, one row per (period, unit): `period`, `unit`, the decisions, `value`,
            guardrails, rung; a sealed holdout's periods are left out. None where nothing was replayed.
        gain: Money a period that it was forecast to earn more than the champion before it; None for a baseline.
        currency: The currency of all money.
        cadence: The time from a period to the next, as a number where periods are numbers; None where there are fewer than two.
    """

    release: Release
    releases: frozenset[str]
    rows: pl.DataFrame
    decided: pl.DataFrame | None
    gain: Gain | None
    currency: str
    cadence: Any

    @property
    def problem(self) -> Problem:
        """The problem as the release declares it."""
        return self.release.problem

    @property
    def inputs(self) -> list[str]:
        """The columns that are known before deciding."""
        left_out = {*self.problem.row_key, *self.problem.hidden, *self.problem.decisions}
        return [name for name in self.release.memory.columns if name in self.rows.columns and name not in left_out]

    @property
    def worth(self) -> float | None:
        """Money a period that its policy earned in the replay."""
        if self.decided is None or self.decided[VALUE].is_null().all():
            return None
        return float(self.decided[VALUE].sum()) / self.decided.filter(pl.col(VALUE).is_not_null())["period"].n_unique()


def promised(project: Project, rollout: Rollout) -> Promised:
    """What was promised of the champion of a rollout.

    Raises:
        NotFoundError: the release, its snapshot or its evidence is gone.
        TamperedError: a byte of them was changed.
    """
    release = open_release(project, rollout.champion)
    rows = History(release.problem, open_snapshot(project, str(release.manifest["snapshot"]))).newest.rows
    moves = rollout_history(project, rollout.problem)
    analysis, role = _judged(project, moves, release)
    return Promised(
        release=release,
        releases=_siblings(project, release),
        rows=rows,
        decided=_decided(project, analysis, role) if analysis else None,
        gain=forecast_of(project, analysis, release.problem.periods_per_year)
        if analysis and role == "challenger"
        else None,
        currency=release.problem.currency,
        cadence=_cadence(rows[release.problem.period]),
    )


def at_risk(promised: Promised, share: float, of_what: str) -> tuple[float | None, str]:
    """The gain a period that a share of it is at risk of, and how that was reckoned."""
    if promised.gain is None:
        return None, "no gain was forecast for what serves, so no money can be named"
    gain = max(promised.gain.gain, 0.0)
    return share * gain, f"{share:.0%} {of_what}, times the gain of {gain:,.2f} {promised.currency} a period"


def forecast_on_trial(project: Project, rollout: Rollout, problem: Problem) -> Gain | None:
    """What the idea of a rollout is forecast to earn a period; None where it has no verdict."""
    moves = rollout_history(project, rollout.problem)
    judged = judged_for_shadow(project, moves, rollout.idea) if rollout.idea else None
    return None if judged is None else forecast_of(project, read_analysis(judged), problem.periods_per_year)


def _judged(project: Project, moves: Sequence[Rollout], release: Release) -> tuple[Analysis | None, str]:
    """The analysis that its policy stands in, and on which side: its idea's, or the first that a baseline was held against."""
    idea = release.manifest["idea"]
    ideas = [idea] if idea is not None else [move.idea for move in moves if move.idea is not None][:1]
    judged = judged_for_shadow(project, moves, ideas[0]) if ideas else None
    return (read_analysis(judged) if judged else None), "champion" if idea is None else "challenger"


def _siblings(project: Project, release: Release) -> frozenset[str]:
    about = {"problem": release.problem.name, "policy": release.manifest["policy"], "idea": release.manifest["idea"]}
    found = project.records.find("release")
    alike = {record.key for record in found if about.items() <= dict(record.body).items()}
    return frozenset({release.id, *alike})


def _decided(project: Project, analysis: Analysis, role: str) -> pl.DataFrame | None:
    """The open part of the evidence, with the columns of one side."""
    address: str | None = analysis.evidence
    if analysis.is_sealed:
        record = project.records.get("research", analysis.idea)
        address = read_research(record).development if record is not None else None
    if address is None:
        return None
    evidence = open_evidence(project, address)
    ending = f"_{role}"
    own = {name: name.removesuffix(ending) for name in evidence.columns if name.endswith(ending)}
    return evidence.select("period", "unit", *own).rename(own)


def _cadence(periods: pl.Series) -> Any:
    """The usual time from one period to the next."""
    return periods.unique().sort().diff().drop_nulls().median()
