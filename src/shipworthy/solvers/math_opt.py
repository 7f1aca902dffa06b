"""OR-Tools MathOpt: one way to write a model, and a choice of solvers for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version
from time import perf_counter

from ortools.math_opt.python import mathopt
from ortools.math_opt.python.mathopt import SolverType, TerminationReason

from shipworthy.errors import UserCodeError
from shipworthy.problem import Now, Solve, Status
from shipworthy.solvers.limits import seconds_in, seed_in
from shipworthy.solvers.solved import Solved

_STATUS = {
    TerminationReason.OPTIMAL: Status.OPTIMAL,
    TerminationReason.FEASIBLE: Status.FEASIBLE,
    TerminationReason.INFEASIBLE: Status.INFEASIBLE,
    TerminationReason.UNBOUNDED: Status.INFEASIBLE,
    TerminationReason.INFEASIBLE_OR_UNBOUNDED: Status.INFEASIBLE,
    TerminationReason.NO_SOLUTION_FOUND: Status.TIMEOUT,
}
_REFUSES = {SolverType.PDLP: "random_seed", SolverType.HIGHS: "threads"}
"""What a solver cannot be told through MathOpt; it is not recorded either."""


def solve(
    model: mathopt.Model,
    now: Now,
    solver_type: SolverType = SolverType.GSCIP,
    *,
    threads: int = 1,
    work_limit: float | None = None,
    params: mathopt.SolveParameters | None = None,
) -> Solved[mathopt.SolveResult]:
    """Solves a model; read values with `solved.solution.variable_values(variable)`.

    Args:
        model: Yours.
        now: Gives the seed and the seconds left.
        solver_type: Which of MathOpt's solvers.
        threads: As many as the solver may use.
        work_limit: Deterministic time for CP_SAT; nodes for GSCIP and where a variable is whole; else iterations.
        params: Parameters of your own; seed, threads and limits are set on a copy.

    Raises:
        UserCodeError: the solver ended in a numerical or another error.
    """
    seed, seconds = seed_in(now), seconds_in(now)
    wanted = {"random_seed": seed, "threads": threads}
    asked = {name: value for name, value in wanted.items() if _REFUSES.get(solver_type) != name}
    given = replace(params or mathopt.SolveParameters(), **asked)
    if seconds is not None:
        given = replace(given, time_limit=timedelta(seconds=seconds))
    if work_limit is not None:
        given = _limited(given, model, solver_type, work_limit)
    started = perf_counter()
    result = mathopt.solve(model, solver_type, params=given)
    took = perf_counter() - started
    solver = f"MathOpt {version('ortools')} {solver_type.name}"
    ended = result.termination
    if ended.reason not in _STATUS:
        raise UserCodeError(f"{solver} ended {ended.reason.name}: {ended.detail}")
    has_solution = result.has_primal_feasible_solution()
    status = _STATUS[ended.reason]
    account = Solve(
        solver=solver,
        status=status,
        objective=result.objective_value() if has_solution and status.has_decisions else None,
        bound=ended.objective_bounds.dual_bound,
        seconds=took,
        seed=asked.get("random_seed"),
        threads=asked.get("threads"),
        time_limit=seconds,
        work_limit=work_limit,
    )
    return Solved(solve=account, answer=result)


def _limited(
    given: mathopt.SolveParameters, model: mathopt.Model, solver_type: SolverType, work_limit: float
) -> mathopt.SolveParameters:
    if solver_type is SolverType.CP_SAT:
        own = type(given.cp_sat)()
        own.CopyFrom(given.cp_sat)
        own.max_deterministic_time = work_limit
        return replace(given, cp_sat=own)
    by_nodes = solver_type is SolverType.GSCIP or any(variable.integer for variable in model.variables())
    return replace(given, **{"node_limit" if by_nodes else "iteration_limit": int(work_limit)})
