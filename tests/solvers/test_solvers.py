"""The adapters: known optima, one account for every solver, and the same plan for the same seed and work."""

import doctest
import math
from itertools import permutations, product
from pathlib import Path

import highspy
import polars as pl
import pytest
import pyvrp
from ortools.constraint_solver import pywrapcp
from ortools.math_opt.python import mathopt
from ortools.sat.python import cp_model
from scipy.optimize import LinearConstraint, milp

from shipworthy.errors import UserCodeError
from shipworthy.problem import Now, Plan, Solve, Status, UnsolvedError
from shipworthy.solvers import called, cp_sat, highs, math_opt, routing, vrp
from shipworthy.step import Rung
from tests.step.test_step import FINE, SAFE, step

# Fisher and Thompson (1963), 6 jobs on 6 machines: (machine, minutes) in order. The shortest schedule takes 55.
FT06 = [
    [(2, 1), (0, 3), (1, 6), (3, 7), (5, 3), (4, 6)],
    [(1, 8), (2, 5), (4, 10), (5, 10), (0, 10), (3, 4)],
    [(2, 5), (3, 4), (5, 8), (0, 9), (1, 1), (4, 7)],
    [(1, 5), (0, 5), (2, 5), (3, 3), (4, 8), (5, 9)],
    [(2, 9), (1, 3), (4, 5), (5, 4), (0, 3), (3, 1)],
    [(1, 3), (3, 3), (5, 9), (0, 10), (4, 4), (2, 1)],
]

PLACES = [(0, 0), (4, 3), (-3, 4), (5, -2), (-4, -4), (1, 6)]  # the depot first
DEMANDS = [0, 4, 3, 5, 4, 2]
VANS, CAPACITY = 3, 8


def now_with(seed=7, seconds=None):
    """A moment of deciding."""
    return Now(period=1, key=("day", "item"), rows=pl.DataFrame(), past=pl.DataFrame(), seed=seed, time_limit=seconds)


def job_shop():
    """FT06 as a CP-SAT model: the model and the end of the last operation."""
    model = cp_model.CpModel()
    end = model.new_int_var(0, 200, "end")
    machines: dict[int, list[cp_model.IntervalVar]] = {machine: [] for machine in range(6)}
    for job in FT06:
        before: cp_model.LinearExprT = 0
        for machine, minutes in job:
            start = model.new_int_var(0, 200, "")
            model.add(start >= before)
            machines[machine].append(model.new_fixed_size_interval_var(start, minutes, ""))
            before = start + minutes
        model.add(end >= before)
    for operations in machines.values():
        model.add_no_overlap(operations)
    model.minimize(end)
    return model, end


def distance(a, b):
    """Rounded, as the instances of the literature have it."""
    return round(math.dist(PLACES[a], PLACES[b]))


def vans():
    """The five customers as a PyVRP model."""
    model = pyvrp.Model()
    locations = [model.add_location(x, y) for x, y in PLACES]
    model.add_depot(locations[0])
    for location, demand in zip(locations[1:], DEMANDS[1:], strict=True):
        model.add_client(location, delivery=demand)
    model.add_vehicle_type(VANS, capacity=CAPACITY)
    for a, b in product(range(6), repeat=2):
        model.add_edge(locations[a], locations[b], distance=distance(a, b))
    return model


def stops(solution):
    """The clients of each route, in the order of their visits."""
    return [[visit.idx for visit in route.schedule() if visit.is_client()] for route in solution.routes()]


def shortest():
    """The optimum of the five customers, by looking at every way to cut every order into trips."""
    best = math.inf
    for order in permutations(range(1, 6)):
        for cuts in product([0, 1], repeat=4):
            trips, trip = [], [order[0]]
            for cut, place in zip(cuts, order[1:], strict=True):
                if cut:
                    trips.append(trip)
                    trip = []
                trip.append(place)
            trips.append(trip)
            if len(trips) <= VANS and all(sum(DEMANDS[place] for place in trip) <= CAPACITY for trip in trips):
                legs = [leg for trip in trips for leg in zip([0, *trip], [*trip, 0], strict=True)]
                best = min(best, sum(distance(*leg) for leg in legs))
    return best


def knapsack():
    """Which of 20 things to take, as a HiGHS model; several plans are as good as one another."""
    model = highs.empty_model()
    taken = [model.addBinary(obj=float(5 + place % 4)) for place in range(20)]
    model.addConstr(sum((3 + place % 5) * x for place, x in enumerate(taken)) <= 31)
    model.changeObjectiveSense(highspy.ObjSense.kMaximize)
    return model, taken


def best_knapsack():
    """Its optimum, by dynamic programming."""
    best = [0] * 32
    for place in range(20):
        worth, weight = 5 + place % 4, 3 + place % 5
        best = [max(best[room], best[room - weight] + worth if room >= weight else 0) for room in range(32)]
    return best[31]


def test_cp_sat_finds_and_proves_the_shortest_schedule():
    """FT06 takes 55; status, bound, gap, seed, threads and the kind of limit stand in the account."""
    model, end = job_shop()
    solved = cp_sat.solve(model, now_with(), work_limit=20.0)
    found = solved.solve

    assert solved.solution.value(end) == 55
    assert (found.status, found.objective, found.bound, found.gap) == (Status.OPTIMAL, 55.0, 55.0, 0.0)
    assert (found.seed, found.threads, found.limit_kind, found.time_limit) == (7, 1, "work", None)
    assert found.solver.startswith("CP-SAT 9.")
    assert found.seconds > 0


def test_both_routers_find_the_shortest_routes():
    """Five customers and three vans, against every possible plan; neither of the two claims to have proved it."""
    solved = vrp.solve(vans(), now_with(), work_limit=300)
    manager = pywrapcp.RoutingIndexManager(6, VANS, 0)
    model = pywrapcp.RoutingModel(manager)
    leg = model.RegisterTransitCallback(lambda a, b: distance(manager.IndexToNode(a), manager.IndexToNode(b)))
    load = model.RegisterUnaryTransitCallback(lambda a: DEMANDS[manager.IndexToNode(a)])
    model.SetArcCostEvaluatorOfAllVehicles(leg)
    model.AddDimension(load, 0, CAPACITY, True, "load")
    routed = routing.solve(model, now_with(seconds=60.0), work_limit=100)

    assert solved.solve.objective == routed.solve.objective == shortest()
    assert (solved.status, routed.status) == (Status.FEASIBLE, Status.FEASIBLE)
    assert sorted(client for trip in stops(solved.solution.best) for client in trip) == list(range(5))
    assert (solved.solve.limit_kind, routed.solve.limit_kind) == ("work", "work and time")
    assert routed.solution.ObjectiveValue() == shortest()
    assert solved.solve.gap is None


def test_highs_and_mathopt_find_and_prove_the_fullest_knapsack():
    """The same optimum from three solvers, each with its bound."""
    model, taken = knapsack()
    solved = highs.solve(model, now_with())
    assert sum(5 + place % 4 for place, x in enumerate(taken) if solved.solution.val(x) > 0.5) == best_knapsack()
    accounts = [solved.solve]

    for solver_type in (mathopt.SolverType.GSCIP, mathopt.SolverType.CP_SAT, mathopt.SolverType.HIGHS):
        other = mathopt.Model()
        chosen = [other.add_binary_variable() for _ in range(20)]
        other.add_linear_constraint(sum((3 + place % 5) * x for place, x in enumerate(chosen)) <= 31)
        other.maximize(sum((5 + place % 4) * x for place, x in enumerate(chosen)))
        found = math_opt.solve(other, now_with(), solver_type, work_limit=1000)
        assert len(found.solution.variable_values(chosen)) == 20
        accounts.append(found.solve)

    assert [account.status for account in accounts] == [Status.OPTIMAL] * 4
    assert [round(account.objective) for account in accounts] == [best_knapsack()] * 4
    assert [round(account.bound) for account in accounts] == [best_knapsack()] * 4
    assert [account.gap for account in accounts] == [pytest.approx(0.0, abs=1e-9)] * 4


def test_whatever_can_be_called_is_a_solver():
    """A function with scipy's convention inside: its result is read as scipy says, and its failure is a status."""
    limited = LinearConstraint([[3.0, 5.0]], ub=9.0)
    solved = called.solve(
        lambda seed, seconds: milp([-2.0, -3.0], constraints=limited, integrality=[1, 1]),
        now_with(),
        solver="scipy milp",
        proves=True,
        objective=lambda found: found.fun,
    )
    assert (solved.status, solved.solve.objective, list(solved.solution.x)) == (Status.OPTIMAL, -6.0, [3.0, 0.0])

    def impossible(seed, seconds):
        return milp([1.0], constraints=LinearConstraint([[1.0]], lb=5.0, ub=4.0), integrality=[1])

    def late(seed, seconds):
        raise TimeoutError

    assert called.solve(impossible, now_with(), solver="scipy milp", proves=True).status is Status.INFEASIBLE
    assert called.solve(late, now_with(), solver="slow").status is Status.TIMEOUT
    with pytest.raises(ZeroDivisionError):
        called.solve(lambda seed, seconds: 1 / 0, now_with(), solver="broken")


def cp_sat_plan(seed):
    """A work limit cuts this search long before it proves anything."""
    model = cp_model.CpModel()
    x = [model.new_bool_var("") for _ in range(60)]
    for a in range(58):
        model.add(x[a] + x[a + 1] + x[a + 2] <= 2)
    model.maximize(sum((7 + 13 * place % 11) * v for place, v in enumerate(x)))
    solved = cp_sat.solve(model, now_with(seed), work_limit=0.002)
    assert solved.status is Status.FEASIBLE
    return [solved.solution.value(v) for v in x]


def highs_plan(seed):
    """One node of a knapsack with many optima."""
    model, taken = knapsack()
    solved = highs.solve(model, now_with(seed), work_limit=1)
    return [round(solved.solution.val(x)) for x in taken]


def vrp_plan(seed):
    """Few iterations over 30 customers."""
    model = pyvrp.Model()
    spots = [model.add_location(37 * n % 101, 53 * n % 97) for n in range(31)]
    model.add_depot(spots[0])
    for spot in spots[1:]:
        model.add_client(spot, delivery=1)
    model.add_vehicle_type(6, capacity=6)
    for a, b in product(spots, repeat=2):
        model.add_edge(a, b, distance=int(math.dist((a.x, a.y), (b.x, b.y))))
    solved = vrp.solve(model, now_with(seed), work_limit=20)
    return stops(solved.solution.best)


def test_no_solver_speaks_on_the_terminal(capfd):
    """Writing and solving a model leaves a command's output alone."""
    model, _ = knapsack()
    highs.solve(model, now_with())
    cp_sat.solve(job_shop()[0], now_with(), work_limit=0.1)
    vrp.solve(vans(), now_with(), work_limit=2)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("planned", [cp_sat_plan, highs_plan, vrp_plan])
def test_the_same_seed_and_work_give_the_same_plan(planned):
    """Asked three times, a search that is ended by its work ends in the same place."""
    assert planned(3) == planned(3) == planned(3)


def test_another_seed_is_another_search():
    """The seed of the moment reaches the solver: over ten seeds, the routes are not all the same."""
    assert len({str(vrp_plan(seed)) for seed in range(10)}) > 1


def infeasible_cp_sat(now):
    """No number is above 5 and below 4."""
    model = cp_model.CpModel()
    x = model.new_int_var(0, 10, "x")
    model.add(x >= 5)
    model.add(x <= 4)
    return cp_sat.solve(model, now).solution.value(x)


def late_cp_sat(now):
    """No work at all."""
    model, end = job_shop()
    return cp_sat.solve(model, now, work_limit=0.0).solution.value(end)


def invalid_cp_sat(now):
    """A domain that is none."""
    model = cp_model.CpModel()
    model.proto.variables.add().domain.extend([3, 1])
    return cp_sat.solve(model, now).solution


def unbounded_highs(now):
    """Nothing holds the profit back."""
    model = highs.empty_model()
    x = model.addVariable(lb=0, obj=-1.0)
    return highs.solve(model, now).solution.val(x)


def infeasible_highs(now):
    """No number is above 5 and below 4."""
    model = highs.empty_model()
    x = model.addVariable(lb=5, ub=10)
    model.addConstr(x <= 4)
    return highs.solve(model, now).solution.val(x)


def other_threads_highs(now):
    """The pool of threads has another size by now."""
    highs.solve(knapsack()[0], now)
    return highs.solve(knapsack()[0], now, threads=2).solution


def unbounded_mathopt(now):
    """Nothing holds the profit back."""
    model = mathopt.Model()
    model.maximize(model.add_variable(lb=0))
    return math_opt.solve(model, now, mathopt.SolverType.GLOP).solution.variable_values()


def overfull_vans(now):
    """One van for twice its capacity."""
    model = pyvrp.Model()
    depot, client = model.add_location(0, 0), model.add_location(3, 4)
    model.add_depot(depot)
    model.add_client(client, delivery=2 * CAPACITY)
    model.add_vehicle_type(1, capacity=CAPACITY)
    for a, b in product([depot, client], repeat=2):
        model.add_edge(a, b, distance=5 if a is not b else 0)
    return vrp.solve(model, now, work_limit=20).solution.best


def endless_vans(now):
    """PyVRP is told of no end."""
    return vrp.solve(vans(), now).solution


@pytest.mark.parametrize(
    ("decide", "why"),
    [
        (infeasible_cp_sat, r"asked: UnsolvedError: CP-SAT [\d.]+ ended infeasible\."),
        (late_cp_sat, r"asked: UnsolvedError: CP-SAT [\d.]+ ended timeout\."),
        (invalid_cp_sat, r"asked: UserCodeError: CP-SAT [\d.]+ refuses the model: .*"),
        (unbounded_highs, r"asked: UnsolvedError: HiGHS [\d.]+ ended infeasible\."),
        (infeasible_highs, r"asked: UnsolvedError: HiGHS [\d.]+ ended infeasible\."),
        (other_threads_highs, r"asked: UserCodeError: HiGHS [\d.]+ could not run the model with 2 threads.*"),
        (unbounded_mathopt, r"asked: UnsolvedError: MathOpt [\d.]+ GLOP ended infeasible\."),
        (overfull_vans, r"asked: UnsolvedError: PyVRP [\d.]+ ended timeout\."),
        (endless_vans, r"asked: UserCodeError: PyVRP [\d.]+ never ends by itself\. .*"),
    ],
)
def test_a_solver_without_a_solution_goes_down_the_ladder(decide, why):
    """Infeasible, unbounded, out of work or refused: the fallback decides, and the account names the solver."""
    found = step(decide)
    assert found.rung is Rung.FALLBACK
    assert found.decisions["stock"].to_list() == SAFE
    assert pl.Series(found.falls).str.contains(f"^{why}$").to_list() == [True]
    assert found.solve is None


def test_the_solver_gets_less_than_the_step_waits():
    """A search that uses up its time still hands its plan over: it gets nine tenths of what is left."""

    def decide(now):
        solved = called.solve(lambda seed, seconds: seconds, now, solver="clock")
        return solved.plan([solved.solution] * 3)

    found = step(decide, time_limit=2.0)
    assert found.rung is Rung.INCUMBENT
    assert found.decisions["stock"][0] == found.solve.time_limit
    assert 0.0 < found.solve.time_limit <= 1.8


def test_the_account_of_a_plan_stands_in_the_telemetry():
    """Solver, bound, threads, kind of limit and seconds are recorded with the decisions; a bare answer has none of them."""
    found = Solve(
        solver="Solo 1", status=Status.FEASIBLE, objective=9.0, bound=10.0, seconds=0.5, seed=3, threads=2, work_limit=4
    )
    told = step(lambda now: Plan(decisions=SAFE, solve=found)).telemetry()
    assert (
        told.items()
        >= {
            "status": "feasible",
            "solver": "Solo 1",
            "objective": 9.0,
            "bound": 10.0,
            "gap": pytest.approx(1 / 9),
            "threads": 2,
            "limit_kind": "work",
            "solve_seconds": 0.5,
        }.items()
    )
    bare = step(lambda now: SAFE).telemetry()
    assert {
        name: bare[name] for name in ("solver", "bound", "threads", "limit_kind", "solve_seconds")
    } == dict.fromkeys(("solver", "bound", "threads", "limit_kind", "solve_seconds"))


def test_two_solves_of_one_decision_are_told_together():
    """The worst status and gap, the seconds of both; one that found nothing sends the plan down the ladder."""
    first = called.solve(lambda seed, seconds: 1, now_with(), solver="Who 1", proves=True)
    second = called.solve(lambda seed, seconds: 2, now_with(), solver="Where 1", objective=float)
    plan = second.plan(SAFE, after=[first])
    assert (plan.status, plan.objective, plan.account.solver) == (Status.FEASIBLE, 2.0, "Who 1, Where 1")
    assert plan.account.seconds == first.solve.seconds + second.solve.seconds

    nothing = called.solve(lambda seed, seconds: None, now_with(), solver="Who 1")
    found = step(lambda now: second.plan(SAFE, after=[nothing]))
    assert (found.rung, found.falls) == (Rung.FALLBACK, ("asked: Who 1, Where 1 ended infeasible",))


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, -math.inf])
def test_a_number_that_a_solver_does_not_have_is_none(nothing):
    """NaN and infinity, which some solvers give for an absent bound, are no bound and no gap."""
    found = Solve(solver="x", status=Status.FEASIBLE, seconds=0.0, objective=1.0, bound=nothing, gap=nothing)
    assert (found.bound, found.gap) == (None, None)
    assert Solve(solver="x", status=Status.OPTIMAL, seconds=0.0, objective=0.0, bound=0.0).gap == 0.0
    assert Solve(solver="x", status=Status.FEASIBLE, seconds=0.0, objective=0.0, bound=1.0).gap is None


def test_what_is_no_status_is_refused():
    """A solve has one of the four statuses; a solution is not read where it has none."""
    with pytest.raises(ValueError, match="not a valid Status"):
        Solve(solver="x", status=FINE, seconds=0.0)
    with pytest.raises(UnsolvedError, match=r"Who 1 ended infeasible\."):
        assert called.solve(lambda seed, seconds: None, now_with(), solver="Who 1").solution
    assert issubclass(UnsolvedError, UserCodeError)


def test_the_page_on_solvers_gives_what_it_says():
    """The examples of docs/solvers.md are run."""
    page = Path(__file__).parents[2] / "docs" / "solvers.md"
    found = doctest.testfile(str(page), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert (found.failed, found.attempted > 5) == (0, True)
