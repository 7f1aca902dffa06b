"""A bakery with three kinds of bread: how many loaves to bake for tomorrow.

Change it into your own problem from the top: rows, then the names of the columns, then value, constraints and policies.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import polars as pl

import shipworthy as sw


def made_up_rows() -> pl.DataFrame:
    """400 days of made-up demand. Put your own here: sw.parquet("rows.parquet") or sw.csv("rows.csv")."""
    rng = np.random.default_rng(7)
    days = [date(2025, 1, 1) + timedelta(days=i) for i in range(400)]
    busy = {5: 1.5, 6: 1.8}
    return pl.DataFrame(
        [
            {"day": day, "bread": bread, "demand": int(rng.poisson(mean * busy.get(day.weekday(), 1.0)))}
            for day in days
            for bread, mean in (("rye", 40), ("spelt", 25), ("white", 60))
        ]
    )


bakery = sw.Problem(
    "bakery",
    rows=sw.frame(made_up_rows),
    period="day",
    unit="bread",
    outcome="demand",  # known one day after it was decided
    outcome_delay="1d",
    decision="loaves",
    currency="EUR",
    assumptions={"price": 3.0, "unit_cost": 1.0},  # EUR a loaf; the analysis says how wrong they may be
)


@bakery.value
def profit(happened: pl.DataFrame, assumed: Mapping[str, float]) -> pl.Expr:
    """What is sold brings in its price, and what is baked costs."""
    return assumed["price"] * pl.min_horizontal("loaves", "demand") - assumed["unit_cost"] * pl.col("loaves")


@bakery.constraint
def fits_the_oven(decided: pl.DataFrame) -> pl.Expr:
    return pl.col("loaves").sum() <= 300


@bakery.guardrail(margin=0.05, better="lower")
def sold_out(happened: pl.DataFrame) -> pl.Expr:
    return (pl.col("demand") > pl.col("loaves")).cast(pl.Float64)


@bakery.oracle
def demand_known(now: sw.Now, happened: pl.DataFrame) -> pl.Series:
    """What would have been baked, had the demand been known: the most that any idea can earn. You may leave it out."""
    return happened["demand"]


@bakery.policy(champion=True)
class Yesterday(sw.Policy):
    """As many as were asked for yesterday."""

    memory = "1d"

    def decide(self, now: sw.Now, fitted: None) -> pl.DataFrame:
        yesterday = now.past.select("bread", loaves="demand")
        return now.rows.select("bread").join(yesterday, on="bread", how="left", maintain_order="left")


@bakery.policy
class SameWeekday(sw.Policy):
    """The mean of the last four same weekdays, and a tenth more, since a lost sale costs more than a loaf left over."""

    memory = "28d"

    def decide(self, now: sw.Now, fitted: None) -> pl.DataFrame:
        same = now.past.filter(pl.col("day").dt.weekday() == now.period.isoweekday())
        mean = same.group_by("bread").agg(loaves=(pl.col("demand").mean() * 1.1).round())
        return now.rows.select("bread").join(mean, on="bread", how="left", maintain_order="left")
