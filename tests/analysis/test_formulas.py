"""The verdict against the formulas written out once more, with loops, sums and nothing of ours."""

import math

import numpy as np
import pytest
from arch.bootstrap import StationaryBootstrap
from scipy import stats

from shipworthy.analysis import Criteria, verdict
from tests.series import autoregression, evidence


def by_hand(rows, *, refit=0, sample=False, alpha=0.05):
    """Returns mean, low, high and cosines for differences of shape (periods, units); NaN is a missing row."""
    rows = rows[np.isfinite(rows).any(axis=1)]
    periods = len(rows)
    sums, counts = np.nansum(rows, axis=1), np.isfinite(rows).sum(axis=1)
    mean = sums.sum() / counts.sum()
    influence = (sums - mean * counts) / counts.mean()
    nu = cosines(influence)
    if refit:
        nu = min(nu, math.floor(0.75 * periods / refit))
    at = np.arange(1, periods + 1) - 0.5
    weights = [
        math.sqrt(2 / periods) * np.sum(influence * np.cos(math.pi * j * at / periods)) for j in range(1, nu + 1)
    ]
    variance, df = np.mean(np.square(weights)) / periods, nu
    if sample:
        units = rows.shape[1]
        own = (
            sum(np.nansum(rows[:, unit] - mean) ** 2 for unit in range(units)) / counts.sum() ** 2 * units / (units - 1)
        )
        df = (variance + own) ** 2 / (variance**2 / nu + own**2 / (units - 1))
        variance += own
    half = stats.t.ppf(1 - alpha / 2, df) * math.sqrt(variance)
    phi = min(max(np.sum(influence[1:] * influence[:-1]) / np.sum(influence**2), 0.0), 0.95)
    johnson = 1.5 * stats.skew(influence) * influence.std() / periods * (1 + phi + phi**2) / (1 - phi**2)
    return mean, mean - half + min(0.0, johnson), mean + half + max(0.0, johnson), nu


def cosines(series):
    """Returns how many cosines a flat enough spectrum allows, with Yule-Walker solved as the linear system that it is."""
    periods = len(series)
    planned = math.floor(0.4 * periods ** (2 / 3) + 1e-9)
    most = max(1, min(8, periods // 12))
    covariance = np.array([np.sum(series[: periods - lag] * series[lag:]) for lag in range(most + 1)]) / np.sum(
        series**2
    )
    partial, criteria = [], [0.0]
    for order in range(1, most + 1):
        toeplitz = np.array([[covariance[abs(i - j)] for j in range(order)] for i in range(order)])
        solved = np.linalg.solve(toeplitz, covariance[1 : order + 1])
        partial.append(solved[-1])
        criteria.append(periods * math.log(1 - solved @ covariance[1 : order + 1]) + 2 * order)
    order = int(np.argmin(criteria))
    coefficients = np.zeros(0)
    for lag in range(1, order + 1):
        freed = (periods * partial[0] + 1) / (periods - 3) if lag == 1 else periods * partial[lag - 1] / (periods - lag)
        freed = min(max(freed, -0.99), 0.99)
        coefficients = np.append(coefficients - freed * coefficients[::-1], freed)

    def spectrum(frequency):
        return 1 / abs(1 - sum(c * np.exp(-1j * frequency * (lag + 1)) for lag, c in enumerate(coefficients))) ** 2

    heights = [spectrum(math.pi * j / periods) for j in range(1, planned + 1)]
    flat = [nu for nu in range(1, planned + 1) if np.mean(heights[:nu]) >= 0.9 * spectrum(0.0)]
    return max(flat, default=0)


@pytest.mark.parametrize(
    ("periods", "units", "phi", "refit", "sample"),
    [
        (28, 1, 0.0, 0, False),
        (60, 5, 0.3, 0, False),
        (61, 20, 0.3, 7, False),
        (120, 8, 0.6, 28, True),
        (200, 30, -0.4, 0, True),
        (365, 12, 0.8, 0, False),
    ],
)
@pytest.mark.parametrize("tail", ["normal", "losses"])
def test_verdict_is_the_formulas_written_out(periods, units, phi, refit, sample, tail):
    """Mean, interval and cosines are those of the published formulas, with holes in the panel and skew too."""
    rng = np.random.default_rng([periods, units])
    days = autoregression(rng, phi, periods)[0]
    rows = (
        0.1
        + days[:, None]
        + (rng.normal(size=(periods, units)) if tail == "normal" else -rng.exponential(size=(periods, units)))
    )
    rows[rng.random(size=rows.shape) < 0.1] = np.nan
    frame = evidence(rows).drop_nans("value_challenger")
    found = verdict(frame, Criteria(refit_periods=refit, entities="sample" if sample else "all", alpha=0.1))
    mean, low, high, nu = by_hand(rows, refit=refit, sample=sample, alpha=0.1)

    assert found.nu == nu
    assert (found.gain, found.low, found.high) == pytest.approx((mean, low, high), rel=1e-9, abs=1e-12)


def test_standard_error_agrees_with_the_stationary_bootstrap_on_long_histories():
    """With 2,000 autocorrelated days both estimate the same number; the bootstrap only takes longer."""
    rng = np.random.default_rng(15)
    rows = autoregression(rng, 0.5, 2000)[0][:, None] + rng.normal(size=(2000, 4))
    bootstrap = StationaryBootstrap(40, rows.mean(axis=1), seed=1)
    resampled = bootstrap.apply(np.mean, 1000)

    assert verdict(evidence(rows, periods=range(2000))).se == pytest.approx(float(resampled.std()), rel=0.25)


def test_independent_days_of_one_unit_give_nearly_students_interval():
    """Where nothing is shared and nothing lasts, the interval is on average that of the t-test, a little wider."""
    rng = np.random.default_rng(16)
    widths = []
    for draws in rng.normal(size=(100, 120)):
        found = verdict(evidence(draws))
        known = stats.ttest_1samp(draws, 0.0).confidence_interval(0.95)
        widths.append((found.high - found.low) / (known.high - known.low))

    assert 1.0 < np.mean(widths) < 1.3
