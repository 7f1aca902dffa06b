"""The forecast of a realised gain: shrunk, calibrated, and learning from the past."""

import numpy as np
import pytest

from shipworthy.statistics import forecast


def test_forecast_lies_between_zero_and_the_estimate():
    """Luck is taken off in either direction, and more of it where the estimate is less certain."""
    kept = [forecast(2.0, se).kept for se in (0.1, 0.5, 1.0, 2.0)]

    assert all(0.0 < share < 1.0 for share in kept)
    assert forecast(2.0, 0.5).mean == pytest.approx(-forecast(-2.0, 0.5).mean)
    assert forecast(0.0, 1.0).mean == 0.0
    assert forecast(0.0, 1.0).kept == 0.0


def test_past_ideas_that_worked_let_more_of_the_estimate_stand():
    """A squad whose ideas work is believed more than one whose ideas are all noise."""
    rng = np.random.default_rng(1)
    ses = np.full(40, 1.0)
    noise = forecast(3.0, 1.0, past_estimates=rng.normal(size=40), past_ses=ses)
    works = forecast(3.0, 1.0, past_estimates=rng.normal(0.0, 4.0, size=40), past_ses=ses)

    assert noise.mean < forecast(3.0, 1.0).mean < works.mean < 3.0
    assert works.estimate == 3.0


def test_money_scales():
    """In cents everything is a hundred times what it is in euros."""
    euros = forecast(1.3, 0.4, past_estimates=[0.1, 1.0], past_ses=[0.3, 0.4])
    cents = forecast(130.0, 40.0, past_estimates=[10.0, 100.0], past_ses=[30.0, 40.0])

    assert (cents.mean, cents.low, cents.high) == pytest.approx((100 * euros.mean, 100 * euros.low, 100 * euros.high))


def test_forecasts_of_shipped_ideas_come_true_where_raw_estimates_overstate():
    """Of ideas that shipped on a high estimate, the forecast sums to what is realised and its interval covers."""
    rng = np.random.default_rng(2)
    true = np.where(rng.random(1000) < 0.3, rng.normal(1.0, 0.5, size=1000), rng.normal(0.0, 0.1, size=1000))
    ses = rng.uniform(0.2, 0.6, size=1000)
    estimates = true + ses * rng.normal(size=1000)
    shipped = [idea for idea in range(100, 1000) if estimates[idea] > 1.96 * ses[idea]]

    made = [
        forecast(
            estimates[idea],
            ses[idea],
            past_estimates=estimates[idea - 100 : idea],
            past_ses=ses[idea - 100 : idea],
        )
        for idea in shipped
    ]

    realised = true[shipped].sum()
    assert estimates[shipped].sum() / realised > 1.1
    assert 0.85 <= sum(one.mean for one in made) / realised <= 1.15
    covered = np.mean([one.low <= true[idea] <= one.high for one, idea in zip(made, shipped, strict=True)])
    assert 0.85 <= covered <= 0.97
