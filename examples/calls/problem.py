"""A bank's campaign: whom to call this month, for 30 % of what calling everybody would cost.

Each month brings a batch of contacts. Which of them would subscribe to a deposit when called is known from the calls that
the bank made: it called all of them, so history can say what calling fewer would have earned.
"""

from collections.abc import Mapping

import forecast
import polars as pl
import source
from choice import SHARE, WORTH, within_budget

import shipworthy as sw


def with_money(raw: pl.DataFrame) -> pl.DataFrame:
    return raw.with_columns(
        bought=(pl.col("y") == "yes").cast(pl.Int64),
        cost=pl.when(pl.col("contact") == "cellular").then(5.0).otherwise(8.0),
    ).drop("y", "month")


calls = sw.Problem(
    "calls",
    rows=sw.frame(source.contacts).then(with_money),
    period="contact_month",
    unit="seq",
    outcome="bought",
    outcome_delay="4w",  # a month's calls are over when the next month is decided
    known_after=("duration",),  # how long a call took is known when it is over
    decision="call",  # 1 or 0
    currency="EUR",
    counterfactual=True,
    periods_per_year=12,
    warm_up="26w",  # the replay begins in November 2008, with five months to learn from
    assumptions={"worth": WORTH, "call_costs": 1.0},  # EUR a subscription brings in; a factor on what calls cost
)


@calls.value
def profit(happened: pl.DataFrame, assumed: Mapping[str, float]) -> pl.Expr:
    """What the subscriptions of those called bring in, less what the calls cost."""
    return pl.col("call") * (assumed["worth"] * pl.col("bought") - assumed["call_costs"] * pl.col("cost"))


@calls.constraint
def yes_or_no(decided: pl.DataFrame) -> pl.Expr:
    return pl.col("call").is_in([0, 1])


@calls.constraint
def budget(decided: pl.DataFrame) -> pl.Expr:
    return (pl.col("call") * pl.col("cost")).sum() <= SHARE * pl.col("cost").sum() + 1e-6


@calls.policy(champion=True)
class EarlierOutcome(sw.Policy):
    """Expects of each contact what those with the same outcome of an earlier campaign did in the months before."""

    refit = "4w"

    def fit(self, past: pl.DataFrame) -> pl.DataFrame:
        return past.group_by("poutcome").agg(chance=pl.col("bought").mean())

    def decide(self, now: sw.Now, fitted: pl.DataFrame) -> pl.DataFrame:
        chance = now.rows.join(fitted, on="poutcome", how="left", maintain_order="left")["chance"]
        return within_budget(now, chance.fill_null(0.0).to_numpy())


@calls.policy
def likeliest_buyers() -> sw.Policy:
    return forecast.chance_then_choose([*forecast.CLIENT, *forecast.ECONOMY, *forecast.WORDS])


@calls.policy
def likeliest_buyers_by_duration() -> sw.Policy:
    """The same with the duration of the call, which nobody knows before it."""
    return forecast.chance_then_choose([*forecast.CLIENT, *forecast.ECONOMY, *forecast.WORDS, "duration"])
