"""PyVRP: vehicle routing by iterated local search. It finds good routes and proves nothing, so that a plan of it is feasible."""

from __future__ import annotations

from importlib.metadata import version
from time import perf_counter

import pyvrp
from pyvrp.stop import MaxIterations, MaxRuntime, MultipleCriteria, StoppingCriterion

from shipworthy.errors import UserCodeError
from shipworthy.problem import Now, Solve, Status
from shipworthy.solvers.limits import seconds_in, seed_in
from shipworthy.solvers.solved import Solved

SOLVER = f"PyVRP {version('pyvrp')}"


def solve(
    model: pyvrp.Model | pyvrp.ProblemData,
    now: Now,
    *,
    work_limit: int | None = None,
    params: pyvrp.SolveParams | None = None,
) -> Solved[pyvrp.Result]:
    """Solves a model; read routes from `solved.solution.best`.

    Args:
        model: Yours.
        now: Gives the seed and the seconds left.
        work_limit: Iterations.
        params: PyVRP's own parameters.

    Raises:
        UserCodeError: there is neither a time nor a work limit; PyVRP would search for ever.
    """
    data = model.data() if isinstance(model, pyvrp.Model) else model
    seed, seconds = seed_in(now), seconds_in(now)
    stops: list[StoppingCriterion] = [] if seconds is None else [MaxRuntime(seconds)]
    stops += [] if work_limit is None else [MaxIterations(work_limit)]
    if not stops:
        raise UserCodeError(f"{SOLVER} never ends by itself. Give a work_limit, or a time_limit to the policy.")
    started = perf_counter()
    result = pyvrp.solve(
        data, MultipleCriteria(stops), seed=seed, collect_stats=False, params=params or pyvrp.SolveParams()
    )
    took = perf_counter() - started
    account = Solve(
        solver=SOLVER,
        status=Status.FEASIBLE if result.is_feasible() else Status.TIMEOUT,
        objective=result.cost(),
        seconds=took,
        seed=seed,
        threads=1,
        time_limit=seconds,
        work_limit=work_limit,
    )
    return Solved(solve=account, answer=result)
