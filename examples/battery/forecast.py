"""Forecast the 24 prices of a day from the calendar, the prices of days before, and the forecasts of load and wind."""

import polars as pl
from lightgbm import LGBMRegressor
from schedule import best_schedule

import shipworthy as sw

FEATURES = [
    "hour",
    "weekday",
    "day_of_year",
    "lag_1",
    "lag_2",
    "lag_3",
    "lag_7",
    "mean_1",
    "last_1",
    "week",
    "load_mw",
    "load_change",
    "wind_mw",
    "wind_change",
]


def past_and_calendar(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds the calendar, what the same hour cost on days before, and how load and wind are to change since yesterday."""

    def ago(column: str, days: int) -> pl.Expr:
        return pl.col(column).shift(days).over("hour", order_by="day")

    days = rows.group_by("day").agg(mean=pl.col("price").mean(), last=pl.col("price").sort_by("hour").last())
    days = days.sort("day").select(
        "day",
        mean_1=pl.col("mean").shift(1),
        last_1=pl.col("last").shift(1),
        week=pl.col("mean").shift(1).rolling_mean(7),
    )
    return rows.join(days, on="day", how="left", maintain_order="left").with_columns(
        weekday=pl.col("day").dt.weekday(),
        day_of_year=pl.col("day").dt.ordinal_day(),
        load_change=pl.col("load_mw") - ago("load_mw", 1),
        wind_change=pl.col("wind_mw") - ago("wind_mw", 1),
        **{f"lag_{days}": ago("price", days) for days in (1, 2, 3, 7)},
    )


def forecast_then_schedule() -> sw.Policy:
    """One gradient boosting for all hours, fitted again each month on the last 1,100 days.

    What a schedule earns is linear in the prices, so their mean is what it needs: the squared error is the right one.
    """
    model = LGBMRegressor(
        n_estimators=300,
        learning_rate=0.05,
        n_jobs=1,
        deterministic=True,
        force_col_wise=True,
        random_state=1,
        verbose=-1,
    )
    return sw.PredictThenOptimize(
        model=model,
        features=FEATURES,
        target="price",
        derive=past_and_calendar,
        optimise=best_schedule,
        memory="8d",
        train_window="1100d",
        refit="30d",
        time_limit=5.0,
    )
