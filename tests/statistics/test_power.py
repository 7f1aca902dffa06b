"""Power: what a history can show is what verdicts on it then do show."""

import math

import numpy as np
import pytest
from scipy import stats

from shipworthy.statistics import Pilot, estimate, periods_for, power, smallest_detectable_gain
from tests.series import autoregression

PILOT = Pilot(variance=4.0, flat_share=1.0, periods=120)


def test_smallest_gain_is_the_formula():
    """MDE(T) = (t(0.975) + t(0.8)) sqrt(omega / T), with nu as the verdict will have it."""
    expected = (stats.t.ppf(0.975, 9) + stats.t.ppf(0.8, 9)) * math.sqrt(4.0 / 120)

    assert smallest_detectable_gain(PILOT, 120) == pytest.approx(expected)


def test_pilot_plans_with_the_upper_bound_of_a_short_series():
    """The planned variance is omega times nu over the 20 % quantile of chi square, of the median placebo."""
    series = [row - row.mean() for row in np.random.default_rng(1).normal(size=(3, 120))]
    median = sorted(estimate(row, np.ones(120)).long_run_variance for row in series)[1]

    assert Pilot.from_differences(series).variance == pytest.approx(median * 9 / stats.chi2.ppf(0.2, 9))


def test_regret_stands_in_for_a_challenger_that_resembles_the_champion():
    """Omega of the difference is 2 (1 - rho) times omega of the regret."""
    regret = np.random.default_rng(2).normal(size=120)
    regret -= regret.mean()

    found = Pilot.from_regret(regret, likeness=0.9).variance

    assert found == pytest.approx(0.2 * Pilot.from_differences([regret]).variance)


@pytest.mark.parametrize("phi", [0.0, 0.4])
def test_gain_at_the_predicted_size_is_found_in_75_to_92_percent(phi):
    """Verdicts on a true gain of exactly the predicted size ship about as often as promised."""
    rng = np.random.default_rng(3)
    found = []
    for pilot, live in zip(autoregression(rng, phi, 120, 300), autoregression(rng, phi, 120, 300), strict=True):
        gain = smallest_detectable_gain(Pilot.from_differences([pilot - pilot.mean()]), 120)
        verdict = estimate(live + gain, np.ones(120))
        found.append(verdict.nu >= 3 and verdict.low > 0.0)

    assert 0.75 <= np.mean(found) <= 0.92


def test_periods_for_a_gain_is_the_first_length_that_shows_it():
    """One period less would not do."""
    needed = periods_for(PILOT, 0.3)

    assert needed is not None
    assert smallest_detectable_gain(PILOT, needed) <= 0.3 < smallest_detectable_gain(PILOT, needed - 1)


def test_sampled_units_set_a_floor_that_no_history_passes():
    """More periods do not replace more units."""
    few_units = Pilot(variance=4.0, flat_share=1.0, periods=120, units_variance=1.0)

    assert periods_for(few_units, 1.0) is None
    assert periods_for(few_units, 5.0) is not None


def test_refits_and_ideas_cost_power():
    """Rare refits leave fewer degrees of freedom, and twenty ideas share one error budget."""
    alone = smallest_detectable_gain(PILOT, 120)

    assert smallest_detectable_gain(PILOT, 120, refit_periods=28) > alone
    assert smallest_detectable_gain(PILOT, 120, ideas=20) > alone
    assert smallest_detectable_gain(PILOT, 120, refit_periods=60) == math.inf
    assert smallest_detectable_gain(PILOT, 15) == math.inf


def test_power_names_what_cannot_be():
    """A claim above perfect foresight is impossible; a history that cannot show even that is hopeless."""
    provable = power(PILOT, uplift=1.0, ceiling=3.0)
    impossible = power(PILOT, uplift=4.0, ceiling=3.0)
    hopeless = power(PILOT, uplift=0.1, ceiling=0.2)

    assert (provable.is_provable, provable.is_impossible, provable.is_hopeless) == (True, False, False)
    assert (impossible.is_provable, impossible.is_impossible) == (False, True)
    assert (hopeless.is_provable, hopeless.is_hopeless) == (False, True)
    assert provable.smallest_gain_last_idea > provable.smallest_gain
    assert hopeless.periods_needed is not None
    assert hopeless.periods_needed > 120
