"""The account of one solver's work: who searched, how far it came, and under which limits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from shipworthy.errors import UserCodeError

N = TypeVar("N", int, float)


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

    @classmethod
    def worst(cls, *statuses: Status) -> Status:
        """The status of several solves taken together.

        >>> Status.worst(Status.OPTIMAL, Status.TIMEOUT, Status.FEASIBLE).value
        'timeout'
        """
        return max(statuses, key=(cls.OPTIMAL, cls.FEASIBLE, cls.TIMEOUT, cls.INFEASIBLE).index)


class UnsolvedError(UserCodeError):
    """A solver ended without a solution that could be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Solve:
    """What a solver did, in the same words for every solver; the adapters in `shipworthy.solvers` fill it in.

    Numbers that are not finite stand for what the solver does not have, and become None.

    Attributes:
        solver: Name and version, such as "HiGHS 1.14.0".
        status: How it ended. An unbounded model is infeasible: no plan of it can be carried out.
        objective: The objective of what was found, in the solver's own unit.
        bound: What no solution can be better than.
        gap: Distance between objective and bound relative to the objective; worked out from them where it is not given.
        seconds: Wall time of the search.
        seed: The seed it was given.
        threads: The threads it was given.
        time_limit: Seconds it was given.
        work_limit: The work it was given, in the solver's own unit: deterministic time, nodes, iterations, solutions.

    >>> Solve(solver="HiGHS 1.14.0", status="feasible", objective=90.0, bound=99.0, seconds=0.2).gap
    0.1
    """

    solver: str
    status: Status
    seconds: float
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    seed: int | None = None
    threads: int | None = None
    time_limit: float | None = None
    work_limit: float | None = None

    def __post_init__(self) -> None:
        """Takes plain text for a status, and numbers that are not finite for absent ones.

        Raises:
            ValueError: there is no such status, or what should be a number is none.
        """
        object.__setattr__(self, "status", Status(self.status))
        for name in ("objective", "bound", "gap"):
            object.__setattr__(self, name, finite(getattr(self, name)))
        if self.gap is None:
            object.__setattr__(self, "gap", self._relative_gap())

    @property
    def limit_kind(self) -> str:
        """What might have ended the search early: "none", "work", "time", or "work and time".

        Only a wall clock makes the same search end elsewhere the next time.

        >>> Solve(solver="PyVRP 0.14.1", status="feasible", seconds=0.2, work_limit=500).limit_kind
        'work'
        """
        kinds = {"work": self.work_limit, "time": self.time_limit}
        return " and ".join(kind for kind, limit in kinds.items() if limit is not None) or "none"

    @classmethod
    def together(cls, solves: Sequence[Solve]) -> Solve:
        """One account of several solves: the worst status and gap, the last objective, seconds and limits summed.

        >>> first = Solve(solver="CP-SAT 9.15", status="optimal", seconds=0.5, seed=1, objective=3.0)
        >>> both = Solve.together([first, Solve(solver="HiGHS 1.14.0", status="feasible", seconds=1.0, seed=1)])
        >>> both.solver, both.status.value, both.seconds, both.seed, both.objective
        ('CP-SAT 9.15, HiGHS 1.14.0', 'feasible', 1.5, 1, None)
        """
        if len(solves) == 1:
            return solves[0]
        seeds = {solve.seed for solve in solves}
        return cls(
            solver=", ".join(dict.fromkeys(solve.solver for solve in solves)),
            status=Status.worst(*(solve.status for solve in solves)),
            seconds=sum(solve.seconds for solve in solves),
            objective=solves[-1].objective,
            bound=solves[-1].bound,
            gap=max(_given(solve.gap for solve in solves), default=None),
            seed=seeds.pop() if len(seeds) == 1 else None,
            threads=max(_given(solve.threads for solve in solves), default=None),
            time_limit=sum(limits) if (limits := _given(solve.time_limit for solve in solves)) else None,
            work_limit=sum(limits) if (limits := _given(solve.work_limit for solve in solves)) else None,
        )

    def _relative_gap(self) -> float | None:
        if self.objective is None or self.bound is None:
            return None
        distance = abs(self.objective - self.bound)
        return finite(distance / abs(self.objective)) if self.objective else (0.0 if distance == 0.0 else None)


def _given(values: Iterable[N | None]) -> list[N]:
    return [value for value in values if value is not None]


def finite(number: float | None) -> float | None:
    """The number, or None where it is NaN or infinite.

    Raises:
        ValueError: it is no number.
    """
    return float(number) if number is not None and math.isfinite(float(number)) else None
