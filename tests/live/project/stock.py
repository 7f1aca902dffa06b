"""How many of each fruit a stall lays in: three units a day, and policies that look back three days."""

import time
from datetime import date, timedelta

import polars as pl
from attacks import ATTACKS  # type: ignore[import-not-found]  # found where the project is

import shipworthy as sw

FRUITS = ("apple", "fig", "plum")
FIRST = date(2026, 1, 1)


def rows() -> pl.DataFrame:
    """Thirty days with a pattern that a mean of three days can follow."""
    return pl.DataFrame(
        [
            {
                "day": FIRST + timedelta(days=day),
                "fruit": fruit,
                "price": 1.5 + place,
                "is_market": day % 7 == 0,
                "sold": 4 * place + day % 5,
                "weather": 10.0 + day % 3,
            }
            for day in range(30)
            for place, fruit in enumerate(FRUITS)
        ]
    )


stock = sw.Problem(
    "stock",
    rows=sw.frame(rows),
    period="day",
    unit="fruit",
    outcome="sold",
    decision="laid_in",
    known_after=("weather",),
)


@stock.value
def profit(happened: pl.DataFrame) -> pl.Expr:
    """Money for what was sold, less half the price of what was laid in."""
    return pl.min_horizontal("laid_in", "sold") * pl.col("price") - pl.col("laid_in") * pl.col("price") / 2


@stock.constraint
def room(decided: pl.DataFrame) -> pl.Expr:
    return pl.col("laid_in").sum() <= 1000


@stock.policy(champion=True)
class MeanOfThreeDays(sw.Policy):
    """As many as were sold on average on the last three days; one where nothing is known."""

    memory = "3d"

    def decide(self, now: sw.Now, fitted: None) -> pl.DataFrame:
        means = now.past.group_by("fruit").agg(laid_in=pl.col("sold").mean())
        return now.rows.join(means, on="fruit", how="left", maintain_order="left").select(
            "fruit", pl.col("laid_in").fill_null(1.0)
        )


@stock.policy
class OneMore(MeanOfThreeDays):
    """The same and one more."""

    def decide(self, now: sw.Now, fitted: None) -> pl.DataFrame:
        return super().decide(now, fitted).with_columns(pl.col("laid_in") + 1)


@stock.policy
class Broken(sw.Policy):
    """Raises on market days, when its fallback has to decide; decides too much otherwise."""

    def decide(self, now: sw.Now, fitted: None) -> pl.DataFrame:
        if now.rows["is_market"].any():
            raise ValueError("no idea what to do on market days")
        return now.rows.select("fruit", laid_in=pl.lit(10_000.0))


@stock.policy
class Slow(MeanOfThreeDays):
    """Takes a second to decide the same."""

    def decide(self, now: sw.Now, fitted: None) -> pl.DataFrame:
        time.sleep(1.0)
        return super().decide(now, fitted)


@stock.policy
class Attacker(MeanOfThreeDays):
    """Decides the same, after an attack on the world around it that the prices choose: which one, and on which port's folder."""

    def decide(self, now: sw.Now, fitted: None) -> pl.DataFrame:
        which, port = now.rows["price"].to_list()[:2]
        if which >= 50:
            ATTACKS[int(which) - 50](now, round(port * 1000))
        return super().decide(now, fitted)
