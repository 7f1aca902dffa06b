"""Calibration: ratios with intervals that hold, and a slope that tells hot forecasts from luck."""

import math

import numpy as np
import pytest
import statsmodels.api as sm

from shipworthy.statistics.calibration import calibration, realised_ratio


def test_fiellers_interval_covers_the_true_ratio():
    """With both sides uncertain the true ratio lies within in 95 % of draws, within three standard errors."""
    rng = np.random.default_rng(1)
    draws = zip(rng.normal(6.0, 1.0, size=3000), rng.normal(10.0, 1.5, size=3000), strict=True)

    covered = [found.low <= 0.6 <= found.high for found in (realised_ratio(r, 1.0, f, 1.5) for r, f in draws)]

    assert np.mean(covered) == pytest.approx(0.95, abs=0.012)


def test_a_forecast_without_error_gives_the_plain_interval():
    """Then the ratio's ends are those of what was realised, over the forecast."""
    found = realised_ratio(6.0, 1.0, 3.0, 0.0)

    assert (found.low, found.ratio, found.high) == pytest.approx(((6 - 1.959964) / 3, 2.0, (6 + 1.959964) / 3))


@pytest.mark.parametrize("forecast", [0.0, 1.0])
def test_a_forecast_that_may_be_zero_bounds_no_ratio(forecast):
    """An interval of the forecast that holds zero leaves every ratio possible."""
    found = realised_ratio(6.0, 1.0, forecast, 1.0)

    assert (found.low, found.high) == (-math.inf, math.inf)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_a_ratio_knows_no_currency(scale):
    """Money of any size gives the same ratio."""
    plain, scaled = realised_ratio(9.0, 1.0, 10.0, 1.0), realised_ratio(9 * scale, scale, 10 * scale, scale)

    assert (scaled.low, scaled.ratio, scaled.high) == pytest.approx((plain.low, plain.ratio, plain.high))


def test_the_slope_is_the_weighted_regression_through_zero():
    """Slope, and the interval where ideas scatter, are those of statsmodels' WLS."""
    rng = np.random.default_rng(2)
    f, se_f, se_r = rng.uniform(5, 20, size=12), rng.uniform(0.5, 2, size=12), rng.uniform(0.5, 2, size=12)
    r = 0.7 * f + rng.normal(0.0, 10.0, size=12)
    fitted = sm.WLS(r, f, weights=1 / (se_f**2 + se_r**2)).fit()

    found = calibration(f, se_f, r, se_r)

    assert found.slope == pytest.approx(fitted.params[0])
    assert (found.low, found.high) == pytest.approx(tuple(fitted.conf_int()[0]))


@pytest.mark.parametrize(("true", "runs"), [(0.4, "hot"), (1.0, None), (2.0, "cold")])
def test_forecasts_that_run_hot_or_cold_are_told(true, runs):
    """Ten ideas that bring in less or more than forecast are called hot or cold; good forecasts are not, in 19 of 20."""
    rng = np.random.default_rng(3)
    found = []
    for _ in range(200):
        f = rng.uniform(5, 20, size=10)
        found.append(calibration(f, np.ones(10), true * f + rng.normal(size=10) * math.sqrt(2), np.ones(10)).runs)

    assert np.mean([one == runs for one in found]) >= 0.95


def test_four_ideas_are_too_few():
    """A slope is shown from five ideas on, and not where no forecast says anything."""
    assert calibration([1.0] * 4, [1.0] * 4, [1.0] * 4, [1.0] * 4) is None
    assert calibration([0.0] * 5, [1.0] * 5, [1.0] * 5, [1.0] * 5) is None
    assert calibration([1.0] * 5, [1.0] * 5, [1.0] * 5, [1.0] * 5).ideas == 5
