"""Standard errors that steady one another: between what each says and what all have in common."""

import numpy as np
import pytest
from scipy import stats

from shipworthy.statistics import estimate, forecast
from shipworthy.statistics.moderation import moderated
from tests.series import autoregression

WIDER = stats.t.ppf(0.95, 9) / stats.norm.ppf(0.95)


def test_few_ideas_keep_their_own_standard_errors_widened_as_students_t():
    """One or two ideas have nothing to compare with."""
    assert moderated([2.0], [9]) == pytest.approx([2.0 * WIDER])
    assert moderated([2.0, 0.5], [9, 9]) == pytest.approx([2.0 * WIDER, 0.5 * WIDER])


def test_standard_errors_that_differ_by_chance_become_one():
    """Where all ideas have the same spread, each standard error becomes the common one."""
    ses = np.sqrt(np.random.default_rng(1).chisquare(9, size=200) / 9)

    assert moderated(ses, np.full(200, 9)) == pytest.approx(np.ones(200), rel=0.15)


def test_standard_errors_that_differ_indeed_stay():
    """Where ideas are of quite unlike size each keeps its own, and only the smallest are doubted."""
    ses = np.geomspace(0.1, 10.0, 100)
    steadied = moderated(ses, np.full(100, 9)) / ses

    assert steadied[40:] == pytest.approx(np.full(60, WIDER), rel=0.1)
    assert np.all(np.diff(steadied) < 0.0)


def test_money_scales():
    """In cents everything is a hundred times what it is in euros."""
    ses = [0.3, 0.5, 0.2, 0.9]

    assert moderated(np.multiply(ses, 100.0), [9] * 4) == pytest.approx(100.0 * moderated(ses, [9] * 4))


def test_forecasts_of_ideas_that_shipped_by_a_lucky_standard_error_still_cover():
    """Ideas ship not least because their standard error came out small; with its cosines known, forecasts allow for that."""
    rng = np.random.default_rng(2)
    truths = rng.normal(0.0, 0.12, size=900)
    days = autoregression(rng, 0.3, 120, 900) + truths[:, None]
    found = [estimate(row, np.ones(120)) for row in days]
    before = found[:100]
    estimates, ses, dfs = [one.mean for one in before], [one.se for one in before], [one.nu for one in before]
    shipped = [at for at in range(100, 900) if found[at].low > 0.0]
    plain = [forecast(found[at].mean, found[at].se, past_estimates=estimates, past_ses=ses) for at in shipped]
    told = [
        forecast(found[at].mean, found[at].se, df=found[at].nu, past_estimates=estimates, past_ses=ses, past_dfs=dfs)
        for at in shipped
    ]

    def covered(made):
        return np.mean([one.low <= truths[at] <= one.high for one, at in zip(made, shipped, strict=True)])

    realised = truths[shipped].sum()
    assert covered(told) >= 0.88 > covered(plain)
    assert sum(one.mean for one in told) / realised < sum(one.mean for one in plain) / realised
    assert sum(one.mean for one in told) / realised <= 1.2
