"""A battery on the day-ahead market: when to charge and when to discharge tomorrow.

At 11:00 each day the schedule of the next one is fixed, before its prices are known: the auction ends at noon. A battery
of 1 MW moves no price, so history can say what any schedule would have earned.
"""

from collections.abc import Mapping
from datetime import timedelta

import forecast
import numpy as np
import polars as pl
import source
from schedule import EFFICIENCY, ENERGY, HALF, MOST_DISCHARGED, POWER, WEAR, best_schedule

import shipworthy as sw

NEAR = 1e-6  # what a solver may be off


def one_row_per_hour(raw: pl.DataFrame) -> pl.DataFrame:
    return raw.select(
        day=pl.col("timestamp").dt.date(),
        hour=pl.col("timestamp").dt.hour().cast(pl.Int64),
        price=pl.col("price_eur_mwh"),
        load_mw=pl.col("load_forecast_mw"),
        wind_mw=pl.col("wind_forecast_mw"),
    )


battery = sw.Problem(
    "battery",
    rows=sw.frame(source.hourly).then(one_row_per_hour),
    period="day",
    unit="hour",
    outcome="price",
    outcome_delay="1d",  # at 11:00 on D-1 the prices of D-1 have been known for a day, those of D are not yet
    decision=("charge", "discharge"),  # MW in each hour
    currency="EUR",
    counterfactual=True,
    ideas_planned=3,
    warm_up="208w",  # the replay begins on 2016-12-27, as the published test does
    initial_state={"soc": HALF},  # MWh stored when the first day begins
    assumptions={"wear": (WEAR, 0.0, 10.0)},  # EUR per MWh discharged
)


@battery.value
def profit(happened: pl.DataFrame, assumed: Mapping[str, float]) -> pl.Expr:
    """What was sold less what was bought, at the real prices, less the wear."""
    return pl.col("price") * (pl.col("discharge") - pl.col("charge")) - assumed["wear"] * pl.col("discharge")


def stored() -> pl.Expr:
    """MWh that went into the battery since the day began, after each of its hours."""
    return (EFFICIENCY * pl.col("charge") - pl.col("discharge") / EFFICIENCY).cum_sum()


@battery.transition
def carried(state: dict, happened: pl.DataFrame) -> dict:
    """What is stored when the next day begins; an undecided day leaves it as it was."""
    change = happened.select(stored().last()).item()
    return {"soc": round(state["soc"] + (change or 0.0), 5)}


@battery.constraint
def within_power(decided: pl.DataFrame) -> pl.Expr:
    return pl.col("charge", "discharge").is_between(0, POWER)


@battery.constraint
def one_way_at_a_time(decided: pl.DataFrame) -> pl.Expr:
    return pl.min_horizontal("charge", "discharge") <= NEAR


@battery.constraint
def within_energy(decided: pl.DataFrame, state: dict) -> pl.Expr:
    """A constraint with a second parameter gets the state: here, what the days before left in the battery."""
    return (state["soc"] + stored()).is_between(-NEAR, ENERGY + NEAR)


@battery.constraint
def half_full_at_the_end(decided: pl.DataFrame, state: dict) -> pl.Expr:
    return (state["soc"] + stored()).last().is_between(HALF - NEAR, HALF + NEAR)


@battery.constraint
def cycles(decided: pl.DataFrame) -> pl.Expr:
    return pl.col("discharge").sum() <= MOST_DISCHARGED + NEAR


@battery.policy(champion=True)
class SimilarDay(sw.Policy):
    """Expects the prices of the day before, or those of the week before where the day before was of another kind."""

    memory = "7d"
    wear = WEAR

    def decide(self, now: sw.Now, fitted: None) -> sw.Plan:
        return best_schedule(now, self.expected(now), self.wear)

    def expected(self, now: sw.Now) -> np.ndarray:
        days = 7 if now.period.isoweekday() in (1, 6, 7) else 1
        return now.past.filter(pl.col("day") == now.period - timedelta(days=days))["price"].to_numpy()


@battery.policy
class SimilarDayWithoutWear(SimilarDay):
    """The same, as if discharging cost nothing."""

    wear = 0.0


@battery.policy
class SameWeekdays(SimilarDay):
    """Expects the mean of the last four days of the same weekday."""

    memory = "28d"

    def expected(self, now: sw.Now) -> np.ndarray:
        same = now.past.filter(pl.col("day").dt.weekday() == now.period.isoweekday())
        return same.group_by("hour").agg(pl.col("price").mean()).sort("hour")["price"].to_numpy()


@battery.policy
def price_forecast() -> sw.Policy:
    return forecast.forecast_then_schedule()
