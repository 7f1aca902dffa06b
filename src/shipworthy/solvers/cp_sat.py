"""OR-Tools CP-SAT: constraint programming over whole numbers."""

from __future__ import annotations

from importlib.metadata import version
from time import perf_counter

from ortools.sat.python import cp_model

from shipworthy.errors import UserCodeError
from shipworthy.problem import Now, Solve, Status
from shipworthy.solvers.limits import seconds_in, seed_in
from shipworthy.solvers.solved import Solved

SOLVER = f"CP-SAT {version('ortools')}"

_STATUS = {
    cp_model.OPTIMAL: Status.OPTIMAL,
    cp_model.FEASIBLE: Status.FEASIBLE,
    cp_model.INFEASIBLE: Status.INFEASIBLE,
    cp_model.UNKNOWN: Status.TIMEOUT,
}


def solve(
    model: cp_model.CpModel,
    now: Now,
    *,
    threads: int = 1,
    work_limit: float | None = None,
    solver: cp_model.CpSolver | None = None,
) -> Solved[cp_model.CpSolver]:
    """Solves a model; read values with `solved.solution.value(variable)`.

    Args:
        model: Yours.
        now: Gives the seed and the seconds left.
        threads: With one, the same seed gives the same plan; several workers race one another.
        work_limit: Deterministic time (`max_deterministic_time`), about a second of work each.
        solver: One with parameters of your own; seed, threads and limits are set on it.

    Raises:
        UserCodeError: the model is not valid.
    """
    solver = solver or cp_model.CpSolver()
    seed, seconds = seed_in(now), seconds_in(now)
    solver.parameters.random_seed = seed
    solver.parameters.num_workers = threads
    if seconds is not None:
        solver.parameters.max_time_in_seconds = seconds
    if work_limit is not None:
        solver.parameters.max_deterministic_time = work_limit
    started = perf_counter()
    ended = solver.solve(model)
    took = perf_counter() - started
    if ended not in _STATUS:
        raise UserCodeError(f"{SOLVER} refuses the model: {model.validate() or solver.status_name()}")
    status = _STATUS[ended]
    has_objective = status.has_decisions and model.has_objective()
    account = Solve(
        solver=SOLVER,
        status=status,
        objective=solver.objective_value if has_objective else None,
        bound=solver.best_objective_bound if has_objective else None,
        seconds=took,
        seed=seed,
        threads=threads,
        time_limit=seconds,
        work_limit=work_limit,
    )
    return Solved(solve=account, answer=solver)
