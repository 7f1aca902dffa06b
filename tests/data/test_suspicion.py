"""A column that knows too much is suspected, on real data, and honest columns are left in peace."""

import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shipworthy.data.suspicion import find_suspicions
from shipworthy.problem import Problem
from tests.problems import FIRST, sales, shop

HERE = Path(__file__).parents[2]
DATA = Path(os.environ.get("SHIPWORTHY_DATA", HERE.parent / "shared" / "data"))
CALLS = DATA / "bank_marketing" / "contacts.parquet"
HOURS = DATA / "nordpool_battery" / "hourly.parquet"
DAYS = HERE / "examples" / "kitchen" / "data"


def suspected(problem, rows):
    """The names of the suspected columns."""
    return [found.column for found in find_suspicions(problem, rows)]


def kitchen():
    """The kitchen's rows with honest features of many kinds; its unit, period and outcome."""
    days = pl.read_parquet(DAYS / "daily.parquet")
    dishes = pl.read_parquet(DAYS / "dishes.parquet")
    rows = days.unpivot(
        on=dishes["dish"].to_list(),
        index=["date", "weekday", "month", "year", "is_holiday", "is_closed"],
        variable_name="dish",
        value_name="demand",
    ).join(dishes, on="dish")
    problem = Problem("kitchen", rows=None, period="date", unit="dish", outcome="demand", decision="portions")
    return problem, with_past(rows.sort("date", "dish"), "demand", "dish", "date")


def battery():
    """The prices of electricity by hour of the day, with the forecasts of load and wind."""
    hours = pl.read_parquet(HOURS).with_columns(day=pl.col("timestamp").dt.date(), hour=pl.col("timestamp").dt.hour())
    problem = Problem("battery", rows=None, period="day", unit="hour", outcome="price", decision="power")
    return problem, with_past(hours.drop("timestamp").rename({"price_eur_mwh": "price"}), "price", "hour", "day")


def with_past(rows, outcome, unit, period):
    """Lags, windows, means and totals of the outcome up to the period before, a calendar and a running day."""

    def over(expression):
        return expression.over(partition_by=unit, order_by=period)

    known = pl.col(outcome).shift(1)
    return rows.with_columns(
        lag_1=over(known),
        lag_7=over(pl.col(outcome).shift(7)),
        window=over(known.rolling_mean(28, min_samples=1)),
        same_day=over(pl.mean_horizontal([pl.col(outcome).shift(7 * week) for week in range(1, 5)])),
        total=over(known.cum_sum()),
        change=over(known.diff()),
        day_of_week=pl.col(period).dt.weekday(),
        day_of_year=pl.col(period).dt.ordinal_day(),
        when=pl.col(period).cast(pl.Datetime),
        unit_again=pl.col(unit).cast(pl.String),
        always=pl.lit(1.0),
        never=pl.lit(None, dtype=pl.Float64),
        is_odd=pl.col(period).dt.day() % 2 == 1,
    )


def planted(problem, rows):
    """What may be worked out from the outcome with hindsight, by name."""
    of, rng = pl.col(problem.outcome), np.random.default_rng(4)
    spread = rows.select((of - of.shift(1).over(problem.unit, order_by=problem.period)).abs().median()).item()
    noise = pl.Series(rng.normal(size=rows.height) * spread / 3)

    def over(expression):
        return expression.over(partition_by=problem.unit, order_by=problem.period)

    return {
        "the outcome and noise": of + noise,
        "the outcome turned round": -3.0 * of,
        "the outcome as text": of.round().cast(pl.String),
        "the outcome of the next period": over(of.shift(-1)),
        "the running total, today included": over(of.cum_sum()),
        "the mean so far, today included": over(of.cum_sum() / of.cum_count()),
        "the outcome where it is known": pl.when(pl.int_range(pl.len()) % 5 > 0).then(of),
    }


needs_hours = pytest.mark.skipif(not HOURS.exists(), reason="the prices are not ours to ship; name SHIPWORTHY_DATA")
needs_calls = pytest.mark.skipif(not CALLS.exists(), reason="the calls are not ours to ship; name SHIPWORTHY_DATA")
PLACES = [pytest.param(kitchen, id="kitchen"), pytest.param(battery, id="battery", marks=needs_hours)]


@pytest.mark.parametrize("place", PLACES)
def test_a_column_made_from_the_outcome_is_suspected_and_no_honest_one_is(place):
    """Beside honest lags, windows, totals, calendars and forecasts each planted column stands out alone."""
    problem, rows = place()
    assert suspected(problem, rows) == []
    for name, made in planted(problem, rows).items():
        assert suspected(problem, rows.with_columns(planted=made)) == ["planted"], name


def test_several_planted_columns_do_not_hide_one_another():
    """A suspected column is not held against the next one."""
    problem, rows = kitchen()
    made = planted(problem, rows)
    both = rows.with_columns(one=made["the outcome and noise"], two=made["the outcome turned round"])
    assert suspected(problem, both) == ["one", "two"]


def test_columns_that_know_as_much_as_one_another_do_not_hide_one_another():
    """What became of a booking, and the day on which it was written down, both put every pair of a day in its order."""
    rng = np.random.default_rng(5)
    gone = rng.random(2000) < 0.3
    rows = pl.DataFrame({"day": np.repeat(np.arange(20), 100), "item": np.arange(2000), "sold": gone})
    told = rows.with_columns(
        status=pl.when("sold").then(pl.lit("left")).otherwise(pl.lit("came")),
        written=pl.col("day") + pl.when("sold").then(-rng.integers(0, 30, 2000)).otherwise(rng.integers(1, 9, 2000)),
        age=rng.random(2000),
    )
    assert suspected(shop(), told) == ["status", "written"]


@needs_calls
def test_how_long_a_call_took_is_suspected_where_it_is_said_to_be_known_before():
    """The famous leak of these data stands out within the months, and the remark says by how much and what to do."""
    contacts = pl.read_parquet(CALLS).with_columns(bought=pl.col("y") == "yes").drop("y")
    problem = Problem("calls", rows=None, period="contact_month", unit="seq", outcome="bought", decision="call")
    [found] = find_suspicions(problem, contacts)
    assert str(found) == (
        "duration ranks the outcomes of one period right in 85 of 100 pairs; all other columns and the outcome's own past "
        "together in 60. Declare duration in known_after, or make sure that it is known before deciding."
    )
    honest = Problem(
        "calls", rows=None, period="contact_month", unit="seq", outcome="bought", known_after=("duration",)
    )
    assert suspected(honest, contacts) == []


def clean(seed):
    """A table of another shape for each seed, in which no column knows more than half of what varies."""
    rng = np.random.default_rng(seed)
    units, periods = int(rng.choice([1, 3, 10, 40])), int(rng.integers(60, 300))
    place, when = np.tile(np.arange(units), periods), np.repeat(np.arange(periods), units)
    drivers = rng.normal(size=(units * periods, 3))
    level = rng.normal(size=units)[place] * rng.choice([0, 1, 5])
    drift = when / periods * rng.choice([0, 2, 20])
    shock = np.repeat(rng.normal(size=periods), units) * rng.choice([0, 1])
    outcome = level + drift + shock + drivers @ rng.uniform(-0.7, 0.7, 3) + rng.normal(size=units * periods)
    outcome = outcome > np.median(outcome) if seed % 4 == 0 else outcome
    gap = rng.random(units * periods) < 0.1
    return pl.DataFrame(
        {
            "day": [FIRST + timedelta(days=int(day)) for day in when],
            "item": place,
            "sold": outcome,
            "first": np.where(gap, np.nan, drivers[:, 0]),
            "second": np.round(drivers[:, 1]),
            "third": drivers[:, 2] > 0.5,
            "word": rng.choice(["a", "b", "c"], units * periods),
            "name": [f"row {row}" for row in range(units * periods)],
            "quality": level,
            "number": np.arange(units * periods),
        }
    ).with_columns(
        pl.col("first").fill_nan(None),
        lag=pl.col("sold").shift(1).over("item").cast(pl.Float64),
        total=pl.col("sold").cast(pl.Float64).shift(1).cum_sum().over("item"),
    )


@pytest.mark.parametrize("seed", range(20))
def test_clean_tables_raise_no_suspicion(seed):
    """Twenty tables with drivers, drift, levels, shocks, gaps and noise."""
    assert suspected(shop(), clean(seed)) == []


def test_units_that_come_once_are_measured_within_their_period_alone():
    """Customers who come once have no past; their periods still show a column that knows too much."""
    rng = np.random.default_rng(2)
    rows = pl.DataFrame({"day": np.repeat(np.arange(20), 50), "item": np.arange(1000), "sold": rng.random(1000) < 0.2})
    told = rows.with_columns(told=pl.col("sold").cast(pl.Float64) + rng.normal(size=1000) / 3, age=rng.random(1000))
    assert suspected(shop(), told) == ["told"]


def test_one_unit_is_measured_over_its_neighbouring_periods():
    """A problem with one row per period has no pairs within a period."""
    rng = np.random.default_rng(2)
    rows = pl.DataFrame({"day": np.arange(300), "item": "all", "sold": rng.normal(size=300).cumsum()})
    rows = rows.with_columns(lag=pl.col("sold").shift(1), told=pl.col("sold").round(1))
    [found] = find_suspicions(shop(), rows)
    assert (found.column, found.where) == ("told", "the outcomes of one item in neighbouring periods")


@pytest.mark.parametrize(
    "rows",
    [
        sales(10),
        sales(60).with_columns(sold=pl.lit(3)),
        sales(60).with_columns(sold=pl.lit(None, dtype=pl.Float64)),
        sales(60).with_columns(sold=pl.col("sold").cast(pl.String)),
    ],
    ids=["few rows", "no variation", "no outcome", "no order"],
)
def test_where_nothing_can_be_measured_nothing_is_suspected(rows):
    """Too little, or nothing that can be ordered, says nothing, be a column a copy of the outcome."""
    copied = rows.with_columns(same=pl.col("sold"), listed=pl.concat_list("price"))
    assert suspected(shop(), copied) == []
