"""How it is decided whether an idea ships: by our verdict, and by what is usually done instead, on the same rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import polars as pl
from scipy.special import stdtrit

from shipworthy.analysis.criteria import Criteria
from shipworthy.analysis.decision import Decision
from shipworthy.analysis.verdicts import verdict
from shipworthy.statistics.series import FloatArray


class Method(StrEnum):
    """Ways to decide on paired evidence.

    Attributes:
        VERDICT: That of shipworthy.
        PERIODS: A t-test on the mean difference of each period, as if periods did not depend on one another.
        ROWS: A t-test on all rows, as if none depended on another one.
        MEAN: The higher mean wins.
    """

    VERDICT = "the verdict"
    PERIODS = "t-test on periods"
    ROWS = "t-test on rows"
    MEAN = "the higher mean wins"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What each method says of one table of evidence.

    Attributes:
        ships: Whether each of them would ship.
        width: How wide the verdict's interval is, in money per pair; infinite where it has none.
    """

    ships: Mapping[Method, bool]
    width: float


def answers(frame: pl.DataFrame, criteria: Criteria) -> Answers:
    """Asks every method whether the challenger earns more than the champion.

    The t-tests err as often as the verdict is meant to: `alpha` counts both sides.

    Args:
        frame: Paired evidence, as `verdict` takes it.
        criteria: What the verdict judges by.

    >>> days = pl.DataFrame({"period": range(60), "unit": "shop", "value_champion": 1.0})
    >>> better = days.with_columns(value_challenger=2.0 + np.random.default_rng(0).normal(size=60))
    >>> [str(method) for method, ships in answers(better, Criteria()).ships.items() if ships]
    ['the verdict', 't-test on periods', 't-test on rows', 'the higher mean wins']
    """
    found = verdict(frame, criteria)
    gain = pl.col("value_challenger") - pl.col("value_champion")
    gains = frame.select("period", gain=gain.cast(pl.Float64)).filter(pl.col("gain").is_finite())
    rows = gains["gain"].to_numpy()
    periods = gains.group_by("period").agg(pl.col("gain").mean()).sort("period")["gain"].to_numpy()
    return Answers(
        ships={
            Method.VERDICT: found.decision is Decision.SHIP,
            Method.PERIODS: _is_above_zero(periods, criteria.alpha),
            Method.ROWS: _is_above_zero(rows, criteria.alpha),
            Method.MEAN: bool(rows.size and rows.mean() > 0.0),
        },
        width=found.high - found.low,
    )


def _is_above_zero(gains: FloatArray, alpha: float) -> bool:
    """Student's t-test of a mean, gains taken to be independent."""
    if gains.size < 2 or np.ptp(gains) == 0.0:
        return False
    t = gains.mean() / (gains.std(ddof=1) / math.sqrt(gains.size))
    return bool(t > stdtrit(gains.size - 1, 1.0 - alpha / 2.0))
