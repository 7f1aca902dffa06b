"""A complete way to decide: features, model and optimiser behind `fit` and `decide`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shipworthy.errors import UserCodeError
from shipworthy.problem.now import Now
from shipworthy.problem.plan import Plan

Decisions = pl.DataFrame | pl.Series | NDArray[Any] | Sequence[Any] | Plan
"""What `decide` may return: see `Plan.decisions`."""


class Model(Protocol):
    """Anything with `fit` and `predict`: scikit-learn, LightGBM, XGBoost, CatBoost, skorch."""

    def fit(self, X: Any, y: Any) -> Any:
        """Learns from a matrix of features and a vector of outcomes."""

    def predict(self, X: Any) -> Any:
        """Forecasts one value, or one row of values, per row of X."""


class Policy:
    """Decides one period at a time. Subclass it and write `decide`; write `fit` where something is learnt.

    The policy itself is code and carries nothing from one period to the next: what `fit` returns is handed to `decide`, and is
    what a release packs: plain values, arrays, frames, models of scikit-learn, LightGBM or XGBoost, and objects of the project's
    own classes that hold these.

    Attributes:
        memory: How far back `now.past` reaches; "0d" where deciding needs no history.
        train_window: How far back `fit` looks; None means all there is.
        gap: How long before its first period what `fit` sees ends: training takes time, and labels mature.
        refit: How often it is fitted again, in research and in production; None means once.
        time_limit: Seconds one decision may take before the fallback decides.
        row_wise: True where each unit is decided on its own row alone, so that requests may be split by unit.
        pickled: True where a release may hold what `fit` returned as a pickle, because it cannot be kept as data: opening
            the release then runs whatever the pickle says. Its manifest and `shipworthy ship` tell.

    >>> class Same(Policy):
    ...     def decide(self, now, fitted):
    ...         return now.rows.select("shop", decision=pl.lit(1.0))
    >>> rows = pl.DataFrame({"day": [3], "shop": ["a"]})
    >>> Same().decide(Now(period=3, key=("day", "shop"), rows=rows, past=rows.clear()), None)["decision"].to_list()
    [1.0]
    """

    memory: str = "0d"
    train_window: str | None = None
    gap: str = "0d"
    refit: str | None = None
    time_limit: float | None = None
    row_wise: bool = False
    pickled: bool = False
    features: Sequence[str] = ()

    def fit(self, past: pl.DataFrame) -> Any:
        """Learns from all rows known by now; what it returns is handed to `decide`."""
        del past

    def decide(self, now: Now, fitted: Any) -> Decisions:
        """Decides every unit of `now.rows`."""
        raise NotImplementedError(f"{type(self).__name__} has no decide(self, now, fitted).")

    def looks(self, fitted: Any) -> int:
        """How many candidates `fit` chose among; 0 where it does not search. They are counted as evidence is made."""
        del fitted
        return 0

    def foresee(self, now: Now, outcome: pl.Series) -> Decisions:
        """Decides as `decide` would with a perfect forecast: the measure of what a better one could still earn.

        It is asked by the replay of perfect foresight alone, without a fit; nothing that decides is ever shown an outcome.

        Args:
            now: What `decide` gets.
            outcome: What will happen to each unit, in the order of `now.rows`; named like the outcome's column.
        """
        del now, outcome
        raise NotImplementedError(f"{type(self).__name__} has no foresight. Write foresee(self, now, outcome).")


def _unchanged(table: pl.DataFrame) -> pl.DataFrame:
    return table


@dataclass(kw_only=True)
class PredictThenOptimize(Policy):
    """Any model, then any optimiser: forecast the outcome from features, decide from the forecast.

    Attributes:
        model: Anything with `fit` and `predict`; it is copied for each fit.
        features: The columns the model reads, of the rows or made by `derive`.
        target: The outcome that the model forecasts.
        derive: Adds feature columns to a table of rows. It gets the known past followed by the rows to decide, whose
            outcome is null, and may therefore look back (lags, rolling means) but never finds anything ahead.
        optimise: Turns `(now, forecast)` into decisions; None means the forecast is the decision.

    >>> class Mean:
    ...     def fit(self, X, y):
    ...         self.mean = y.mean()
    ...         return self
    ...     def predict(self, X):
    ...         return np.full(len(X), self.mean)
    >>> policy = PredictThenOptimize(model=Mean(), features=["size"], target="sold")
    >>> past = pl.DataFrame({"day": [1, 2], "shop": ["a", "a"], "size": [1.0, 1.0], "sold": [2.0, 4.0]})
    >>> fitted = policy.fit(past)
    >>> rows = pl.DataFrame({"day": [3], "shop": ["a"], "size": [1.0]})
    >>> policy.decide(Now(period=3, key=("day", "shop"), rows=rows, past=past.clear()), fitted)
    array([3.])
    """

    model: Model
    features: Sequence[str]
    target: str
    derive: Callable[[pl.DataFrame], pl.DataFrame] = _unchanged
    optimise: Callable[[Now, NDArray[Any]], Decisions] | None = None
    memory: str = "0d"
    train_window: str | None = None
    gap: str = "0d"
    refit: str | None = "28d"
    time_limit: float | None = None
    row_wise: bool = False
    pickled: bool = False

    def fit(self, past: pl.DataFrame) -> Model:
        """Fits a copy of the model on every past row whose outcome is there."""
        table = self.derive(past).filter(pl.col(self.target).is_not_null())
        if table.is_empty():
            raise UserCodeError(f"There is no row with a known {self.target!r} to fit {type(self.model).__name__} on.")
        model = deepcopy(self.model)
        model.fit(self.matrix(table), table[self.target].to_numpy())
        return model

    def decide(self, now: Now, fitted: Any) -> Decisions:
        """Forecasts the outcome of each unit and optimises on the forecast."""
        forecast = np.asarray(fitted.predict(self.matrix(self.table(now))))
        return forecast if self.optimise is None else self.optimise(now, forecast)

    def foresee(self, now: Now, outcome: pl.Series) -> Decisions:
        """Optimises on the outcome in the forecast's place, one number per unit; override it where yours needs more.

        Raises:
            UserCodeError: the model forecasts something else than the outcome.
        """
        if outcome.name != self.target:
            raise UserCodeError(
                f"The model forecasts {self.target!r}, not the outcome {outcome.name!r}: there is no perfect forecast of "
                "it. Write foresee(self, now, outcome), or declare the problem's oracle."
            )
        known = outcome.to_numpy()
        return known if self.optimise is None else self.optimise(now, known)

    def table(self, now: Now) -> pl.DataFrame:
        """The rows to decide with their derived features, in the order of `now.rows`."""
        if self.derive is _unchanged:
            return now.rows
        given = pl.concat([now.past, now.rows], how="diagonal_relaxed")
        derived = self.derive(given)
        key = list(now.key)
        last = derived.tail(now.rows.height)
        if derived.height == given.height and all(last[name].equals(now.rows[name]) for name in key):
            return last  # derive() kept rows and order, and there is nothing to look up
        table = now.rows.select(key).join(derived, on=key, how="left", maintain_order="left")
        if table.height != now.rows.height:
            raise UserCodeError(f"derive() gives {table.height} rows for {now.rows.height} units. Give one per unit.")
        return table

    def matrix(self, table: pl.DataFrame) -> NDArray[Any] | pl.DataFrame:
        """The feature matrix: float64 where every feature is numeric (null becomes NaN), else a frame."""
        absent = [name for name in self.features if name not in table.columns]
        if absent:
            raise UserCodeError(
                f"The model asks for {', '.join(map(repr, absent))}, which neither the rows nor derive() give. "
                f"There is: {', '.join(table.columns)}. (Columns known only after deciding are not there.)"
            )
        chosen = table[list(self.features)]  # cut out, not selected: that would be planned as a query
        if all(dtype == pl.Float64 for dtype in chosen.dtypes):
            return chosen.to_numpy()
        numeric = all(dtype.is_numeric() or dtype in (pl.Boolean, pl.Null) for dtype in chosen.dtypes)
        return chosen.cast(pl.Float64).to_numpy() if numeric else chosen
