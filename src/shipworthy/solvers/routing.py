"""OR-Tools routing: vehicle routing with dimensions, time windows, pickups and side constraints of your own."""

from __future__ import annotations

from importlib.metadata import version
from time import perf_counter
from typing import Any

from ortools.constraint_solver import pywrapcp

from shipworthy.errors import UserCodeError
from shipworthy.problem import Now, Solve, Status
from shipworthy.solvers.limits import seconds_in, seed_in
from shipworthy.solvers.solved import Solved

SOLVER = f"OR-Tools routing {version('ortools')}"

_STATUS = {  # ortools/constraint_solver/routing_enums.proto, RoutingSearchStatus
    1: Status.FEASIBLE,  # a local optimum
    2: Status.FEASIBLE,
    3: Status.INFEASIBLE,
    4: Status.TIMEOUT,
    6: Status.INFEASIBLE,
    7: Status.OPTIMAL,
}


def solve(
    model: pywrapcp.RoutingModel, now: Now, *, work_limit: int | None = None, parameters: Any = None
) -> Solved[pywrapcp.Assignment]:
    """Solves a model; read routes from the assignment in `solved.solution`, as in `model.NextVar(...)`.

    Args:
        model: Yours.
        now: Gives the seed and the seconds left.
        work_limit: Solutions looked at (`solution_limit`).
        parameters: Search parameters of your own, from `pywrapcp.DefaultRoutingSearchParameters()`; limits are set on a copy.

    Raises:
        UserCodeError: the model or the parameters are not valid.
    """
    given = pywrapcp.DefaultRoutingSearchParameters()
    if parameters is not None:
        given.CopyFrom(parameters)
    seed, seconds = seed_in(now), seconds_in(now)
    if seconds is not None:
        given.time_limit.FromMilliseconds(max(1, int(1000 * seconds)))
    if work_limit is not None:
        given.solution_limit = work_limit
    model.solver().ReSeed(seed)
    started = perf_counter()
    assignment = model.SolveWithParameters(given)
    took = perf_counter() - started
    status = _STATUS.get(model.status())
    if status is None:
        raise UserCodeError(f"{SOLVER} refuses the model or its search parameters (status {model.status()}).")
    account = Solve(
        solver=SOLVER,
        status=status,
        objective=assignment.ObjectiveValue() if assignment else None,
        bound=assignment.ObjectiveValue() if status is Status.OPTIMAL else None,
        seconds=took,
        seed=seed,
        threads=1,
        time_limit=seconds,
        work_limit=work_limit,
    )
    return Solved(solve=account, answer=assignment)
