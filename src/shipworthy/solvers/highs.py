"""HiGHS: linear and mixed-integer programs."""

from __future__ import annotations

from time import perf_counter

import highspy
from highspy import HighsModelStatus, HighsVarType

from shipworthy.errors import UserCodeError
from shipworthy.problem import Now, Solve, Status
from shipworthy.solvers.limits import seconds_in, seed_in
from shipworthy.solvers.solved import Solved

SOLVER = f"HiGHS {highspy.Highs().version()}"

_PROVED = {
    HighsModelStatus.kOptimal: Status.OPTIMAL,
    HighsModelStatus.kModelEmpty: Status.OPTIMAL,
    HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    HighsModelStatus.kUnbounded: Status.INFEASIBLE,
    HighsModelStatus.kUnboundedOrInfeasible: Status.INFEASIBLE,
}
_CUT_SHORT = {
    HighsModelStatus.kTimeLimit,
    HighsModelStatus.kIterationLimit,
    HighsModelStatus.kSolutionLimit,
    HighsModelStatus.kObjectiveBound,
    HighsModelStatus.kObjectiveTarget,
    HighsModelStatus.kInterrupt,
    HighsModelStatus.kMemoryLimit,
}
_FEASIBLE = 2
"""`primal_solution_status` of a solution that keeps every constraint."""


def empty_model() -> highspy.Highs:
    """A model to write yours into, which says nothing on the terminal; a bare one greets with its first variable.

    >>> model = empty_model()
    >>> model.getOptionValue("output_flag")[1]
    False
    """
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    return model


def solve(model: highspy.Highs, now: Now, *, threads: int = 1, work_limit: int | None = None) -> Solved[highspy.Highs]:
    """Solves a model in silence; read values with `solved.solution.val(variable)`.

    Args:
        model: Yours, begun with `empty_model()`, with options of your own; seed, threads and limits are set on it.
        now: Gives the seed and the seconds left.
        threads: HiGHS has one pool of threads per process: give the same number in every policy.
        work_limit: Nodes where a variable is whole, else simplex iterations.

    Raises:
        UserCodeError: HiGHS could not run the model.
    """
    seed, seconds = seed_in(now), seconds_in(now)
    is_whole = any(kind != HighsVarType.kContinuous for kind in model.getLp().integrality_)
    options: dict[str, float] = {"output_flag": False, "threads": threads, "random_seed": seed}
    if seconds is not None:
        options["time_limit"] = seconds
    if work_limit is not None:
        options["mip_max_nodes" if is_whole else "simplex_iteration_limit"] = work_limit
    for name, value in options.items():
        model.setOptionValue(name, value)
    started = perf_counter()
    model.run()
    took = perf_counter() - started
    status = _status(model, threads)
    info = model.getInfo()
    has_solution = status.has_decisions
    account = Solve(
        solver=SOLVER,
        status=status,
        objective=info.objective_function_value if has_solution else None,
        bound=_bound(info, status, is_whole=is_whole),
        gap=info.mip_gap if has_solution and is_whole else None,
        seconds=took,
        seed=seed,
        threads=threads,
        time_limit=seconds,
        work_limit=work_limit,
    )
    return Solved(solve=account, answer=model)


def _status(model: highspy.Highs, threads: int) -> Status:
    ended = model.getModelStatus()
    if ended in _PROVED:
        return _PROVED[ended]
    if ended in _CUT_SHORT:
        return Status.FEASIBLE if model.getInfo().primal_solution_status == _FEASIBLE else Status.TIMEOUT
    raise UserCodeError(
        f"{SOLVER} could not run the model with {threads} threads: {model.modelStatusToString(ended)}. Look for numbers that are "
        "not finite, and give the same number of threads wherever HiGHS runs in this process."
    )


def _bound(info: highspy.HighsInfo, status: Status, *, is_whole: bool) -> float | None:
    if is_whole:
        return float(info.mip_dual_bound)
    return float(info.objective_function_value) if status is Status.OPTIMAL else None
