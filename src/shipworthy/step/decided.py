"""What one step gives back: the decisions, and how they came about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import polars as pl

from shipworthy.problem import Solve


class Rung(StrEnum):
    """Which rung of the ladder decided, from the best down.

    >>> Rung.FALLBACK.is_fall, Rung.INCUMBENT.is_fall
    (True, False)
    """

    POLICY = "policy"
    INCUMBENT = "incumbent"
    FALLBACK = "fallback"
    LAST_PLAN = "last plan"
    NONE = "none"

    @property
    def is_fall(self) -> bool:
        """Whether the policy that was asked did not decide itself."""
        return self not in {Rung.POLICY, Rung.INCUMBENT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The decisions of one period by one policy, with the account of how they were found.

    Attributes:
        decisions: One row per unit, in the order asked: the unit column and the decision columns. Null where rung is NONE.
        rung: Which rung of the ladder decided.
        status: The solver's status, or "decided" where the policy returned bare decisions.
        gap: The solver's relative gap, where it gave one.
        objective: The solver's objective, where it gave one.
        solve: The solver's account of the decisions, where it gave one.
        seconds: Wall time of the whole step.
        seed: The seed that was given.
        falls: Why each higher rung did not decide, in order.
    """

    decisions: pl.DataFrame
    rung: Rung
    status: str
    seconds: float
    seed: int
    gap: float | None = None
    objective: float | None = None
    solve: Solve | None = None
    falls: tuple[str, ...] = ()

    def telemetry(self) -> dict[str, Any]:
        """The account without the decisions, as plain values."""
        return {
            "rung": str(self.rung),
            "status": self.status,
            "solver": self.solve and self.solve.solver,
            "gap": self.gap,
            "objective": self.objective,
            "bound": self.solve and self.solve.bound,
            "seed": self.seed,
            "threads": self.solve and self.solve.threads,
            "limit_kind": self.solve and self.solve.limit_kind,
            "falls": "; ".join(self.falls) or None,
            "seconds": self.seconds,
            "solve_seconds": self.solve and self.solve.seconds,
        }
