"""Forecast each contact's chance of a subscription from what is known before the call."""

import numpy as np
import polars as pl
from choice import within_budget
from lightgbm import LGBMClassifier

import shipworthy as sw

CLIENT = ["age", "campaign", "pdays", "previous"]
ECONOMY = ["emp.var.rate", "cons.price.idx", "cons.conf.idx", "euribor3m", "nr.employed"]
WORDS = ["job", "marital", "education", "default", "housing", "loan", "contact", "day_of_week", "poutcome"]


class Chance:
    """A gradient boosting that gives the chance of a yes; words become the numbers they had when it was fitted."""

    def fit(self, X: pl.DataFrame, y: np.ndarray) -> "Chance":
        self.words = {name: X[name].unique().sort().to_list() for name in X.columns if X[name].dtype == pl.String}
        self.model = LGBMClassifier(
            n_estimators=100,
            learning_rate=0.05,
            num_leaves=15,
            min_child_samples=50,
            n_jobs=1,
            deterministic=True,
            force_col_wise=True,
            random_state=1,
            verbose=-1,
        )
        places = [X.columns.index(name) for name in self.words]
        self.model.fit(self.numbers(X), y, categorical_feature=places)
        return self

    def predict(self, X: pl.DataFrame) -> np.ndarray:
        return self.model.predict_proba(self.numbers(X))[:, 1]

    def numbers(self, X: pl.DataFrame) -> np.ndarray:
        """Every column as numbers; a word that is new is missing."""
        coded = [
            pl.col(name).replace_strict(words, range(len(words)), default=None) for name, words in self.words.items()
        ]
        return X.with_columns(coded).cast(pl.Float64).to_numpy()


def chance_then_choose(features: list[str]) -> sw.Policy:
    """Fitted anew for each month, on all months before."""
    return sw.PredictThenOptimize(
        model=Chance(), features=features, target="bought", optimise=within_budget, refit="4w"
    )
