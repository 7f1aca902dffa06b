"""What an optimiser returns: decisions, and how it found them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from numpy.typing import NDArray

from shipworthy.problem.solve import Solve, Status, finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Decisions with the solver's own account of them.

    A policy may return bare decisions; it returns a plan where a solver ran, so that gap and status are recorded.
    `FEASIBLE` is an incumbent which the solver could not prove optimal, for example because its time ran out.

    Attributes:
        decisions: A frame with the unit column and the decision columns, or one value per row of `now.rows`.
        status: How the solve ended: the worst of what is given here and in `solve`.
        gap: Relative distance between objective and bound; None where the solver has none. Taken from `solve`, if not given.
        objective: The solver's objective, in its own unit. Taken from `solve`, if not given.
        solve: The account of the solve, or of the several, that the decisions rest on.

    >>> found = Solve(solver="HiGHS 1.14.0", status="feasible", objective=90.0, bound=99.0, seconds=0.2)
    >>> plan = Plan(decisions=[1.0], solve=found)
    >>> plan.status.value, plan.gap
    ('feasible', 0.1)
    """

    decisions: pl.DataFrame | pl.Series | NDArray[Any] | Sequence[Any] | None
    status: Status = Status.OPTIMAL
    gap: float | None = None
    objective: float | None = None
    solve: Solve | Sequence[Solve] | None = None

    def __post_init__(self) -> None:
        """Takes plain text for a status, and a gap or an objective that is not finite for one that the solver has not.

        Raises:
            ValueError: there is no such status, or a gap or an objective is no number.
        """
        account = self.account
        told = [account.status] if account else []
        object.__setattr__(self, "status", Status.worst(Status(self.status), *told))
        for name in ("gap", "objective"):
            number = finite(getattr(self, name))
            object.__setattr__(self, name, getattr(account, name, None) if number is None else number)

    @property
    def account(self) -> Solve | None:
        """The solves taken together; None where no solver told of itself."""
        solves = (self.solve,) if isinstance(self.solve, Solve) else tuple(self.solve or ())
        return Solve.together(solves) if solves else None
