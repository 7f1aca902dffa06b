"""A made-up town: 60 customers around a depot, of whom 20 to 40 order something for tomorrow."""

from datetime import date, timedelta

import numpy as np
import polars as pl

CUSTOMERS = 60
DAYS = 240
FIRST = date(2025, 1, 1)


def orders() -> pl.DataFrame:
    """One row per day and customer who ordered: where he lives, and how many crates he then took. Always the same town."""
    rng = np.random.default_rng(11)
    x_km, y_km = rng.uniform(-15, 15, size=(2, CUSTOMERS)).round(2)
    crates = rng.lognormal(2.5, 0.4, size=CUSTOMERS)
    at_weekends = rng.choice([0.6, 1.0, 1.7], size=CUSTOMERS)  # offices, shops, bars
    rows = []
    for day in (FIRST + timedelta(days=n) for n in range(DAYS)):
        busy = at_weekends if day.isoweekday() >= 5 else 1.0 / at_weekends
        summer = 1.0 + 0.2 * np.sin(2 * np.pi * day.timetuple().tm_yday / 365)
        demand = rng.poisson(crates * busy * summer * rng.gamma(20.0, 1 / 20, size=CUSTOMERS))
        for customer in sorted(rng.choice(CUSTOMERS, size=rng.integers(20, 41), replace=False)):
            place = {"x_km": float(x_km[customer]), "y_km": float(y_km[customer])}
            rows.append({"day": day, "customer": f"c{customer:02d}", **place, "crates": int(demand[customer])})
    return pl.DataFrame(rows)


def with_what_was_usual(orders: pl.DataFrame) -> pl.DataFrame:
    """Adds what each customer took last time, and on average of the last six times; 15 where he is new."""
    before = pl.col("crates").shift(1)
    return orders.with_columns(
        last=before.over("customer", order_by="day").fill_null(15),
        usual=before.rolling_mean(6, min_samples=1).over("customer", order_by="day").fill_null(15.0),
    )
