"""Break-even: which assumption turns the verdict and where, and when nothing is said of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import shipworthy as sw
from shipworthy.analysis import Criteria, Decision, verdict
from shipworthy.analysis.analyse import analyse_idea, read_analysis
from shipworthy.analysis.break_even import BreakEven, break_even
from shipworthy.data.examine import examine_data
from shipworthy.errors import InvalidInputError, UserCodeError
from shipworthy.research.research import research_idea
from shipworthy.step import worth

KITCHEN = Path(__file__).parents[2] / "examples" / "kitchen" / "data"
DISHES = ("calamari", "fish", "shrimp", "chicken", "koefte", "lamb", "steak")


def restaurant(assumptions, value=None, **more) -> sw.Problem:
    """The kitchen's problem with a value in stated prices: each portion sells for one price and costs another."""
    problem = sw.Problem(
        "kitchen",
        rows=None,  # rows are given beside it
        period="date",
        unit="dish",
        outcome="demand",
        decision="portions",
        assumptions=assumptions,
        **more,
    )

    def profit(happened, assumed):
        return assumed["price"] * pl.min_horizontal("portions", "demand") - assumed["cost"] * pl.col("portions")

    problem.value(value or profit)
    return problem


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """Two years of a real restaurant: the demand for each dish of each day, and that of a week before."""
    days = pl.read_parquet(KITCHEN / "daily.parquet").filter(pl.col("is_closed") == 0).sort("date")
    long = days.unpivot(on=DISHES, index="date", variable_name="dish", value_name="demand")
    lagged = long.sort("date").with_columns(pl.col("demand").shift(6).over("dish").alias("before"))
    return lagged.drop_nulls().sort("date", "dish")


def evidence_of(problem: sw.Problem, rows: pl.DataFrame) -> pl.DataFrame:
    """What repeating last week's demand earned, and what 1.2 times as much would have."""
    table = rows.select(period="date", unit="dish")
    for role, factor in (("champion", 1.0), ("challenger", 1.2)):
        decided = rows.with_columns(portions=(pl.col("before") * factor).round())
        table = table.with_columns(
            decided["portions"].alias(f"portions_{role}"), worth(problem, decided)["value"].alias(f"value_{role}")
        )
    return table


def sums_of(evidence: pl.DataFrame, rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """By hand: how many portions more were sold, and made, in each row."""
    demand = rows["demand"].to_numpy()
    made = [evidence[f"portions_{role}"].to_numpy() for role in ("champion", "challenger")]
    sold = [np.minimum(one, demand) for one in made]
    return sold[1] - sold[0], made[1] - made[0]


def test_the_break_even_is_the_one_of_the_hand_computation(rows):
    """On a real restaurant the mean gain is zero where costs of all that was made more eat what was sold more."""
    problem = restaurant({"price": (9.0, 1.0, 20.0), "cost": (2.0, 1.5, 2.5)})
    evidence = evidence_of(problem, rows)
    criteria = Criteria(units_per_year=7 * 365.0)
    found = break_even(problem, rows, evidence, verdict(evidence, criteria))
    price, cost = found.assumptions
    sold, made = sums_of(evidence, rows)
    assert price.is_affine
    assert price.zero_at == pytest.approx(2.0 * made.sum() / sold.sum(), rel=1e-9)
    assert len(price.curve) in (21, 22)
    for point in price.curve:
        assert point.gain == pytest.approx((point.at * sold - 2.0 * made).mean() * 7 * 365.0, rel=1e-9, abs=1e-6)
    [stated] = [point for point in price.curve if point.at == 9.0]
    assert stated.low == pytest.approx(verdict(evidence, criteria).per_year().low, rel=1e-9)
    assert price.change(price.flips_at) < cost.change(cost.flips_at)
    assert found.first == "price"


def test_the_verdict_really_flips_there(rows):
    """Judged with the price just above its flip the same decisions ship, and just below they do not."""
    problem = restaurant({"price": 9.0, "cost": 2.0})
    evidence = evidence_of(problem, rows)
    found = break_even(problem, rows, evidence, verdict(evidence))
    [at] = [one.flips_below for one in found.assumptions if one.name == "price"]
    sold, made = sums_of(evidence, rows)
    assert at is not None
    for price, decision in ((at * 1.0001, True), (at * 0.9999, False)):
        money = evidence.with_columns(value_champion=pl.lit(0.0), value_challenger=pl.Series(price * sold - 2.0 * made))
        assert (verdict(money).decision is Decision.SHIP) is decision
    assert found.says.startswith(f"The verdict flips if price falls below {at:.4g} (")
    assert BreakEven.from_dict(found.to_dict()) == found


def test_a_flip_of_money_that_is_no_straight_line_is_found_by_bisection(rows):
    """Money that grows with the square of an assumption flips at the root of the point at which straight money flips."""

    def curved(happened, assumed):
        return assumed["root"] ** 2 * pl.min_horizontal("portions", "demand") - 2.0 * pl.col("portions")

    straight = restaurant({"price": 9.0, "cost": 2.0})
    problem = restaurant({"root": 3.0}, curved)
    evidence = evidence_of(problem, rows)
    [price, _] = break_even(straight, rows, evidence, verdict(evidence)).assumptions
    [root] = break_even(problem, rows, evidence, verdict(evidence)).assumptions
    assert not root.is_affine
    assert price.flips_below is not None
    assert root.flips_below == pytest.approx(price.flips_below**0.5, rel=1e-4)


def test_that_nothing_plausible_flips_it_is_said(rows):
    """Within narrow ranges the verdict stands, and the sentence names them."""
    problem = restaurant({"price": (9.0, 8.0, 10.0), "cost": (2.0, 1.9, 2.1)})
    evidence = evidence_of(problem, rows)
    found = break_even(problem, rows, evidence, verdict(evidence))
    assert found.says == "No plausible price (8 to 10) or cost (1.9 to 2.1) flips the verdict."
    assert found.first is None


def test_what_would_make_it_ship_is_said_of_a_verdict_that_does_not(rows):
    """Where the price is too low to ship, the price from which it would ship is the break-even."""
    problem = restaurant({"price": (2.0, 1.0, 20.0), "cost": 2.0})
    evidence = evidence_of(problem, rows)
    found = break_even(problem, rows, evidence, verdict(evidence))
    assert found.assumptions[0].flips_above is not None
    assert found.says.startswith("The verdict would be ship if ")
    assert f"price rises above {found.assumptions[0].flips_above:.4g}" in found.says


def test_what_cannot_be_computed_is_said(rows):
    """No assumptions, a value that takes none, a sealed verdict, money of other decisions: a sentence, and no curve."""
    problem = restaurant({"price": 9.0, "cost": 2.0})
    evidence = evidence_of(problem, rows)
    found = verdict(evidence)
    others = evidence.with_columns(pl.col("value_challenger") + 1.0)
    refused = verdict(evidence, Criteria(min_effect=1e6)).withheld()
    bare = restaurant({}, lambda happened: pl.col("portions") * 1.0)
    deaf = restaurant({"price": 9.0}, lambda happened: pl.col("portions") * 1.0)
    logged = restaurant({"price": 9.0, "cost": 2.0}, counterfactual=False, propensity="chance")
    answers = [
        break_even(bare, rows, evidence, found),
        break_even(deaf, rows, evidence, found),
        break_even(logged, rows, evidence, found),
        break_even(problem, rows, others, verdict(others), repetitions=3),
        break_even(problem, rows, evidence, refused),
    ]
    words = ("declares no assumptions", "takes no assumptions", "logged decisions", "3 repetitions", "sealed")
    for answer, word in zip(answers, words, strict=True):
        assert word in answer.says
        assert not answer.is_known
        assert answer.assumptions == ()


def test_a_sealed_holdout_that_does_not_ship_lets_nothing_out(bakery):
    """Neither curve nor segments of a sealed holdout are shown or recorded where the verdict is not to ship."""
    for file, before, after in (
        ("problem.py", 'currency="EUR",', 'currency="EUR",\n    holdout="90d",'),
        ("ideas/0001-same-weekday.toml", "smallest_gain = 5.0", "smallest_gain = 60.0"),
    ):
        path = bakery.root / file
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, after))
    path.write_text(path.read_text().replace("[5.0, 20.0, 60.0]", "[60.0, 60.0, 60.0]"))
    examine_data(bakery, 1)
    research_idea(bakery, 1)
    found = analyse_idea(bakery, 1)
    assert found.verdict.decision is not Decision.SHIP
    assert found.segments is None
    assert found.break_even is not None
    assert not any(letter.isdigit() for letter in found.break_even.says)
    record = bakery.records.get("verdict", "0001")
    assert record.body["segments"] is None
    assert record.body["break_even"]["assumptions"] == []


def test_the_analysis_keeps_both_with_its_record(walked):
    """Break-even and segments of a walked idea are read from its record as they were told; older records read without."""
    record = walked.records.get("verdict", "0001")
    read = read_analysis(record)
    assert read.break_even is not None
    assert read.segments is not None
    assert [one.name for one in read.break_even.assumptions] == ["price", "unit_cost"]
    assert {one.column for one in read.segments.segments} == {"bread", "weekday"}
    for column in ("bread", "weekday"):
        parts = [one.gain * one.share for one in read.segments.segments if one.column == column]
        assert sum(parts) == pytest.approx(read.verdict.gain)
    record.body.pop("segments")
    record.body.pop("break_even")
    assert read_analysis(record).segments is None


def test_assumptions_reach_the_value_and_only_where_it_asks(rows):
    """A value and a guardrail with a second parameter get the stated numbers; a name that is not there is told with those."""
    problem = restaurant({"price": 9.0, "cost": 2.0})

    @problem.guardrail(margin=1.0)
    def margin_kept(happened, assumed):
        return pl.col("portions") * (assumed["price"] - assumed["cost"])

    decided = rows.with_columns(portions=pl.col("before"))
    assert worth(problem, decided)["margin_kept"].to_list() == (rows["before"] * 7.0).to_list()
    with pytest.raises(UserCodeError, match=r"No assumption 'prize'.*There is: price, cost"):
        worth(
            restaurant({"price": 9.0, "cost": 2.0}, lambda happened, assumed: pl.col("demand") * assumed["prize"]),
            decided,
        )


@pytest.mark.parametrize("stated", [float("nan"), "3", True, (3.0, 4.0), (3.0, 4.0, 5.0), (3.0, 3.0, 3.0)])
def test_an_assumption_that_is_no_number_in_order_is_refused(stated):
    """Numbers must be finite, and a range must hold the value."""
    with pytest.raises(InvalidInputError, match="'price'"):
        restaurant({"price": stated})
    with pytest.raises(InvalidInputError, match="no name"):
        restaurant({"unit cost": 1.0})
