"""Two ways to plan the vans of a day: as the drivers always did, and by a forecast and PyVRP."""

import numpy as np
import polars as pl
import pyvrp
import vans
from sklearn.ensemble import HistGradientBoostingRegressor

import shipworthy as sw
from shipworthy.solvers import vrp

FEATURES = ["customer_code", "weekday", "last", "usual", "same_kind_of_day"]
UNITS_PER_EUR = 10_000  # PyVRP counts in whole numbers: metres, seconds and hundredths of a cent


def around_the_clock(now: sw.Now) -> list[list[int]]:
    """The drivers' rule: around the depot by the clock, the next van when the last one is full of what was taken last time.

    Within a van they always drive to the nearest customer who is left.
    """
    angle = np.arctan2(now.rows["y_km"], now.rows["x_km"])
    last, usual = now.rows["last"].to_numpy(), now.rows["usual"].to_numpy()
    routes: list[list[int]] = [[]]
    for customer in np.argsort(angle, kind="stable"):
        with_him = [*routes[-1], int(customer)]
        fits = last[with_him].sum() <= vans.CRATES and usual[with_him].sum() <= vans.OVERLOAD * vans.CRATES
        if fits or not routes[-1]:
            routes[-1] = with_him
        else:
            routes.append([int(customer)])
    km = vans.kilometres(now.rows["x_km"].to_numpy(), now.rows["y_km"].to_numpy())
    return [nearest_next(route, km) for route in routes]


def nearest_next(route: list[int], km: np.ndarray) -> list[int]:
    left, order, here = set(route), [], 0
    while left:
        nearest = min(left, key=lambda customer: (km[here, customer + 1], customer))
        left.remove(nearest)
        order.append(nearest)
        here = nearest + 1
    return order


def decisions(now: sw.Now, routes: list[list[int]]) -> pl.DataFrame:
    """Routes as decisions: one row per customer, in the order of the rows."""
    van, stop = np.zeros(now.rows.height, dtype=int), np.zeros(now.rows.height, dtype=int)
    for number, route in enumerate(routes, start=1):
        van[route], stop[route] = number, np.arange(1, len(route) + 1)
    return now.rows.select("customer").with_columns(van=pl.Series(van), stop=pl.Series(stop))


def calendar_and_past(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds the weekday, and what the customer took on the last three such days: at the end of a week, or in its course."""
    at_the_end = pl.col("day").dt.weekday() >= 5
    before = pl.col("crates").shift(1).rolling_mean(3, min_samples=1)
    return rows.with_columns(
        customer_code=pl.col("customer").rank("dense"),
        weekday=pl.col("day").dt.weekday(),
        same_kind_of_day=before.over("customer", at_the_end, order_by="day"),
    )


def by_pyvrp(now: sw.Now, forecast: np.ndarray, *, margin: float, iterations: int) -> sw.Plan:
    """The cheapest routes that PyVRP finds for the forecast demand and a margin above it."""
    crates = np.ceil(forecast * margin).astype(int)
    usual = np.ceil(now.rows["usual"].to_numpy() * 100).astype(int)
    metres = np.rint(1000 * vans.kilometres(now.rows["x_km"].to_numpy(), now.rows["y_km"].to_numpy())).astype(int)
    seconds = np.rint(metres * 60 / 1000 / vans.KM_PER_MINUTE).astype(int)
    model = pyvrp.Model()
    places = [model.add_location(0, 0) for _ in metres]
    model.add_depot(places[0])
    for place, wanted, known in zip(places[1:], crates, usual, strict=True):
        minutes = vans.MINUTES_PER_STOP + vans.MINUTES_PER_CRATE * wanted
        model.add_client(place, delivery=[int(wanted), int(known)], service_duration=round(60 * minutes))
    model.add_vehicle_type(
        vans.VANS,
        capacity=[vans.CRATES, int(100 * vans.OVERLOAD * vans.CRATES)],  # the second is the constraint `not_overloaded`
        fixed_cost=round(vans.EUR_PER_VAN * UNITS_PER_EUR),
        unit_distance_cost=round(vans.EUR_PER_KM * UNITS_PER_EUR / 1000),
        shift_duration=60 * vans.SHIFT_MINUTES,
        max_overtime=60 * (vans.LATEST_MINUTES - vans.SHIFT_MINUTES),
        unit_overtime_cost=round(vans.EUR_PER_OVERTIME_MINUTE * UNITS_PER_EUR / 60),
    )
    for a, one in enumerate(places):
        for b, other in enumerate(places):
            model.add_edge(one, other, distance=int(metres[a, b]), duration=int(seconds[a, b]))
    solved = vrp.solve(model, now, work_limit=iterations)
    routes = [[visit.idx for visit in route.schedule() if visit.is_client()] for route in solved.solution.best.routes()]
    return solved.plan(decisions(now, routes))


def forecast_and_pyvrp(*, iterations: int) -> sw.Policy:
    return sw.PredictThenOptimize(
        model=HistGradientBoostingRegressor(loss="poisson", max_iter=60, min_samples_leaf=20, random_state=1),
        features=FEATURES,
        target="crates",
        derive=calendar_and_past,
        optimise=lambda now, forecast: by_pyvrp(now, forecast, margin=1.1, iterations=iterations),
        memory="60d",
        refit="28d",
    )
