"""Pairs of a switchback: the closed forms, and as honest at every pair as at the end."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from shipworthy.statistics.sequential import LiveDecision, read_path
from shipworthy.statistics.switchback import draws_for, pairs_interval, pairs_path, sign_flip_p


def test_the_interval_at_the_end_is_students():
    """Mean and ends are those of scipy's one-sample t-test."""
    pairs = np.random.default_rng(1).normal(1.0, 2.0, size=30)
    expected = ttest_1samp(pairs, 0.0).confidence_interval(0.95)

    mean, low, high = pairs_interval(pairs)

    assert (mean, low, high) == pytest.approx((pairs.mean(), expected.low, expected.high))


def test_sign_flips_are_counted_one_by_one():
    """The exact p-value is the share of all coins that give a sum as large; it is fair under the null."""
    pairs = np.random.default_rng(2).normal(0.5, 1.0, size=7)
    sums = [abs(np.dot(signs, pairs)) for signs in itertools.product((-1, 1), repeat=7)]

    assert sign_flip_p(pairs) == np.mean(np.array(sums) >= abs(pairs.sum()) - 1e-9)
    assert sign_flip_p(pairs + 3.0, null=3.0) == pytest.approx(sign_flip_p(pairs))
    assert sign_flip_p(np.ones(12)) is None


def test_looking_at_every_pair_ships_at_most_5_percent_of_null_trials_and_finds_a_gain_half_way():
    """Of 84 pairs every one is a look; a gain of 0.45 standard deviations is shipped in four of five."""
    draws = np.random.default_rng(3).normal(size=(400, 84))

    null = [read_path(pairs_path(one, planned=84)).decision for one in draws]
    true = [read_path(pairs_path(one + 0.45, planned=84)) for one in draws]

    assert np.mean([decision is LiveDecision.SHIP for decision in null]) <= 0.05
    assert np.mean([decision is LiveDecision.HARM for decision in null]) <= 0.05
    assert np.mean([one.decision is LiveDecision.SHIP for one in true]) >= 0.8
    assert np.median([one.decided_at or math.inf for one in true]) <= 0.65 * 84


def test_the_plan_keeps_its_promise():
    """In the planned number of pairs a gain of the planned size is shown in at least four trials of five."""
    n = draws_for(2.0, 1.0)
    draws = np.random.default_rng(4).normal(1.0, 2.0, size=(400, n))

    found = [read_path(pairs_path(one, planned=n)).decision for one in draws]

    assert 0.78 <= np.mean([decision is LiveDecision.SHIP for decision in found]) <= 0.98


def test_twice_the_spread_needs_four_times_the_pairs():
    """Pairs grow with the square of spread over gain; no gain needs no end of them."""
    assert draws_for(2.0, 0.2) == pytest.approx(4 * draws_for(1.0, 0.2), rel=0.02)
    assert draws_for(1e9, 2e8) == draws_for(1e-9, 2e-10)
    assert draws_for(1.0, -1.0) is None
    assert draws_for(1.0, 1e-6) is None


def test_the_interval_of_a_pair_does_not_know_later_ones():
    """Fed pair by pair the path is the one fed at once, and before five pairs nothing is said."""
    pairs = np.random.default_rng(5).normal(size=40)
    path = pairs_path(pairs, planned=40)

    parts = [pairs_path(pairs[:n], planned=40) for n in range(1, 41)]

    assert [part.low[-1] for part in parts] == path.low.tolist()
    assert path.low[:4].tolist() == [-math.inf] * 4
    assert pairs_path([]).mean.size == 0
    assert pairs_interval([1.0]) == (1.0, -math.inf, math.inf)
