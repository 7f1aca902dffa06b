"""Any other solver: whatever can be called and gives a solution back."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TypeVar

from shipworthy.problem import Now, Solve, Status
from shipworthy.solvers.limits import seconds_in, seed_in
from shipworthy.solvers.solved import Solved

A = TypeVar("A")


def solve(
    search: Callable[[int, float | None], A],
    now: Now,
    *,
    solver: str,
    proves: bool = False,
    objective: Callable[[A], float] | None = None,
    threads: int | None = None,
    work_limit: float | None = None,
) -> Solved[A]:
    """Calls `search(seed, seconds)`, seconds being None where there is no limit, and takes the time.

    It found nothing where it returns None, or something whose `success` is false, as scipy does; and ran out of time where it
    raises `TimeoutError`. Whatever else it raises is raised.

    Args:
        search: Yours.
        now: Gives the seed and the seconds left.
        solver: Its name and version.
        proves: Whether what it finds is an optimum.
        objective: Reads the objective from what it returned.
        threads: What you gave it, to be recorded.
        work_limit: What you gave it, to be recorded.

    >>> import polars as pl
    >>> now = Now(period=1, key=("day", "shop"), rows=pl.DataFrame(), past=pl.DataFrame(), seed=7)
    >>> solved = solve(lambda seed, seconds: [seed, 1], now, solver="greedy 1", objective=sum)
    >>> solved.solution, solved.solve.objective, solved.status.value
    ([7, 1], 8.0, 'feasible')
    >>> solve(lambda seed, seconds: None, now, solver="greedy 1").status.value
    'infeasible'
    """
    seed, seconds = seed_in(now), seconds_in(now)
    answer: A | None = None
    status = Status.OPTIMAL if proves else Status.FEASIBLE
    started = perf_counter()
    try:
        answer = search(seed, seconds)
    except TimeoutError:
        status = Status.TIMEOUT
    took = perf_counter() - started
    if status.has_decisions and (answer is None or not getattr(answer, "success", True)):
        status = Status.INFEASIBLE
    account = Solve(
        solver=solver,
        status=status,
        objective=objective(answer) if objective and answer is not None and status.has_decisions else None,
        seconds=took,
        seed=seed,
        threads=threads,
        time_limit=seconds,
        work_limit=work_limit,
    )
    return Solved(solve=account, answer=answer)  # type: ignore[arg-type]  # None is kept back by Solved.solution
