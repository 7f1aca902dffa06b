"""PredictThenOptimize: features are derived from the past, forecasts stay beside their rows, and mistakes are named."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from shipworthy.errors import UserCodeError
from shipworthy.problem import Now, Plan, Policy, PredictThenOptimize, Status
from tests.problems import UNITS, day, sales


class Echo:
    """A model that forecasts its first feature, and remembers what it was given."""

    def fit(self, X, y):
        """Remembers what it learns from."""
        self.seen = (X, y)
        return self

    def predict(self, X):
        """Forecasts the first feature."""
        return X[:, 0] if isinstance(X, np.ndarray) else X.to_series(0).to_numpy()


def at(number: int, *, memory: int = 3, rows: pl.DataFrame | None = None) -> Now:
    """The moment of a day, with the days before it as its past."""
    table = sales(10)
    past = table.filter(pl.col("day").is_between(day(number - memory), day(number), closed="left"))
    asked = table.filter(day=day(number)).drop("sold") if rows is None else rows
    return Now(period=day(number), key=("day", "item"), rows=asked, past=past)


def echo(*features: str, **fields) -> Any:
    """A policy whose forecast is its first feature."""
    return PredictThenOptimize(model=Echo(), features=list(features), target="sold", **fields)


def yesterday(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds what was sold of the same item on the row before."""
    return rows.with_columns(lag=pl.col("sold").shift(1).over("item", order_by="day"))


def test_a_policy_without_decide_says_so():
    """The message names the class and the method that is missing."""

    class Empty(Policy):
        pass

    with pytest.raises(NotImplementedError, match="Empty has no decide"):
        Empty().decide(at(5), None)


def test_derive_sees_the_past_and_then_the_rows_without_their_outcome():
    """What derive is given is the past followed by the rows, whose outcome is null."""
    given = []

    def derive(rows):
        given.append(rows)
        return yesterday(rows)

    policy = echo("lag", derive=derive)
    decided = policy.decide(at(5), Echo())

    [rows] = given
    assert rows["day"].unique(maintain_order=True).to_list() == [day(2), day(3), day(4), day(5)]
    assert rows.filter(day=day(5))["sold"].null_count() == 3
    assert rows.filter(pl.col("day") < day(5))["sold"].null_count() == 0
    assert decided.tolist() == [40.0, 41.0, 42.0]


def test_derive_works_before_there_is_any_past():
    """On the first day the outcome column is there, empty: the lag is missing, and derive does not raise."""
    assert np.isnan(echo("lag", derive=yesterday).decide(at(0), Echo())).all()


@pytest.mark.parametrize(
    "derive",
    [
        lambda rows: yesterday(rows).sort("lag", descending=True, nulls_last=True),
        lambda rows: yesterday(rows).reverse(),
        lambda rows: yesterday(rows).sample(fraction=1.0, shuffle=True, seed=3),
        lambda rows: yesterday(rows).filter(pl.col("lag").is_not_null()),
    ],
)
def test_forecasts_stay_beside_their_rows_however_derive_orders_them(derive):
    """Whatever order derive returns, a forecast belongs to the row of `now.rows` in its place."""
    now = at(5, rows=sales(10).filter(day=day(5)).drop("sold").reverse())
    assert echo("lag", derive=derive).decide(now, Echo()).tolist() == [42.0, 41.0, 40.0]


def test_a_row_that_derive_filters_away_keeps_its_place():
    """The unit is still there, its feature missing, and the others are not shifted by one."""
    policy = echo("lag", derive=lambda rows: yesterday(rows).filter(pl.col("item") != "jam"))
    decided = policy.decide(at(5), Echo())

    assert decided[[0, 2]].tolist() == [40.0, 42.0]
    assert np.isnan(decided[1])


def test_a_derive_that_doubles_rows_is_refused():
    """A join that finds two partners would give more forecasts than units."""
    policy = echo("lag", derive=lambda rows: pl.concat([yesterday(rows)] * 2))
    with pytest.raises(UserCodeError, match=r"derive\(\) gives 6 rows for 3 units"):
        policy.decide(at(5), Echo())


def test_numbers_become_a_matrix_in_which_null_is_nan():
    """Numbers, truths and a column of nothing but nulls are numeric; the matrix is float64."""
    table = pl.DataFrame({"a": [1, None], "b": [True, False], "c": [None, None]})
    matrix = echo("a", "b", "c").matrix(table)

    assert isinstance(matrix, np.ndarray)
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(matrix, [[1.0, 1.0, np.nan], [np.nan, 0.0, np.nan]])


def test_features_that_are_no_numbers_stay_a_frame():
    """Words are left to a model that can read them, in the order in which the features were named."""
    matrix = echo("item", "price").matrix(sales(1))

    assert isinstance(matrix, pl.DataFrame)
    assert matrix.columns == ["item", "price"]


def test_a_missing_feature_is_named_with_what_there_is():
    """The message says which one, what there is, and why an outcome is not."""
    with pytest.raises(
        UserCodeError, match=r"asks for 'wheather', which.*There is: day, item, price\. .*after deciding"
    ):
        echo("price", "wheather").decide(at(5), Echo())


def test_the_outcome_is_no_feature_when_deciding():
    """A feature that is known only afterwards is absent rather than empty."""
    with pytest.raises(UserCodeError, match="asks for 'sold'"):
        echo("sold").decide(at(5), Echo())


def test_fit_takes_the_rows_with_an_outcome_and_leaves_the_model_as_it_was():
    """Rows without an outcome teach nothing, and each fit is of a copy."""
    past = sales(4).with_columns(pl.when(pl.col("item") != "tea").then("sold").alias("sold"))
    policy = echo("price")
    fitted = policy.fit(past)

    X, y = fitted.seen
    assert X.shape == (8, 1)
    assert y.tolist() == [0, 1, 10, 11, 20, 21, 30, 31]
    assert not hasattr(policy.model, "seen")


def test_a_fit_on_nothing_is_refused():
    """The message names target and model."""
    with pytest.raises(UserCodeError, match="no row with a known 'sold' to fit Echo on"):
        echo("price").fit(sales(3).clear())


def test_the_optimiser_gets_the_moment_and_the_forecast():
    """What it returns is the decision, a plan with its status included."""

    def optimise(now, forecast):
        return Plan(decisions=np.minimum(forecast, 41.0), status=Status.FEASIBLE, gap=0.1)

    plan = echo("lag", derive=yesterday, optimise=optimise).decide(at(5), Echo())
    assert plan.decisions.tolist() == [40.0, 41.0, 41.0]
    assert plan.gap == 0.1


def test_a_classifier_decides_words():
    """Where the outcome is a word, the forecast is one, and it is the decision."""

    class Commonest:
        def fit(self, X, y):
            words, counts = np.unique(y, return_counts=True)
            self.word = words[counts.argmax()]
            return self

        def predict(self, X):
            return np.array([self.word] * len(X))

    past = pl.DataFrame({"day": [date(2026, 1, 1)] * 3, "item": UNITS, "price": 1.0, "tint": ["red", "red", "blue"]})
    policy: Any = PredictThenOptimize(model=Commonest(), features=["price"], target="tint")
    assert policy.decide(at(5), policy.fit(past)).tolist() == ["red"] * 3


def test_foresight_is_the_optimiser_on_the_outcome():
    """The same optimiser gets what will happen in the forecast's place, with nothing fitted; without one, it is the decision."""
    outcome = pl.Series("sold", [4, 5, 6])
    doubled = echo("price", optimise=lambda now, forecast: Plan(decisions=2 * forecast, gap=0.0))

    assert doubled.foresee(at(5), outcome).decisions.tolist() == [8, 10, 12]
    assert echo("price").foresee(at(5), outcome).tolist() == [4, 5, 6]


def test_a_forecast_of_something_else_has_no_foresight():
    """What the model forecasts is not the outcome, so the outcome is no perfect forecast of it."""
    with pytest.raises(UserCodeError, match="forecasts 'sold', not the outcome 'profit'"):
        echo("price").foresee(at(5), pl.Series("profit", [4, 5, 6]))


def test_a_policy_has_no_foresight_until_it_is_written():
    """The plain rule says so, and how to write it."""
    with pytest.raises(NotImplementedError, match=r"Policy has no foresight. Write foresee\(self, now, outcome\)"):
        Policy().foresee(at(5), pl.Series("sold", [4, 5, 6]))
