"""What a customer is offered: 200 trees on 20 features, each customer decided alone. A problem to measure the service with."""

import lightgbm
import numpy as np
import polars as pl

import shipworthy as sw

FEATURES = [f"f{place:02}" for place in range(20)]
CUSTOMERS, DAYS = 2000, 4


def rows() -> pl.DataFrame:
    """Every customer on every day, with features and a response that trees can learn."""
    random = np.random.default_rng(7)
    features = random.normal(size=(CUSTOMERS * DAYS, len(FEATURES))).round(4)
    response = np.abs(features[:, 0] * 3 + features[:, 1] * features[:, 2] + random.normal(size=len(features)))
    return pl.DataFrame(features, schema=FEATURES).select(
        *FEATURES,
        day=pl.Series(np.repeat(np.arange(1, DAYS + 1), CUSTOMERS)),
        customer=pl.Series(np.tile(np.arange(CUSTOMERS), DAYS)),
        response=pl.Series(response),
    )


scoring = sw.Problem(
    "scoring", rows=sw.frame(rows), period="day", unit="customer", outcome="response", decision="offer"
)


@scoring.value
def profit(happened: pl.DataFrame) -> pl.Expr:
    """What an offer earns beyond its cost."""
    return pl.min_horizontal("offer", "response") - 0.3 * pl.col("offer")


@scoring.constraint
def affordable(decided: pl.DataFrame) -> pl.Expr:
    return pl.col("offer").is_between(-100, 100)


class Trees:
    """LightGBM as it is fastest: the booster itself, on one thread."""

    def fit(self, X, y):
        parameters = {"num_leaves": 31, "verbose": -1, "num_threads": 1, "deterministic": True}
        self.booster = lightgbm.train(parameters, lightgbm.Dataset(X, y), num_boost_round=200)
        return self

    def predict(self, X):
        return self.booster.predict(X, num_threads=1)


@scoring.policy(champion=True)
def trees() -> sw.Policy:
    return sw.PredictThenOptimize(model=Trees(), features=FEATURES, target="response", row_wise=True)
