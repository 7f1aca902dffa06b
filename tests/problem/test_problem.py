"""What is declared can be used, and what cannot be used is refused where it is declared."""

import math
from typing import Any

import polars as pl
import pytest

from shipworthy.errors import AlreadyExistsError, InvalidInputError, NotFoundError, UserCodeError
from shipworthy.problem import Policy, Problem, Status
from shipworthy.problem.plan import Plan
from tests.problems import deciding, shop


class BakeMore(Policy):
    """A policy that decides nothing."""


def test_columns_are_named_once_and_found_by_their_role():
    """Key, decisions and hidden columns follow from the declaration; the outcome is hidden first and once."""
    problem = shop(decision=("stock", "price_tag"), known_after=("weather", "sold"))

    assert problem.key == ("day", "item")
    assert problem.decisions == ("stock", "price_tag")
    assert problem.hidden == ("sold", "weather")
    assert shop().decisions == ("stock",)


@pytest.mark.parametrize("name", ["", "Shop", "my shop", "1shop", "shop/1", "läden"])
def test_a_name_that_cannot_stand_in_an_address_is_refused(name):
    """Lower-case letters, digits, - and _, beginning with a letter."""
    with pytest.raises(InvalidInputError, match="is no problem name"):
        Problem(name, rows=shop().rows, period="day", unit="item", outcome="sold")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"unit": "day"}, "'day' for two things"),
        ({"decision": "sold"}, "'sold' for two things"),
        ({"decision": ("stock", "item")}, "'item' for two things"),
        ({"decision": ("stock", "stock")}, "'stock' for two things"),
        ({"known_after": ("item",)}, "'item' for two things"),
        ({"decision": ()}, "no decision column"),
        ({"unit": ("shop", "item")}, r"unit = \('shop', 'item'\), and a unit is one column\. Join several"),
        ({"known_after": "weather"}, r"Write it as a tuple: known_after=\('weather',\)"),
        ({"outcome_delay": "soon"}, "'soon' is not a span of time"),
        ({"warm_up": "a month"}, "'a month' is not a span of time"),
    ],
)
def test_a_contradiction_is_refused_where_it_is_declared(changes, says):
    """A column with two roles, or a span that cannot be read, never reaches a replay."""
    with pytest.raises(InvalidInputError, match=says):
        shop(**changes)


def test_policies_are_known_by_the_name_of_their_class_or_function():
    """CamelCase becomes snake_case, a given name wins, and the champion is the one that was said to be."""
    problem = shop()
    problem.policy(BakeMore)
    problem.policy(champion=True, name="other")(BakeMore)

    assert list(problem.policies) == ["bake_more", "other"]
    assert problem.champion == "other"
    assert isinstance(problem.make_policy("bake_more"), BakeMore)


def test_a_second_policy_of_one_name_is_refused():
    """Nothing is replaced silently."""
    problem = shop()
    problem.policy(BakeMore)
    with pytest.raises(AlreadyExistsError, match="already has a policy 'bake_more'"):
        problem.policy(BakeMore)


def test_a_second_champion_is_refused():
    """Only one policy decides today."""
    problem = shop()
    problem.policy(champion=True)(BakeMore)
    with pytest.raises(AlreadyExistsError, match="already has the champion 'bake_more'"):
        problem.policy(champion=True, name="other")(BakeMore)
    assert list(problem.policies) == ["bake_more"]


def test_a_misspelt_policy_gets_the_right_one_suggested():
    """The message lists what there is, and how to declare more."""
    problem = shop()
    problem.policy(BakeMore)
    with pytest.raises(NotFoundError, match=r"Did you mean 'bake_more'\?.*Declare it with @shop\.policy"):
        problem.make_policy("bakemore")


def test_what_makes_no_policy_is_refused():
    """A function that returns something else, or raises, is named with its cause."""
    problem = shop()
    problem.policy(name="text")(lambda: "buy")
    problem.policy(name="broken")(lambda: 1 / 0)

    with pytest.raises(UserCodeError, match=r"makes a str, which is no shipworthy\.Policy"):
        problem.make_policy("text")
    with pytest.raises(UserCodeError, match="'broken' could not be made: ZeroDivisionError: division by zero"):
        problem.make_policy("broken")


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"memory": "a week"}, "has a memory that cannot be read: 'a week' is not a span of time"),
        ({"memory": None}, "has a memory that cannot be read: None is not a span of time"),
        ({"train_window": "0d"}, "has a train_window of '0d'"),
        ({"refit": "0d"}, "has a refit of '0d'"),
        ({"refit": "often"}, "has a refit that cannot be read"),
        ({"memory": "0d", "refit": None}, None),
    ],
)
def test_a_span_of_a_policy_is_read_before_anything_runs(attributes, says):
    """A refit every 0 days would never end, and a span that cannot be read would fail in the middle of a replay."""
    problem = shop()
    problem.policy(name="p")(deciding(lambda now: None, **attributes))
    if says is None:
        assert problem.make_policy("p").refit is None
        return
    with pytest.raises(UserCodeError, match=says):
        problem.make_policy("p")


def test_guardrails_hold_their_margin_and_direction():
    """A guardrail is known by its function's name."""
    problem = shop()

    @problem.guardrail(margin=0.05, better="lower")
    def sold_out(happened):
        return pl.col("sold") > pl.col("stock")

    [rail] = problem.guardrails
    assert (rail.name, rail.margin, rail.better) == ("sold_out", 0.05, "lower")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"margin": -0.1}, "margin is -0.1"),
        ({"margin": math.nan}, "margin is nan"),
        ({"margin": math.inf}, "margin is inf"),
        ({"margin": 0.1, "better": "up"}, "Say 'higher' or 'lower'"),
    ],
)
def test_a_guardrail_that_can_never_hold_or_never_break_is_refused(given, says):
    """Margins are numbers of at least 0, and better is one of two words."""
    with pytest.raises(InvalidInputError, match=says):
        shop().guardrail(**given)


@pytest.mark.parametrize(
    ("missing", "says"),
    [("value", r"has no value\. Declare it with @shop\.value"), ("champion", r"@shop\.policy\(champion=True\)")],
)
def test_a_problem_without_value_or_champion_is_refused(missing, says):
    """What cannot be decided and valued is refused with the line that is missing."""
    problem = shop()
    if missing == "value":
        problem.value_of = None
        problem.policy(champion=True)(BakeMore)
    with pytest.raises(UserCodeError, match=says):
        problem.require()


def test_a_fallback_has_to_be_a_policy():
    """A fallback that is not there would be found out in the very moment it is needed."""
    problem = shop(fallback="safe")
    problem.policy(champion=True)(BakeMore)
    with pytest.raises(NotFoundError, match="No fallback policy 'safe'"):
        problem.require()


def test_a_plan_takes_a_status_by_its_word():
    """Plain text is a status, and another word than the four is refused."""
    word: Any = "timeout"
    assert Plan(decisions=None, status=word).status is Status.TIMEOUT
    word = "almost"
    with pytest.raises(ValueError, match="'almost' is not a valid Status"):
        Plan(decisions=None, status=word)


@pytest.mark.parametrize("nothing", [math.nan, math.inf, -math.inf, None])
def test_a_gap_that_is_not_finite_is_none(nothing):
    """Solvers say infinity where they know no bound; the record says that there is none."""
    plan = Plan(decisions=None, gap=nothing, objective=nothing)
    assert (plan.gap, plan.objective) == (None, None)
