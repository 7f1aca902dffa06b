"""A proportion's interval is the exact one."""

import pytest
from scipy.stats import binomtest

from shipworthy.statistics import Proportion


@pytest.mark.parametrize(("count", "of"), [(0, 20), (1, 20), (7, 20), (20, 20), (3, 1000), (0, 1)])
def test_the_interval_is_that_of_clopper_and_pearson(count, of):
    """Both ends equal those of scipy's exact binomial test."""
    found = Proportion.counted(count, of)
    exact = binomtest(count, of).proportion_ci(0.95, method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-12)
    assert found.share == count / of


def test_no_trial_says_nothing():
    """Without a trial everything is possible."""
    found = Proportion.counted(0, 0)
    assert (found.share, found.low, found.high) == (0.0, 0.0, 1.0)
