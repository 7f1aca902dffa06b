"""The schedule of one day that earns most at the prices it is given, by HiGHS."""

import highspy
import numpy as np
import polars as pl

import shipworthy as sw

POWER = 1.0  # MW, both ways
ENERGY = 4.0  # MWh
EFFICIENCY = 0.95  # of charging, and again of discharging
MOST_DISCHARGED = 1.5 * ENERGY  # MWh a day: one and a half cycles
WEAR = 1.0  # EUR per MWh discharged
HALF = 2.0  # MWh at the end of each day


def best_schedule(now: sw.Now, prices: np.ndarray, wear: float = WEAR) -> sw.Plan:
    """Charge and discharge of each hour, from the charge that is carried into the day to half full at its end."""
    solver = highspy.Highs()
    for option, value in {"output_flag": False, "threads": 1, "mip_rel_gap": 0.0}.items():
        solver.setOptionValue(option, value)
    if now.time_limit:
        solver.setOptionValue("time_limit", now.time_limit)
    charge = [solver.addVariable(0, POWER, obj=-float(price)) for price in prices]
    discharge = [solver.addVariable(0, POWER, obj=float(price) - wear) for price in prices]
    stored = [solver.addVariable(0, ENERGY) for _ in prices]
    charges = [solver.addBinary() for _ in prices]
    before = now.state["soc"]
    for hour in range(len(prices)):
        solver.addConstr(charge[hour] <= POWER * charges[hour])
        solver.addConstr(discharge[hour] <= POWER * (1 - charges[hour]))
        solver.addConstr(stored[hour] == before + EFFICIENCY * charge[hour] - 1 / EFFICIENCY * discharge[hour])
        before = stored[hour]
    solver.addConstr(stored[-1] == HALF)
    solver.addConstr(sum(discharge) <= MOST_DISCHARGED)
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
    solver.run()
    return _plan(solver, now, charge, discharge)


def _plan(solver: highspy.Highs, now: sw.Now, charge: list, discharge: list) -> sw.Plan:
    info = solver.getInfo()
    status = _status(solver.getModelStatus(), info.primal_solution_status)
    found = np.array(solver.getSolution().col_value).clip(0, POWER)  # off by no more than the solver's tolerance
    columns = {"charge": found[: len(charge)], "discharge": found[len(charge) : 2 * len(charge)]}
    return sw.Plan(
        decisions=pl.DataFrame({"hour": now.rows["hour"], **columns}) if status.has_decisions else None,
        status=status,
        gap=info.mip_gap,
        objective=info.objective_function_value,
    )


def _status(ended: highspy.HighsModelStatus, solution: int) -> sw.Status:
    if ended == highspy.HighsModelStatus.kOptimal:
        return sw.Status.OPTIMAL
    if solution == highspy.SolutionStatus.kSolutionStatusFeasible:
        return sw.Status.FEASIBLE
    return sw.Status.TIMEOUT if ended == highspy.HighsModelStatus.kTimeLimit else sw.Status.INFEASIBLE
