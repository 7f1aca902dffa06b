"""Variance components: what the solver's luck adds is told from what the periods give."""

import numpy as np
import pytest

from shipworthy.statistics import variance_components


def tables(seed, *, periods, repetitions, noise, spread):
    """A table of money: what each period gives, and what each repetition makes of it."""
    rng = np.random.default_rng(seed)
    given = rng.normal(10.0, spread, size=(periods, 1))
    return given + rng.normal(0.0, noise, size=(periods, repetitions))


@pytest.mark.parametrize(("noise", "spread", "repetitions"), [(2.0, 5.0, 4), (5.0, 2.0, 4), (3.0, 1.5, 2)])
def test_the_components_are_found_again(noise, spread, repetitions):
    """Over 600 drawn tables, both variances, and the variance of the mean that they explain, come out as they went in."""
    drawn = [
        variance_components(tables(seed, periods=60, repetitions=repetitions, noise=noise, spread=spread))
        for seed in range(600)
    ]
    assert np.mean([found.noise for found in drawn]) == pytest.approx(noise**2, rel=0.03)
    of_means = spread**2 + noise**2 / repetitions
    assert np.mean([found.periods + found.noise / repetitions for found in drawn]) == pytest.approx(of_means, rel=0.03)
    assert np.var([found.mean for found in drawn]) == pytest.approx(of_means / 60, rel=0.15)
    assert np.median([found.share for found in drawn]) == pytest.approx(noise**2 / repetitions / of_means, rel=0.06)


def test_repetitions_narrow_the_mean_as_foretold():
    """What is left of the standard error with very many repetitions is what the narrowing says."""
    few = [variance_components(tables(seed, periods=60, repetitions=2, noise=4.0, spread=2.0)) for seed in range(600)]
    many = [tables(seed, periods=60, repetitions=400, noise=4.0, spread=2.0).mean() for seed in range(600)]
    left = np.std(many) / np.std([found.mean for found in few])
    assert 1.0 - np.median([found.narrowing for found in few]) == pytest.approx(left, abs=0.05)


def test_a_solver_without_chance_has_no_noise_at_all():
    """Repetitions that are alike give exactly 0, whatever the numbers, and the mean as it was."""
    once = np.random.default_rng(5).normal(1e6, 0.1, size=(40, 1)) / 3.0
    found = variance_components(np.repeat(once, 7, axis=1))
    assert (found.noise, found.share, found.narrowing) == (0.0, 0.0, 0.0)
    assert found.periods == pytest.approx(np.var(once, ddof=1))


def test_busy_periods_are_no_spread():
    """Where a period earns in proportion to its units, counts explain it; noise is all that is left."""
    rng = np.random.default_rng(9)
    counts = rng.integers(5, 50, size=200)
    table = 2.0 * counts[:, None] + rng.normal(0.0, 1.0, size=(200, 5))
    assert variance_components(table, counts).share > 0.7
    assert variance_components(table).share < 0.01


def test_where_nothing_varies_there_is_no_share():
    """A constant has neither component."""
    found = variance_components(np.full((10, 3), 4.0))
    assert (found.mean, found.noise, found.periods, found.share) == (4.0, 0.0, 0.0, 0.0)
