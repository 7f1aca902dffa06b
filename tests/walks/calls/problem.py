"""Whom to call this month: a yes or no per contact, within 30 % of what calling everybody would cost."""

import os

import numpy as np
import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

import shipworthy as sw

CLIENT = ["age", "campaign", "pdays", "previous"]
ECONOMY = ["emp.var.rate", "cons.price.idx", "cons.conf.idx", "euribor3m", "nr.employed"]
WORDS = ["job", "marital", "education", "default", "housing", "loan", "contact", "day_of_week", "poutcome"]


def contacts(raw: pl.DataFrame) -> pl.DataFrame:
    return raw.with_columns(
        bought=(pl.col("y") == "yes").cast(pl.Int64),
        cost=pl.when(pl.col("contact") == "cellular").then(5.0).otherwise(8.0),
        earlier_success=(pl.col("poutcome") == "success").cast(pl.Int64),
    ).drop("y", "month")


calls = sw.Problem(
    "calls",
    rows=sw.parquet(os.environ["CALLS_DATA"]).then(contacts),
    period="contact_month",
    unit="seq",
    outcome="bought",
    known_after=("duration",),  # how long a call took is known when it is over
    decision="call",
    periods_per_year=12,
    warm_up="26w",
)


@calls.value
def profit(happened):
    return pl.col("call") * (90 * pl.col("bought") - pl.col("cost"))


@calls.constraint
def budget(decided):
    return (pl.col("call") * pl.col("cost")).sum() <= 0.3 * pl.col("cost").sum()


def within_budget(now, score):
    """Calls the contacts with the highest score until the budget is spent."""
    cost = now.rows["cost"].to_numpy()
    best = np.argsort(-score, kind="stable")
    affordable = np.cumsum(cost[best]) <= 0.3 * cost.sum()
    call = np.zeros(len(cost))
    call[best[affordable]] = 1
    return call


@calls.policy(champion=True)
class EarlierBuyers(sw.Policy):  # those who bought in an earlier campaign first
    def decide(self, now, fitted):
        return within_budget(now, now.rows["earlier_success"].to_numpy().astype(float))


class Chance(HistGradientBoostingClassifier):  # of a yes, rather than the likelier answer
    def predict(self, X):
        return self.predict_proba(X)[:, 1]


@calls.policy
def likeliest_buyers():
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    model = make_pipeline(
        make_column_transformer((codes, WORDS), remainder="passthrough"),
        Chance(max_iter=40, min_samples_leaf=50, random_state=1),
    )
    features = [*CLIENT, *ECONOMY, *WORDS]
    return sw.PredictThenOptimize(model=model, features=features, target="bought", optimise=within_budget, refit="4w")
