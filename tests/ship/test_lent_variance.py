"""What a replay with repetitions lends to its live successor: the variance of one search, not of the mean over many."""

import numpy as np
import polars as pl
import pytest

from shipworthy.analysis.criteria import Criteria
from shipworthy.research.repetitions import averaged
from shipworthy.ship.conduct import Conduct
from shipworthy.ship.reading import read_live
from shipworthy.ship.shadow import LiveEvidence
from tests.problems import shop


def searched(seed, periods=120, noise=5.0):
    """Evidence of two policies that earn alike, apart from what the seed makes of the challenger."""
    days = np.random.default_rng(1).normal(0.0, 0.5, size=periods)
    luck = np.random.default_rng(seed).normal(0.0, noise, size=periods)
    columns = {"period": range(periods), "unit": "all", "value_champion": 0.0, "value_challenger": days + luck}
    return pl.DataFrame(columns)


def test_live_periods_are_judged_by_the_noise_of_one_search():
    """The averaged evidence is far quieter than a live period; what is lent is as wide as one repetition alone would lend."""
    repetitions = [searched(seed) for seed in range(10, 20)]
    mean = averaged(shop(), repetitions)
    live = LiveEvidence(table=searched(99, periods=20), answered=pl.DataFrame(), conduct=Conduct())
    readings = [read_live(live, evidence, Criteria()).money for evidence in (mean, repetitions[0])]

    assert mean["value_challenger"].std() < 0.5 * repetitions[0]["value_challenger"].std()
    assert (readings[0].low, readings[0].high) == pytest.approx((readings[1].low, readings[1].high))
    quiet = mean.select("period", "unit", "value_champion", "value_challenger")
    too_narrow = read_live(live, quiet, Criteria()).money
    assert too_narrow.high - too_narrow.low < 0.75 * (readings[0].high - readings[0].low)
