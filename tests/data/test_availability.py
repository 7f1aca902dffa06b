"""What is missing at the moment of deciding is remarked on, and columns that are as they always were are not."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shipworthy.data.availability import unavailable
from shipworthy.data.examine import examine_data
from shipworthy.project import open_project
from shipworthy.project.code import load_problem
from tests.problems import SHOP, day, make_project, sales, shop

KITCHEN = Path(__file__).parents[2] / "examples" / "kitchen"
IS_OPEN = pl.col("day") >= day(28)


def remarks(*, open_outcomes=True, **columns):
    """The remarks on thirty days of three items, of which the last two days may have no outcome yet."""
    rows = sales(30).with_columns(**columns)
    if open_outcomes:
        rows = rows.with_columns(sold=pl.when(~IS_OPEN).then("sold"))
    return unavailable(shop(rows), rows)


def test_a_column_that_todays_rows_lack_is_told():
    """A forecast that is filled in afterwards is full in the history and empty where it is needed."""
    assert remarks(rain=pl.when(~IS_OPEN).then(1.0)) == [
        "rain is empty since 2026-01-29; before, 100 % of the rows had it. Is it there when it is decided?"
    ]


def test_a_column_that_some_of_todays_rows_lack_is_told():
    """Emptier than in any period before is suspicious, even where it is not empty."""
    assert remarks(rain=pl.when(~IS_OPEN | (pl.col("item") == "ham")).then(1.0)) == [
        "rain is there in 2 of the 6 rows whose outcome is open, since 2026-01-29; before, 100 % of the rows had it. Is it there "
        "when it is decided?"
    ]


@pytest.mark.parametrize(("first", "since"), [(29, "2026-01-30"), (20, "2026-01-21")])
def test_a_column_that_stops_earlier_than_the_others_is_told(first, since):
    """A feed that broke, yesterday or ten days ago, is told with the period since when."""
    [said] = remarks(open_outcomes=False, rain=pl.when(pl.col("day") < day(first)).then(1.0))
    assert said.startswith(f"rain is empty since {since}; before, 100 % of the rows had it")


@pytest.mark.parametrize(
    "values",
    [
        pl.lit(1.0),
        pl.lit(None, dtype=pl.Float64),
        pl.when(pl.col("day").dt.day() % 7 == 1).then(1.0),
        pl.when((pl.col("day").dt.day() < 10) | (pl.col("day").dt.day() > 13)).then(
            pl.when(pl.col("day") < day(27)).then(1.0)
        ),
        pl.when(pl.col("day") >= day(15)).then(1.0),
        pl.when(pl.col("item") != "ham").then(1.0),
    ],
    ids=["full", "never filled", "seldom filled", "as long a hole before", "began late", "always partly"],
)
def test_columns_that_are_as_they_always_were_are_not(values):
    """Holes that were there before raise no alarm."""
    assert remarks(rain=values) == []


def test_what_is_known_only_after_deciding_is_not_asked_for():
    """The outcome and its companions are empty in today's rows by their nature."""
    rows = sales(30).with_columns(weather=pl.when(~IS_OPEN).then(1.0), sold=pl.when(~IS_OPEN).then("sold"))
    assert unavailable(shop(rows, known_after=("weather",)), rows) == []


def test_random_holes_seldom_raise_an_alarm():
    """Of a hundred columns with random holes, in every share, at most a few are told."""
    rng = np.random.default_rng(1)
    rows = sales(200)
    holes = {f"c{n}": np.where(rng.random(600) < n / 100, np.nan, 1.0) for n in range(100)}
    rows = rows.with_columns(sold=pl.when(pl.col("day") < day(199)).then("sold"))
    rows = rows.with_columns(pl.Series(name, values).fill_nan(None) for name, values in holes.items())
    assert len(unavailable(shop(rows), rows)) <= 3


def test_the_examples_raise_no_alarm():
    """Neither the kitchen nor a shop whose rows are whole is remarked on."""
    _, problem = load_problem(open_project(KITCHEN), "kitchen")
    assert unavailable(problem, problem.rows.load(KITCHEN)) == []


def test_the_answer_of_the_data_stage_tells_it(tmp_path):
    """`shipworthy data` remarks on it, and the idea is testable all the same."""
    source = SHOP.replace(
        "frame(made_up_rows)",
        "frame(lambda: made_up_rows().with_columns(rain=pl.when(pl.col('day') < FIRST + timedelta(days=38)).then(1.0)))",
    )
    answer = examine_data(make_project(tmp_path / "shop", source), 1)
    assert answer.is_testable
    assert any(said.startswith("rain is empty since 2026-02-08") for said in answer.remarks)
