"""Sample-ratio mismatch: found where arms were filled wrongly, hardly ever claimed where they were not."""

import numpy as np
import pytest
from scipy.stats import chisquare, dirichlet_multinomial, multinomial

from shipworthy.statistics.sample_ratio import sample_ratio


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.9, 0.1], [0.5, 0.3, 0.2]])
def test_the_chi_square_test_is_scipys(shares):
    """The p-value of the last look is that of scipy.stats.chisquare."""
    counts = np.random.default_rng(1).multinomial(200, shares, size=6)

    expected = chisquare(counts.sum(axis=0), np.array(shares) * counts.sum()).pvalue

    assert sample_ratio(counts, shares).p_value == pytest.approx(expected)


def test_the_e_value_is_the_likelihood_ratio_of_a_mixture():
    """The largest e-value is the Dirichlet-multinomial over the multinomial probability, at its best look."""
    shares = np.array([0.7, 0.3])
    totals = np.cumsum(np.random.default_rng(2).multinomial(50, [0.6, 0.4], size=8), axis=0)

    logs = [
        dirichlet_multinomial.logpmf(x, 100 * shares, x.sum()) - multinomial.logpmf(x, x.sum(), shares) for x in totals
    ]

    found = sample_ratio(np.diff(totals, axis=0, prepend=0), shares)
    assert found.log_e_value == pytest.approx(max(logs))


def test_right_shares_are_hardly_ever_called_wrong_and_wrong_ones_soon():
    """Of 2,000 trials of 90 looks at most 0.3 % claim a mismatch; arms of 47 and 53 % are found in nine of ten."""
    rng = np.random.default_rng(3)

    def found(share):
        tried = rng.binomial(100, share, size=(2000, 90))
        return np.mean([sample_ratio(np.c_[100 - one, one], [0.5, 0.5]).is_mismatch for one in tried[:2000]])

    assert found(0.5) <= 0.003
    assert found(0.53) >= 0.9


def test_a_mismatch_once_proven_stays_and_is_dated():
    """Later looks that even out do not undo it; look by look it is found when it is found at once."""
    counts = [[60, 40]] * 8 + [[40, 60]] * 8

    daily = [sample_ratio(counts[:n], [0.5, 0.5]).mismatch_at for n in range(1, 17)]

    assert sample_ratio(counts, [0.5, 0.5]).is_mismatch
    assert sample_ratio(counts, [0.5, 0.5]).p_value == pytest.approx(1.0)
    assert set(daily) == {None, sample_ratio(counts, [0.5, 0.5]).mismatch_at}


def test_no_look_is_no_mismatch():
    """Before anything is assigned nothing is wrong."""
    found = sample_ratio(np.zeros((0, 2)), [0.5, 0.5])

    assert (found.is_mismatch, found.p_value, found.counts) == (False, 1.0, (0, 0))
