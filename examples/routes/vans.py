"""What a van can carry and costs, and what a day of driving comes to when the real demand is known."""

from collections.abc import Mapping

import numpy as np
import polars as pl

VANS = 8
CRATES = 150  # in one van
OVERLOAD = 1.25  # how far above that a van may be planned, by what is usual
SHIFT_MINUTES = 270
LATEST_MINUTES = 360  # who has not been reached by then goes without

EUR_PER_VAN = 45.0
EUR_PER_KM = 0.9
EUR_PER_OVERTIME_MINUTE = 1.0
EUR_PER_CRATE_NOT_DELIVERED = 6.0

KM_PER_MINUTE = 40 / 60
MINUTES_PER_STOP = 5.0
MINUTES_PER_CRATE = 0.5


def kilometres(x_km: np.ndarray, y_km: np.ndarray) -> np.ndarray:
    """The distances between all places, the depot at the origin being the first."""
    x, y = np.append(0.0, x_km), np.append(0.0, y_km)
    return np.hypot(x[:, None] - x, y[:, None] - y)


PRICES = {
    "van": EUR_PER_VAN,
    "km": EUR_PER_KM,
    "overtime_minute": EUR_PER_OVERTIME_MINUTE,
    "lost_crate": EUR_PER_CRATE_NOT_DELIVERED,
}


def cost(driven: pl.DataFrame, prices: Mapping[str, float] = PRICES) -> pl.DataFrame:
    """What each stop cost, and whether it was reached: columns `eur` and `reached`, in the order of the rows.

    A van visits its customers in the order of `stop`. When it has run out of crates it drives to the depot and back to
    the customer who still wants some. The way home and overtime are charged to the last stop.
    What a van, a kilometre, a minute of overtime and a crate not delivered cost is what `prices` say.
    """
    route = ["day", "van"]
    taken = pl.col("crates").cum_sum()
    here = [pl.col("x_km"), pl.col("y_km")]
    before = [place.shift(1).over(route, order_by="stop").fill_null(0.0) for place in here]
    from_depot = (here[0] ** 2 + here[1] ** 2).sqrt()
    leg = ((here[0] - before[0]) ** 2 + (here[1] - before[1]) ** 2).sqrt()
    loads = ((taken - 1).clip(0) // CRATES).over(route, order_by="stop")
    reloads = loads - loads.shift(1).over(route, order_by="stop").fill_null(0)
    is_last = pl.col("stop") == pl.col("stop").max().over(route)
    table = (
        driven.with_row_index("place")
        .with_columns(reloads=reloads, leg=leg, from_depot=from_depot, is_last=is_last)
        .with_columns(km=pl.col("leg") + 2 * pl.col("reloads") * pl.col("from_depot"))
        .with_columns(minutes=pl.col("km") / KM_PER_MINUTE + MINUTES_PER_STOP + MINUTES_PER_CRATE * pl.col("crates"))
        .with_columns(until=pl.col("minutes").cum_sum().over(route, order_by="stop"))
        .with_columns(reached=pl.col("until") <= LATEST_MINUTES)
    )
    home_km = pl.when("is_last").then(pl.col("from_depot")).otherwise(0.0)
    back = pl.col("until") + home_km / KM_PER_MINUTE
    overtime = pl.when("is_last").then((back - SHIFT_MINUTES).clip(0, LATEST_MINUTES - SHIFT_MINUTES)).otherwise(0.0)
    lost = pl.when("reached").then(0.0).otherwise(prices["lost_crate"] * pl.col("crates"))
    van = pl.when("is_last").then(prices["van"]).otherwise(0.0)
    eur = van + prices["km"] * (pl.col("km") + home_km) + prices["overtime_minute"] * overtime + lost
    return table.sort("place").select("reached", eur=eur)
