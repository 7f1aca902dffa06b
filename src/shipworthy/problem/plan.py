"""What an optimiser returns: decisions, and how it found them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import polars as pl
from numpy.typing import NDArray


class Status(StrEnum):
    """How a solve ended.

    >>> Status.FEASIBLE.has_decisions, Status.INFEASIBLE.has_decisions
    (True, False)
    """

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    TIMEOUT = "timeout"

    @property
    def has_decisions(self) -> bool:
        """Whether a plan of this status can be carried out."""
        return self in {Status.OPTIMAL, Status.FEASIBLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Decisions with the solver's own account of them.

    A policy may return bare decisions; it returns a plan where a solver ran, so that gap and status are recorded.
    `FEASIBLE` is an incumbent which the solver could not prove optimal, for example because its time ran out.

    Attributes:
        decisions: A frame with the unit column and the decision columns, or one value per row of `now.rows`.
        status: How the solve ended.
        gap: Relative distance between objective and bound; None where the solver has none.
        objective: The solver's objective, in its own unit.
    """

    decisions: pl.DataFrame | pl.Series | NDArray[Any] | Sequence[Any] | None
    status: Status = Status.OPTIMAL
    gap: float | None = None
    objective: float | None = None

    def __post_init__(self) -> None:
        """Takes plain text for a status, and a gap or an objective that is not finite for one that the solver has not.

        Raises:
            ValueError: there is no such status, or a gap or an objective is no number.
        """
        object.__setattr__(self, "status", Status(self.status))
        for name in ("gap", "objective"):
            given = getattr(self, name)
            number = None if given is None else float(given)
            object.__setattr__(self, name, number if number is not None and math.isfinite(number) else None)
