"""Forecast the distribution of each dish's demand, then fill the kitchen with the portions that earn most."""

import highspy
import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingRegressor

import shipworthy as sw
from shipworthy.solvers import highs

LEVELS = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
CALENDAR_AND_PAST = [
    "dish_code",
    "weekday",
    "day_of_year",
    "is_holiday",
    "is_closed",
    "lag_1",
    "lag_7",
    "same_day",
    "month",
]


class Quantiles:
    """One gradient-boosted quantile regression per level: anything with fit and predict is a model."""

    def fit(self, X, y):
        self.models = [
            HistGradientBoostingRegressor(
                loss="quantile",
                quantile=level,
                max_iter=50,
                learning_rate=0.1,
                min_samples_leaf=30,
                max_leaf_nodes=15,
                random_state=1,
            ).fit(X, y)
            for level in LEVELS
        ]
        return self

    def predict(self, X):
        """A matrix with one column per level; sorted, so that levels never cross."""
        return np.sort(np.column_stack([model.predict(X) for model in self.models]), axis=1)


def calendar_and_past(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds the calendar, and what the demand of the same dish was on days before."""
    demand = pl.col("demand")
    same_weekday = [demand.shift(7 * week).over("dish", order_by="date") for week in range(1, 5)]
    return rows.with_columns(
        dish_code=pl.col("dish").rank("dense"),
        weekday=pl.col("date").dt.weekday(),
        day_of_year=pl.col("date").dt.ordinal_day(),
        lag_1=demand.shift(1).over("dish", order_by="date"),
        lag_7=same_weekday[0],
        same_day=pl.mean_horizontal(same_weekday),
        month=demand.shift(1).rolling_mean(28, min_samples=7).over("dish", order_by="date"),
    )


def fill_kitchen(now: sw.Now, forecast: np.ndarray, minutes: float) -> sw.Plan:
    """Whole portions of the highest expected profit within the minutes, by HiGHS.

    Between two levels of the forecast every further portion is sold with the probability that demand lies above; so
    a dish's expected profit is a concave chain of segments, and the solver fills the best of them first. A forecast
    of one number per dish is taken for certain: all up to it is sold.
    """
    model = highs.empty_model()
    is_certain = forecast.ndim == 1
    edges = np.hstack([np.zeros((len(forecast), 1)), np.clip(forecast.reshape(len(forecast), -1), 0, None)])
    between = np.concatenate([[LEVELS[0] / 2], (LEVELS[:-1] + LEVELS[1:]) / 2])
    sold_with = np.ones(1) if is_certain else 1 - between
    portions = []
    for dish, width in zip(now.rows.iter_rows(named=True), np.diff(edges, axis=1), strict=True):
        gain = dish["price_eur"] - dish["salvage_eur"]
        loss = dish["unit_cost_eur"] - dish["salvage_eur"]
        segments = [
            model.addVariable(lb=0, ub=float(wide), obj=float(gain * chance - loss))
            for wide, chance in zip(width, sold_with, strict=True)
        ]
        portion = model.addIntegral(lb=0)
        model.addConstr(sum(segments) == portion)
        portions.append(portion)
    model.addConstr(sum(m * p for m, p in zip(now.rows["prep_minutes"], portions, strict=True)) <= minutes)
    model.changeObjectiveSense(highspy.ObjSense.kMaximize)
    solved = highs.solve(model, now)
    return solved.plan(np.round([solved.solution.val(portion) for portion in portions]))


def quantiles_then_fill(features: list[str], minutes: float) -> sw.Policy:
    return sw.PredictThenOptimize(
        model=Quantiles(),
        features=features,
        target="demand",
        derive=calendar_and_past,
        optimise=lambda now, forecast: fill_kitchen(now, forecast, minutes),
        memory="35d",
        refit="28d",
        time_limit=5.0,
    )
