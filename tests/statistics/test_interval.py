"""The interval of a mean: against other implementations, against closed forms, and against the truth."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.fft import dct

from shipworthy.statistics import (
    autocorrelation,
    cosine_weights,
    entity_variance,
    estimate,
    flat_count,
    influence_series,
    long_run_variance,
    probability_below,
    skew_shift,
    widened,
)
from shipworthy.statistics.entities import satterthwaite
from shipworthy.statistics.spectrum import planned_count, refit_cap
from tests.series import autoregression


def test_influence_of_a_ragged_panel_sums_to_zero_around_the_mean_per_pair():
    """Periods with more pairs weigh more, and what each adds to the error sums to zero."""
    rng = np.random.default_rng(1)
    counts = rng.integers(1, 50, size=80).astype(float)
    sums = rng.normal(size=80) * counts

    mean, influence = influence_series(sums, counts)

    assert mean == pytest.approx(np.average(sums / counts, weights=counts))
    assert influence.sum() == pytest.approx(0.0, abs=1e-12)


def test_cosine_weights_are_those_of_the_formula():
    """The transform of scipy is the sum of cosines that the paper writes."""
    series = np.random.default_rng(2).normal(size=61)
    moments = np.arange(1, 62) - 0.5

    expected = [np.sqrt(2 / 61) * np.sum(series * np.cos(np.pi * j * moments / 61)) for j in range(1, 8)]

    assert cosine_weights(series, 7) == pytest.approx(expected)


def test_variance_of_independent_periods_is_the_mean_square_of_scipy_cosines():
    """With a flat spectrum, omega is the mean of the first nu0 squared weights of scipy's orthonormal DCT."""
    series = np.random.default_rng(3).normal(size=120)
    series -= series.mean()

    found = long_run_variance(series)

    assert found.nu == 9
    assert found.variance == pytest.approx(np.mean(dct(series, norm="ortho")[1:10] ** 2))


def test_day_sums_carry_the_variance_of_statsmodels_hac_groupsum():
    """A Bartlett variance of our influence series is the Driscoll-Kraay variance of all rows."""
    rng = np.random.default_rng(4)
    differences = rng.normal(size=(90, 1)) + rng.normal(size=(90, 12))
    day = np.repeat(np.arange(90), 12)
    fitted = sm.OLS(differences.ravel(), np.ones(differences.size)).fit(
        cov_type="hac-groupsum", cov_kwds={"time": day, "maxlags": 6, "use_correction": False}
    )
    _, influence = influence_series(differences.sum(axis=1), np.full(90, 12))
    weights = [1.0] + [2.0 * (1.0 - lag / 7.0) for lag in range(1, 7)]
    products = [influence[: 90 - lag] @ influence[lag:] for lag in range(7)]

    ours = np.sqrt(np.dot(weights, products)) / 90

    assert ours == pytest.approx(float(fitted.bse[0]), rel=1e-12)


def test_flat_spectrum_keeps_every_planned_cosine_and_a_wandering_one_none():
    """White noise is not cut; a random walk is, whatever order is fitted to it."""
    rng = np.random.default_rng(5)
    white = [long_run_variance(row - row.mean()).nu for row in rng.normal(size=(50, 120))]
    walks = [long_run_variance(row - row.mean()).nu for row in np.cumsum(rng.normal(size=(50, 120)), axis=1)]

    assert np.median(white) == 9
    assert np.mean(np.array(walks) < 3) > 0.9


def test_alternating_series_is_not_cut():
    """Where neighbours offset each other the slow end of the spectrum is its lowest, so nothing is left out."""
    series = autoregression(np.random.default_rng(6), -0.6, 200)[0]

    assert flat_count(series - series.mean(), 13) == 13


def test_counts_follow_the_published_rule_and_the_refits():
    """nu0 = floor(0.4 T^(2/3)), exactly at cubes too, and three cosines need four refits."""
    assert [planned_count(periods) for periods in (20, 21, 28, 60, 120, 125, 365)] == [2, 3, 3, 6, 9, 10, 20]
    assert [refit_cap(120, refit) for refit in (0, 7, 28, 40)] == [120, 12, 3, 2]


def test_interval_is_t_with_as_many_degrees_as_cosines_and_the_skew_shift():
    """low and high are mean -/+ t se, each moved outwards by skew only."""
    draws = -np.random.default_rng(7).exponential(size=120)
    found = estimate(draws, np.ones(120))
    half = stats.t.ppf(0.975, found.df) * found.se

    assert found.skew < 0.0
    assert found.low == pytest.approx(found.mean - half + found.skew)
    assert found.high == pytest.approx(found.mean + half)
    assert probability_below(found, 0.0) == pytest.approx(stats.t.cdf(-found.mean / found.se, found.df))


def test_skew_shift_is_johnsons_and_survives_any_currency():
    """1.5 g s / T of neighbours that do not attract, in money as small as 1e-150 and as large as 1e150."""
    series = -np.random.default_rng(9).exponential(size=200)
    series -= series.mean()
    assert autocorrelation(series) < 0.0
    expected = 1.5 * stats.skew(series) * series.std() / 200

    assert skew_shift(series) == pytest.approx(expected)
    assert skew_shift(series * 1e-150) == pytest.approx(expected * 1e-150)
    assert skew_shift(series * 1e150) == pytest.approx(expected * 1e150)
    assert skew_shift(np.zeros(30)) == 0.0


def test_skew_shift_grows_with_autocorrelation_as_the_skew_of_the_mean_does():
    """In AR(0.6) days with a long tail of losses, the shift is that of the mean's own third cumulant."""
    series = -np.random.default_rng(14).exponential(size=(400, 1200))
    for day in range(1, 1200):
        series[:, day] += 0.6 * series[:, day - 1]
    # Innovations of -Exp(1) have variance 1 and third cumulant -2; summed over all lags they count 1 / (1 - phi) each.
    expected = 1.5 * -2.0 / (1.0 - 0.6) / 1200

    found = np.mean([skew_shift(row - row.mean()) for row in series[:, 200:]]) * 1000 / 1200

    assert found == pytest.approx(expected, rel=0.05)


def test_autocorrelation_recovers_phi():
    """A long AR(0.6) series shows 0.6; one that never moves shows 0."""
    series = autoregression(np.random.default_rng(9), 0.6, 20_000)[0]

    assert autocorrelation(series) == pytest.approx(0.6, abs=0.03)
    assert autocorrelation(np.zeros(5)) == 0.0


def test_sampled_units_add_their_variance():
    """With units drawn from a population, the variance of their means is added, degrees of freedom shared."""
    rng = np.random.default_rng(10)
    rows = rng.normal(size=(12, 1)) + 0.1 * rng.normal(size=(12, 60))
    units = rows.sum(axis=1), np.full(12, 60.0)

    alone = estimate(rows.sum(axis=0), np.full(60, 12.0))
    sampled = estimate(rows.sum(axis=0), np.full(60, 12.0), units=units)

    assert sampled.units_variance == pytest.approx(rows.mean(axis=1).var(ddof=1) / 12)
    assert sampled.se == pytest.approx(np.hypot(alone.se, np.sqrt(sampled.units_variance)))
    assert sampled.df == pytest.approx(11, abs=1.0)
    assert sampled.df == pytest.approx(satterthwaite(alone.se**2, alone.nu, entity_variance(*units), 12))


def test_widening_multiplies_the_standard_error_and_keeps_the_mean():
    """The stress interval is the same interval with a larger standard error."""
    found = estimate(np.random.default_rng(11).normal(size=60), np.ones(60))
    wide = widened(found, 1.5)

    assert wide.mean == found.mean
    assert wide.high - wide.low - abs(wide.skew) == pytest.approx(1.5 * (found.high - found.low - abs(found.skew)))


def test_aa_of_400_series_with_ar_07_ships_at_most_5_percent():
    """Where the challenger is no better, at most 5 % of 60-day series with strong autocorrelation look better."""
    series = autoregression(np.random.default_rng(12), 0.7, 60, 400)
    found = [estimate(row, np.ones(60)) for row in series]

    ours = np.mean([one.nu >= 3 and one.low > 0.0 for one in found])
    naive = np.mean(stats.ttest_1samp(series, 0.0, axis=1).statistic > 1.96)

    assert ours <= 0.05
    assert naive > 0.15


@pytest.mark.parametrize(("phi", "periods"), [(0.0, 60), (0.3, 120), (0.6, 120)])
def test_interval_covers_the_truth_and_finds_what_is_there(phi, periods):
    """At least 92 % of intervals cover, and at least 55 % of gains an oracle finds in 80 % are found."""
    series = autoregression(np.random.default_rng(13), phi, periods, 400)
    gain = 2.8016 * series.mean(axis=1).std()
    found = [estimate(row + gain, np.ones(periods)) for row in series]

    assert np.mean([one.low <= gain <= one.high for one in found]) >= 0.92
    assert np.mean([one.nu >= 3 and one.low > 0.0 for one in found]) >= 0.55
