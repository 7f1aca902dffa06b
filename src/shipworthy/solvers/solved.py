"""What every adapter gives back: the solver's own answer, with the account of how it was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shipworthy.problem import Plan, Solve, Status, UnsolvedError

A = TypeVar("A")


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved(Generic[A]):
    """A solve that has ended.

    Attributes:
        solve: The account of it.
        answer: What the solver gave back, whether it holds a solution or not.

    >>> solved = Solved(solve=Solve(solver="greedy", status="feasible", seconds=0.1), answer=[3, 1])
    >>> solved.plan(solved.solution).status.value
    'feasible'
    """

    solve: Solve
    answer: A

    @property
    def status(self) -> Status:
        """How it ended; ask it where you have another model to try."""
        return self.solve.status

    @property
    def solution(self) -> A:
        """The solver's own object, to read values from as its documentation says.

        Raises:
            UnsolvedError: it holds no solution; left alone, that sends the decision one rung down the ladder.
        """
        if not self.status.has_decisions:
            raise UnsolvedError(f"{self.solve.solver} ended {self.status}.")
        return self.answer

    def plan(self, decisions: Any, *, after: Sequence[Solved[Any]] = ()) -> Plan:
        """A plan of these decisions which carries the account; `after` are the solves that came before this one."""
        return Plan(decisions=decisions, solve=[*(before.solve for before in after), self.solve])
