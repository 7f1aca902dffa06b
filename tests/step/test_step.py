"""The ladder: whatever a policy does, what is given keeps every constraint, and why it came to that is recorded."""

import ctypes
import re
import sys
import time
from typing import Any

import numpy as np
import polars as pl
import pytest

from shipworthy.errors import UserCodeError
from shipworthy.problem import Plan, Status
from shipworthy.step import Decider, History, Moment, Rung, happened, seed_of, take_step, worth
from tests.problems import UNITS, day, deciding, sales, shop

SAFE = [1.0, 2.0, 3.0]


def limited(**changes):
    """A shop that never has more than ten of an item in stock, nor more than twenty in all."""
    problem = shop(**changes)

    @problem.constraint
    def shelf(decided):
        return pl.col("stock") <= 10

    @problem.constraint
    def room(decided):
        return pl.col("stock").sum() <= 20

    return problem


def moment_of(problem, rows=None, **fields):
    """The moment of day 5."""
    history = History(problem, sales(10) if rows is None else rows)
    return Moment(period=day(5), rows=history.to_decide(day(5)), history=history, seed=7, **fields)


def decider(decide, name="asked", **attributes):
    """A policy by its function."""
    return Decider(name, deciding(decide, **attributes)(), None)


def step(decide, problem=None, *, fallback=lambda now: SAFE, limit=None, last=None, rows=None, **attributes):
    """One step of a policy, with a fallback that always keeps every rule."""
    problem = problem or limited()
    below = None if fallback is None else (lambda: decider(fallback, "safe"))
    moment = moment_of(problem, rows, time_limit=limit, last=last)
    return take_step(problem, moment, decider(decide, **attributes), below)


def plan(items=UNITS, stock=(1.0, 1.0, 1.0), **columns):
    """A frame of decisions."""
    return pl.DataFrame({"item": list(items), "stock": list(stock), **columns})


ANY: Any = Decider
FINE: Any = "fine"


def hang(now):
    """Never answers."""
    time.sleep(30)


def leave(now):
    """Tries to end the process."""
    sys.exit("enough")


BAD = {
    "raises": (lambda now: 1 / 0, "ZeroDivisionError: division by zero"),
    "leaves the process": (leave, "SystemExit: enough"),
    "has no decide": (lambda now: ANY.decide, "AttributeError"),
    "returns nothing": (lambda now: None, "returned nothing"),
    "returns a number": (lambda now: 5.0, "returned float of shape"),
    "returns a dictionary": (lambda now: {"ham": 1.0}, "returned dict of shape"),
    "returns too few": (lambda now: [1.0, 2.0], "returned 2 decisions for 3 units"),
    "returns too many": (lambda now: np.ones(4), "returned 4 decisions for 3 units"),
    "returns a ragged list": (lambda now: [[1.0], [1.0, 2.0], []], "returned a list that cannot be read"),
    "returns a matrix": (lambda now: np.ones((3, 2)), r"shape \(3, 2\); give a frame with \['stock'\]"),
    "returns objects": (lambda now: [object(), object(), object()], "holds Python objects"),
    "returns complex numbers": (lambda now: np.array([1j, 1j, 1j]), "holds Python objects"),
    "returns a lazy frame": (lambda now: plan().lazy(), "returned LazyFrame"),
    "returns other columns": (lambda now: plan().rename({"stock": "loaves"}), "without stock"),
    "returns no units": (lambda now: plan().select("stock"), "without item"),
    "misses a unit": (lambda now: plan(UNITS[:2], [1.0, 1.0]), "1 units missing: tea"),
    "adds a unit": (lambda now: plan([*UNITS, "yam"], [1.0] * 4), "1 units never asked for: yam"),
    "decides a unit twice": (lambda now: plan([*UNITS, "ham"], [1.0] * 4), "1 units decided twice: ham"),
    "knows other units": (lambda now: plan([1, 2, 3]), "3 units missing: ham, jam, tea"),
    "returns an empty frame": (lambda now: plan().clear(), "3 units missing"),
    "returns null": (lambda now: plan(stock=[1.0, None, 1.0]), "1 of 3 values of 'stock' are null, NaN or infinite"),
    "returns NaN": (lambda now: np.array([1.0, np.nan, np.nan]), "2 of 3 values"),
    "returns infinity": (lambda now: [1.0, np.inf, 1.0], "1 of 3 values"),
    "returns null among whole numbers": (lambda now: plan(stock=[1, None, 1]), "1 of 3 values"),
    "returns None in a list": (lambda now: [1.0, None, 1.0], "null|objects"),
    "breaks a rule of each unit": (lambda now: [11.0, 1.0, 12.0], "violates constraint 'shelf' for 2 units"),
    "breaks a rule of all units": (lambda now: [9.0, 9.0, 9.0], "violates constraint 'room'$"),
    "finds no solution": (lambda now: Plan(decisions=SAFE, status=Status.INFEASIBLE), "the solver ended infeasible"),
    "runs out of time": (lambda now: Plan(decisions=None, status=Status.TIMEOUT), "the solver ended timeout"),
    "invents a status": (lambda now: Plan(decisions=SAFE, status=FINE), "'fine' is not a valid Status"),
    "plans nothing": (lambda now: Plan(decisions=None), "returned nothing"),
    "plans a violation": (lambda now: Plan(decisions=[99.0] * 3), "violates constraint 'shelf' for 3 units"),
}


@pytest.mark.parametrize("bad", BAD)
def test_whatever_a_policy_does_the_fallback_decides_and_the_reason_is_recorded(bad):
    """No bad answer is given, none ends the step, and the account says who failed and why."""
    decide, why = BAD[bad]
    found = step(decide)

    assert found.rung is Rung.FALLBACK
    assert found.decisions["stock"].to_list() == SAFE
    [fall] = found.falls
    assert fall.startswith("asked: ")
    assert re.search(why, fall)
    assert found.telemetry()["falls"] == fall


def test_a_policy_that_hangs_is_left_behind_at_its_limit():
    """The answer comes from the fallback, after the limit and not after the policy."""
    found = step(hang, time_limit=0.05)

    assert found.rung is Rung.FALLBACK
    assert found.falls == ("asked: no decisions within 0.05 s",)
    assert found.seconds < 10


def test_a_late_answer_is_no_answer():
    """Native code that keeps all of Python waiting cannot be left behind; what it brings after the limit does not count."""

    def stubborn(now):
        ctypes.PyDLL(None).usleep(300_000)
        return SAFE

    assert step(stubborn, time_limit=0.05).falls == ("asked: no decisions within 0.05 s",)


def test_of_the_seconds_a_caller_can_wait_the_fallback_gets_its_share():
    """Policy and fallback together stay within what the caller can wait, and the policy is told its part of it."""
    told = []

    def safe(now):
        told.append(now.time_limit)
        return SAFE

    found = step(hang, fallback=safe, limit=2.0, time_limit=60.0)

    assert found.rung is Rung.FALLBACK
    assert found.falls == ("asked: no decisions within 1.5 s",)
    assert 0 < told[0] <= 0.5


def test_when_both_hang_the_caller_has_an_answer_in_time():
    """Nothing can be decided, and that is said, rather than waited for."""
    found = step(hang, fallback=hang, limit=0.1)

    assert found.rung is Rung.NONE
    assert len(found.falls) == 2
    assert found.seconds < 10


def test_the_shorter_of_two_limits_holds():
    """A policy's own limit may be shorter than the caller's, not longer."""
    told = []

    def decide(now):
        told.append(now.time_limit)
        return SAFE

    step(decide, fallback=None, limit=30.0, time_limit=2.0)
    step(decide, fallback=None, limit=3.0, time_limit=20.0)
    step(decide, fallback=None)
    assert told == [2.0, pytest.approx(3.0, abs=0.5), None]


def test_an_incumbent_counts_and_carries_its_gap():
    """A feasible plan that was not proved optimal is given, on a rung of its own."""
    found = step(lambda now: Plan(decisions=SAFE, status=Status.FEASIBLE, gap=0.12, objective=6.0))

    assert found.rung is Rung.INCUMBENT
    assert not found.rung.is_fall
    assert (found.status, found.gap, found.objective, found.falls) == ("feasible", 0.12, 6.0, ())


def test_an_optimal_plan_and_a_bare_decision_are_the_policy_itself():
    """The status says which of the two it was."""
    assert step(lambda now: Plan(decisions=SAFE)).status == "optimal"
    bare = step(lambda now: np.array(SAFE))
    assert (bare.rung, bare.status, bare.gap) == (Rung.POLICY, "decided", None)


@pytest.mark.parametrize(
    "returned",
    [
        lambda: np.array(SAFE),
        lambda: SAFE,
        lambda: tuple(SAFE),
        lambda: pl.Series("anything", SAFE),
        lambda: plan(stock=SAFE),
        lambda: plan(UNITS[::-1], SAFE[::-1]),
        lambda: plan(stock=SAFE, note=["a", "b", "c"]),
        lambda: plan(stock=SAFE).with_columns(pl.col("item").cast(pl.Categorical)),
        lambda: plan(UNITS[::-1], SAFE[::-1]).with_columns(pl.col("item").cast(pl.Enum(UNITS))),
    ],
)
def test_every_shape_of_a_good_answer_comes_out_as_one(returned):
    """Arrays, lists, series and frames in any order give each unit once, in the order and the type it was asked in."""
    found = step(lambda now: returned())

    assert found.rung is Rung.POLICY
    assert found.decisions.equals(plan(stock=SAFE))
    assert found.decisions.schema["item"] == pl.String


def test_units_that_are_small_numbers_in_another_type_are_the_same_units():
    """A policy may count its units in another width of integer: what is given has the type of the rows."""
    rows = sales(10, units=(3, 1, 2))
    found = step(lambda now: now.rows.select(pl.col("item").cast(pl.Int32), stock=pl.lit(1.0)).reverse(), rows=rows)

    assert found.rung is Rung.POLICY
    assert found.decisions["item"].to_list() == [1, 2, 3]
    assert found.decisions.schema["item"] == pl.Int64


@pytest.mark.parametrize("words", [["low", "low", "high"], pl.Series(["low", "low", "high"], dtype=pl.Categorical)])
def test_a_decision_may_be_a_word(words):
    """Text is a decision like a number, and a missing word is a hole like a missing number."""
    problem = shop()
    assert step(lambda now: words, problem).decisions["stock"].to_list() == ["low", "low", "high"]
    hole = step(lambda now: plan(stock=["low", None, "high"]), problem)
    assert hole.falls == ("asked: 1 of 3 values of 'stock' are null, NaN or infinite",)


def test_several_decision_columns_are_checked_each():
    """A hole in the second column is as much a hole."""
    problem = shop(decision=("stock", "discount"))
    whole = plan(discount=[0.0, 0.1, 0.2])

    assert step(lambda now: whole, problem, fallback=None).decisions.equals(whole)
    hole = step(lambda now: plan(discount=[0.0, None, 0.2]), problem, fallback=None)
    assert hole.falls == ("asked: 1 of 3 values of 'discount' are null, NaN or infinite",)
    bare = step(lambda now: SAFE, problem, fallback=None)
    assert "give a frame with ['stock', 'discount']" in bare.falls[0]


CONSTRAINTS = {
    "a false": (lambda decided: False, "violates constraint 'rule'"),
    "nothing": (lambda decided: None, "violates constraint 'rule'"),
    "a null": (lambda decided: pl.lit(None, dtype=pl.Boolean), "violates constraint 'rule'"),
    "a series": (lambda decided: decided["stock"] < 3, "violates constraint 'rule' for 1 units"),
    "an array": (lambda decided: decided["stock"].to_numpy() < 2, "violates constraint 'rule' for 2 units"),
    "a numpy false": (lambda decided: np.all(decided["stock"].to_numpy() < 2), "violates constraint 'rule'"),
    "several columns, of which the second is broken": (lambda decided: pl.col("stock", "price") <= 3, "for 1 units"),
    "an expression over a column that is not there": (lambda decided: pl.col("width") < 1, "ColumnNotFoundError"),
    "an exception": (lambda decided: 1 / 0, "raised ZeroDivisionError: division by zero"),
    "a word": (lambda decided: "yes", "raised InvalidOperationError"),
    "a frame": (lambda decided: decided, "raised"),
}


@pytest.mark.parametrize("given", CONSTRAINTS)
def test_a_constraint_that_does_not_clearly_hold_is_broken(given):
    """Whatever a constraint gives but truth, or raises, the decision is refused."""
    holds, why = CONSTRAINTS[given]
    problem = shop()
    holds.__name__ = "rule"
    problem.constraint(holds)
    found = step(lambda now: SAFE, problem, fallback=None)

    assert found.rung is Rung.NONE
    assert "constraint 'rule'" in found.falls[0]
    assert why in found.falls[0]


@pytest.mark.parametrize(
    "holds",
    [
        lambda decided: True,
        lambda decided: np.True_,
        lambda decided: pl.lit(value=True),
        lambda decided: pl.col("stock", "price") >= 0,
        lambda decided: decided["stock"] >= 0,
        lambda decided: (decided["stock"] >= 0).to_list(),
    ],
)
def test_a_constraint_that_holds_may_say_so_in_any_way(holds):
    """One truth, one per row, or several columns of them."""
    problem = shop()
    holds.__name__ = "rule"
    problem.constraint(holds)
    assert step(lambda now: SAFE, problem).rung is Rung.POLICY


def test_a_constraint_sees_the_decision_and_not_what_history_says_was_decided():
    """A column of the rows with the name of a decision is what was decided then, and gives way."""
    rows = sales(10).with_columns(stock=pl.lit(99.0))
    assert step(lambda now: SAFE, rows=rows).rung is Rung.POLICY


def test_a_constraint_with_a_second_parameter_sees_the_state():
    """A rule about what is carried is checked for every rung of the ladder, each time against the state as it was."""
    problem = shop()

    @problem.constraint
    def no_more_than_there_is(decided, state):
        there = state["stock"].pop("ham")  # in place, as users do
        return pl.col("stock").sum() <= there

    moment = moment_of(problem, state={"stock": {"ham": 5}})
    found = take_step(problem, moment, decider(lambda now: [2.0] * 3), lambda: decider(lambda now: [1.0] * 3))

    assert found.rung is Rung.FALLBACK
    assert found.falls == ("asked: violates constraint 'no_more_than_there_is'",)
    assert moment.state == {"stock": {"ham": 5}}


def test_a_constraint_whose_second_parameter_has_a_default_keeps_it():
    """A limit bound in a loop is no wish for the state."""
    problem = shop()
    for limit in (2, 5):

        @problem.constraint
        def at_most(decided, limit=limit):
            return pl.col("stock") <= limit

    assert step(lambda now: [2.0] * 3, problem).rung is Rung.POLICY
    found = step(lambda now: [3.0] * 3, problem, fallback=None)
    assert found.falls == ("asked: violates constraint 'at_most' for 3 units",)


def test_a_policy_cannot_reach_what_its_decision_is_checked_against():
    """Whatever it does to its rows and its state in place, checks and fallback have theirs as they were."""
    problem = shop()
    problem.constraint(lambda decided: pl.col("stock") <= pl.col("price"))
    seen = []

    def cheat(now):
        now.rows.drop_in_place("price")
        now.rows.insert_column(2, pl.Series("price", [99.0] * 3))
        now.state["stock"]["ham"] = 99
        return [50.0] * 3

    def look(now):
        seen.append((now.rows["price"].to_list(), now.state))
        return [0.0] * 3

    moment = moment_of(problem, state={"stock": {"ham": 5}})
    found = take_step(problem, moment, decider(cheat), lambda: decider(look))

    assert found.rung is Rung.FALLBACK
    assert seen == [([2.0, 3.0, 4.0], {"stock": {"ham": 5}})]


def test_a_fallback_that_fails_too_leaves_the_last_plan():
    """The plan of the period before is given where it still covers every unit and keeps every rule."""
    found = step(lambda now: None, fallback=lambda now: [99.0] * 3, last=plan(UNITS[::-1], [1.0, 2.0, 3.0]))

    assert found.rung is Rung.LAST_PLAN
    assert found.decisions["stock"].to_list() == [3.0, 2.0, 1.0]
    assert [fall.split(":")[0] for fall in found.falls] == ["asked", "safe"]


def test_a_fallback_that_cannot_even_be_made_is_a_rung_less():
    """A fit that fails is as much a fall as a decision that does."""

    def cannot():
        raise UserCodeError("Policy 'safe' could not be fitted")

    problem = limited()
    found = take_step(problem, moment_of(problem, last=plan()), decider(lambda now: None), cannot)
    assert found.rung is Rung.LAST_PLAN
    assert found.falls == ("asked: returned nothing", "Policy 'safe' could not be fitted")


@pytest.mark.parametrize(
    ("last", "why"),
    [(plan(UNITS[:2], [1.0, 1.0]), "1 units missing: tea"), (plan(stock=[9.0] * 3), "violates constraint 'room'")],
)
def test_a_last_plan_that_no_longer_fits_is_not_given(last, why):
    """Then nothing is decided: every unit is there, and its decision is null."""
    found = step(lambda now: None, fallback=None, last=last)

    assert found.rung is Rung.NONE
    assert found.status == "nothing decided"
    assert found.decisions["item"].to_list() == list(UNITS)
    assert found.decisions["stock"].null_count() == 3
    assert found.falls[-1] == f"last plan: {why}"


def test_the_seed_is_the_moments_and_reaches_the_policy():
    """Champion and challenger get the same, and another period another one."""
    assert step(lambda now: [float(now.seed)] * 3, shop()).decisions["stock"].to_list() == [7.0] * 3
    assert step(lambda now: SAFE).seed == 7
    assert len({seed_of(base, day(number)) for base in (1, 2) for number in range(100)}) == 200


def test_a_hundred_thousand_units_in_another_order_are_settled():
    """Many units come out each in its place."""
    units = np.random.default_rng(1).permutation(100_000)
    problem = shop()
    rows = pl.DataFrame({"day": [1] * 100_000, "item": np.arange(100_000), "price": 1.0, "sold": 1.0})
    history = History(problem, rows)
    moment = Moment(period=1, rows=history.to_decide(1), history=history)
    found = take_step(problem, moment, decider(lambda now: pl.DataFrame({"item": units, "stock": units * 2.0})))

    assert found.rung is Rung.POLICY
    assert (found.decisions["stock"] == found.decisions["item"] * 2.0).all()


def valued(value, *, problem=None, rows=None, stock=1.0):
    """What decisions were worth, by a value."""
    problem = problem or shop()
    problem.value(value)
    table = (sales(4) if rows is None else rows).with_columns(stock=pl.lit(stock))
    return worth(problem, table)["value"].to_list()


def test_money_per_row_stays_with_its_row():
    """An expression, a series and a list of numbers per row are the same money."""
    expected = [float(10 * number + place) for number in range(4) for place in range(3)]
    assert valued(lambda happened: pl.col("sold")) == expected
    assert valued(lambda happened: happened["sold"]) == expected
    assert valued(lambda happened: happened["sold"].to_list()) == expected


def test_an_aggregate_is_money_per_period_shared_by_its_units():
    """The sum over a period's rows is the aggregate, whichever types the expression compares."""
    assert valued(lambda happened: pl.col("sold").sum()) == [1.0] * 3 + [11.0] * 3 + [21.0] * 3 + [31.0] * 3
    assert valued(lambda happened: (pl.col("item") == "ham").sum() * 3.0) == [1.0] * 12
    assert valued(lambda happened: pl.lit(6.0)) == [2.0] * 12


def test_an_aggregate_within_an_expression_is_of_its_period():
    """A share of a period's cost is a share of that period, however many periods are valued at once."""
    rows = sales(4).with_columns(sold=pl.lit(5.0))
    assert (
        valued(lambda happened: pl.col("sold") - 6 * pl.col("stock") / pl.col("stock").sum(), rows=rows) == [3.0] * 12
    )


def test_one_row_and_many_are_valued_alike():
    """A period with one unit, alone, is worth what it is worth among others."""
    rows = sales(4, units=("ham",))
    for value in (lambda happened: pl.col("sold").sum(), lambda happened: pl.col("sold")):
        assert valued(value, rows=rows.tail(1)) == valued(value, rows=rows)[-1:] == [30.0]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (lambda happened: pl.lit(float(happened["sold"].max())), "01 2 when it is measured alone, and 32 among"),
        (lambda happened: pl.lit(-2.0 * happened.height), "01 -6 when it is measured alone, and -24 among"),
        (lambda happened: happened["sold"].cum_sum(), "04 184 when it is measured alone, and 481 among"),
        (lambda happened: happened["sold"] - happened["sold"].mean(), "01 0 when it is measured alone, and -45 among"),
    ],
)
def test_money_that_hangs_on_the_other_periods_is_refused(value, says):
    """What Python works out over all the rows it was given is the money of no period."""
    with pytest.raises(UserCodeError, match=says):
        valued(value)


def test_periods_taken_apart_in_python_are_measured_each():
    """A route or a schedule is worked out period by period, and given back as one number per row."""

    def makespan(happened):
        days = happened.partition_by("day", maintain_order=True)
        return [-day["sold"].max() / day.height for day in days for _ in range(day.height)]

    assert valued(makespan) == pytest.approx([-number / 3 for number in (2, 12, 22, 32) for _ in range(3)])


def test_nothing_is_worth_anything_before_its_outcome_is_there():
    """min_horizontal passes over null: a row whose outcome is out must not count as if all of it were sold."""
    rows = sales(2).with_columns(pl.when(pl.col("item") != "jam").then("sold").alias("sold"))
    per_row = valued(lambda happened: pl.min_horizontal("stock", "sold"), rows=rows)
    per_period = valued(lambda happened: pl.min_horizontal("stock", "sold").sum(), rows=rows)

    assert per_row == [0.0, None, 1.0, 1.0, None, 1.0]
    assert per_period == [None] * 6


def test_what_nobody_decided_is_worth_null_and_not_nothing():
    """A period without decisions has no value and no guardrail."""
    problem = shop()
    problem.guardrail(margin=0.1)(lambda happened: pl.lit(1.0))
    table = worth(problem, sales(2).with_columns(stock=pl.lit(None, dtype=pl.Float64)))
    assert table.select(pl.exclude("day", "item").null_count()).row(0) == (6, 6)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (lambda happened: 1 / 0, "failed: ZeroDivisionError"),
        (lambda happened: pl.col("nothing"), "failed: ColumnNotFoundError"),
        (lambda happened: [1.0, 2.0], "gave 2 numbers for 12 rows"),
        (lambda happened: happened["sold"].sum(), "failed: TypeError"),
        (lambda happened: None, "gave 0 numbers for 12 rows"),
        (lambda happened: pl.col("item"), "failed: InvalidOperationError"),
        (lambda happened: pl.col("sold", "price"), "gives 2 columns, sold, price; give one"),
        (lambda happened: pl.col("sold").filter(pl.col("item") == "ham"), "failed: ShapeError"),
    ],
)
def test_a_value_that_gives_no_number_per_row_is_named(value, says):
    """The message names the measure, the problem and what it did."""
    with pytest.raises(UserCodeError, match=f"'value' of problem 'shop'.*{says}"):
        valued(value)


def test_what_happened_holds_the_decision_and_not_the_one_of_history():
    """Rows that nobody decided are left out, and a decision replaces what history says was decided."""
    problem = shop()
    settled = sales(1).with_columns(stock=pl.lit(99.0))
    found = happened(problem, settled, plan(UNITS[:2], [1.0, 2.0]))
    assert found.select("item", "stock").rows() == [("ham", 1.0), ("jam", 2.0)]
