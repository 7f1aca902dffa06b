"""A restaurant kitchen: how many portions of each dish to prepare tomorrow, within 300 minutes of work.

At the close of each day the kitchen decides about the next one. Demand does not depend on what was prepared; what is
not sold is worth little the day after.
"""

from collections.abc import Mapping
from pathlib import Path

import forecast
import polars as pl

import shipworthy as sw

HERE = Path(__file__).parent
KITCHEN_MINUTES = 300
WEATHER = ("wind", "clouds", "rain", "sunshine", "temperature")
DISHES = ("calamari", "fish", "shrimp", "chicken", "koefte", "lamb", "steak")


def one_row_per_dish(days: pl.DataFrame) -> pl.DataFrame:
    """Turns one row per day into one row per day and dish, with the dish's prices beside its demand."""
    calendar = ["date", "is_holiday", "is_closed", *WEATHER]
    rows = days.unpivot(on=DISHES, index=calendar, variable_name="dish", value_name="demand")
    return rows.join(pl.read_parquet(HERE / "data" / "dishes.parquet"), on="dish").sort("date", "dish")


kitchen = sw.Problem(
    "kitchen",
    rows=sw.parquet("data/daily.parquet").then(one_row_per_dish),
    period="date",
    unit="dish",
    outcome="demand",
    decision="portions",
    outcome_delay="1d",
    known_after=(*WEATHER, *DISHES),  # the weather was observed on the day itself
    currency="EUR",
    counterfactual=True,
    assumptions={
        "prices": (1.0, 0.8, 1.2),
        "costs": (1.0, 0.8, 1.3),
        "salvage": (1.0, 0.0, 2.0),
    },  # factors on dishes.parquet
)


@kitchen.value
def profit(happened: pl.DataFrame, assumed: Mapping[str, float]) -> pl.Expr:
    """What the portions sold brought in, less what all of them cost."""
    sold = pl.min_horizontal("portions", "demand")
    left = pl.col("portions") - sold
    earned = sold * pl.col("price_eur") * assumed["prices"] + left * pl.col("salvage_eur") * assumed["salvage"]
    return earned - pl.col("portions") * pl.col("unit_cost_eur") * assumed["costs"]


@kitchen.constraint
def whole_portions(decided: pl.DataFrame) -> pl.Expr:
    return (pl.col("portions") >= 0) & (pl.col("portions") == pl.col("portions").round())


@kitchen.constraint
def kitchen_minutes(decided: pl.DataFrame) -> pl.Expr:
    return (pl.col("portions") * pl.col("prep_minutes")).sum() <= KITCHEN_MINUTES


@kitchen.guardrail(margin=0.05, better="lower")
def sold_out(happened: pl.DataFrame) -> pl.Expr:
    """Whether guests were turned away; the share of dishes on which they were may rise by five points."""
    return (pl.col("demand") > pl.col("portions")).cast(pl.Float64)


@kitchen.oracle
def demand_known(now: sw.Now, happened: pl.DataFrame) -> sw.Plan:
    """What a kitchen would prepare that knew tomorrow's demand: the most that any idea can earn."""
    return forecast.fill_kitchen(now, happened["demand"].to_numpy(), KITCHEN_MINUTES)


@kitchen.policy(champion=True)
class LastWeek(sw.Policy):
    """What a kitchen does by itself: as many as were asked for on the same weekday last week."""

    memory = "7d"

    def decide(self, now: sw.Now, fitted: None) -> pl.DataFrame:
        last_week = now.past.group_by("dish").agg(pl.col("demand").sort_by("date").first())
        wanted = now.rows.join(last_week, on="dish", how="left", maintain_order="left")
        minutes = (wanted["demand"] * wanted["prep_minutes"]).sum()
        return wanted.select("dish", portions=(pl.col("demand") * min(1.0, KITCHEN_MINUTES / max(minutes, 1))).floor())


@kitchen.policy
class FridaySteak(LastWeek):
    """The same, with one steak more on Fridays, where the minutes allow it."""

    def decide(self, now: sw.Now, fitted: None) -> pl.DataFrame:
        plan = super().decide(now, fitted)
        one_more = plan.with_columns(portions=pl.col("portions") + (pl.col("dish") == "steak"))
        minutes = (one_more["portions"] * now.rows["prep_minutes"]).sum()
        return one_more if now.period.isoweekday() == 5 and minutes <= KITCHEN_MINUTES else plan


@kitchen.policy
def demand_forecast() -> sw.Policy:
    return forecast.quantiles_then_fill(features=forecast.CALENDAR_AND_PAST, minutes=KITCHEN_MINUTES)


@kitchen.policy
def weather_forecast() -> sw.Policy:
    """The same with today's temperature and rain, which nobody knows the evening before."""
    features = [*forecast.CALENDAR_AND_PAST, "temperature", "rain"]
    return forecast.quantiles_then_fill(features=features, minutes=KITCHEN_MINUTES)
