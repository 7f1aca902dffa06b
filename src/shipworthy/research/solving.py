"""How a policy's solvers did over a replay, in a few numbers."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from shipworthy.engine import Track
from shipworthy.problem import Status
from shipworthy.step import Rung

_OWN = [str(rung) for rung in Rung if not rung.is_fall]


@dataclass(frozen=True, slots=True, kw_only=True)
class Solving:
    """The solves behind the decisions that a policy made itself; what fell down the ladder is another's.

    Attributes:
        solver: Names and versions.
        decisions: Decisions in which a solver found a plan that was carried out.
        periods: Decisions that the policy was asked for.
        optimal: The share of `decisions` whose plan was proved optimal.
        limit_kind: What might have ended the searches early.
        median_gap: Over the decisions that have a gap; None where none has.
        worst_gap: The same.
        median_seconds: Wall time of the search.
    """

    solver: str
    decisions: int
    periods: int
    optimal: float
    limit_kind: str
    median_gap: float | None
    worst_gap: float | None
    median_seconds: float


def solving(track: Track) -> Solving | None:
    """Reads the telemetry of a track; None where no solver told of itself."""
    per_period = track.table.group_by(track.table.columns[0], maintain_order=True).first()
    solved = per_period.filter(pl.col("solver").is_not_null() & pl.col("rung").is_in(_OWN))
    if solved.is_empty():
        return None
    gaps = solved["gap"].drop_nulls().sort()
    return Solving(
        solver=", ".join(solved["solver"].unique(maintain_order=True)),
        decisions=solved.height,
        periods=per_period.height,
        optimal=float((solved["status"] == str(Status.OPTIMAL)).sum()) / solved.height,
        limit_kind=", ".join(solved["limit_kind"].unique(maintain_order=True)),
        median_gap=None if gaps.is_empty() else float(gaps.quantile(0.5, "linear") or 0.0),
        worst_gap=None if gaps.is_empty() else float(gaps[-1]),
        median_seconds=float(solved["solve_seconds"].quantile(0.5, "linear") or 0.0),
    )
