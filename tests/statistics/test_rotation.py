"""Rotation: the joint null of many ideas on one history, held against Student's t, Bonferroni and arch."""

from __future__ import annotations

import numpy as np
import pytest
from arch.bootstrap import SPA, StepM
from scipy.stats import t as student

from shipworthy.statistics import (
    at_own_cosines,
    cosine_weights,
    estimate,
    fingerprint,
    null_draws,
    simultaneous_critical,
    step_down_p_values,
    t_statistics,
)

PERIODS, COSINES = 120, 9


def _ideas(count: int, *, shared: float = 0.0, gain: float = 0.0, seed: int = 0) -> np.ndarray:
    """Daily differences of ideas that share a part of their noise, shape (ideas, periods); the first one works."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=PERIODS)
    noise = np.sqrt(shared) * common + np.sqrt(1.0 - shared) * rng.normal(size=(count, PERIODS))
    noise[0] += gain
    return noise


def _fingerprints(days: np.ndarray) -> np.ndarray:
    return np.stack([fingerprint(one, np.ones(PERIODS), COSINES) for one in days])


def test_the_t_statistic_of_a_fingerprint_is_that_of_the_verdict():
    """With as many cosines as the estimate has, mean less min_effect over its standard error is the fingerprint's t."""
    days = _ideas(1, gain=0.3)[0]
    found = estimate(days, np.ones(PERIODS))
    print_ = fingerprint(days, np.ones(PERIODS), found.nu, min_effect=0.1)
    assert t_statistics([print_])[0] == pytest.approx((found.mean - 0.1) / found.se)
    assert print_[1:] == pytest.approx(cosine_weights(days - days.mean(), found.nu))


def test_one_idea_alone_falls_as_students_t():
    """The draws of one fingerprint have the quantiles of Student's t, whatever the fingerprint is."""
    for print_ in (_fingerprints(_ideas(1))[0], np.eye(COSINES + 1)[3]):
        drawn = null_draws([print_])[:, 0]
        for level in (0.5, 0.9, 0.975):
            assert student.cdf(np.quantile(drawn, level), COSINES) == pytest.approx(level, abs=0.006)


def test_the_p_value_of_one_idea_is_that_of_the_t_test():
    """Judged alone, an idea's corrected p-value is the one-sided p-value of its t statistic."""
    prints = _fingerprints(_ideas(1, gain=0.2))
    assert step_down_p_values(prints)[0] == pytest.approx(student.sf(t_statistics(prints)[0], COSINES), abs=0.004)


def test_near_copies_cost_next_to_nothing_and_unlike_ideas_what_bonferroni_says():
    """The p-value of an idea among 20 copies is that of it alone; among 20 unlike ones it is nearly 20 times as large."""
    days = _ideas(20, gain=0.33)
    alone = step_down_p_values(_fingerprints(days[:1]))[0]
    copies = np.repeat(days[:1], 20, axis=0) + 1e-6 * _ideas(20, seed=1)
    assert step_down_p_values(_fingerprints(copies))[0] == pytest.approx(alone, rel=0.02)
    unlike = step_down_p_values(_fingerprints(days))[0]
    assert 5.0 * alone < unlike <= 21.0 * alone


def test_the_order_of_the_ideas_does_not_matter():
    """P-values and the critical value follow the ideas when they are shuffled, to the last bit."""
    prints = _fingerprints(_ideas(6, shared=0.5, gain=0.3))
    order = [3, 0, 5, 1, 4, 2]
    assert step_down_p_values(prints[order]).tolist() == step_down_p_values(prints)[order].tolist()
    assert simultaneous_critical(prints[order]) == simultaneous_critical(prints)


def test_the_same_seed_gives_the_same_draws_and_the_unit_of_money_none_others():
    """Draws depend on the seed and on directions alone: cents or millions of billions, together or one by one."""
    prints = _fingerprints(_ideas(3))
    drawn = null_draws(prints, draws=500)
    assert np.array_equal(drawn, null_draws(prints, draws=500))
    assert not np.array_equal(drawn, null_draws(prints, draws=500, seed=1))
    for unit in (1e-90, 1e90):
        assert null_draws(unit * prints, draws=500) == pytest.approx(drawn, rel=1e-9)
    one_by_one = np.hstack([null_draws(one[None], draws=500) for one in prints])
    assert one_by_one == pytest.approx(drawn, rel=1e-9)


def test_a_larger_gain_never_has_a_larger_p_value():
    """P-values fall as t rises, within one family and from family to family."""
    prints = _fingerprints(_ideas(8, shared=0.5))
    p_values = step_down_p_values(prints)
    by_t = np.argsort(-t_statistics(prints))
    assert (np.diff(p_values[by_t]) >= 0.0).all()
    better = prints.copy()
    better[2, 0] += 2.0
    assert step_down_p_values(better)[2] < p_values[2]


def test_the_critical_value_lies_between_one_test_and_bonferroni():
    """One segment has Student's critical value; ten unlike ones at most Bonferroni's, ten alike ones hardly more than one."""
    one, bonferroni = student.ppf(0.975, COSINES), student.ppf(1.0 - 0.025 / 10, COSINES)
    assert simultaneous_critical(_fingerprints(_ideas(1))) == pytest.approx(one, abs=0.06)
    unlike = simultaneous_critical(_fingerprints(_ideas(10)))
    alike = simultaneous_critical(_fingerprints(_ideas(10, shared=0.95)))
    assert one < alike < unlike < 1.03 * bonferroni


def test_fewer_cosines_of_its_own_ask_for_a_larger_critical_value():
    """The critical value of an estimate with fewer degrees of freedom has the same tail."""
    own = at_own_cosines(3.0, COSINES, 4.5)
    assert student.sf(own, 4.5) == pytest.approx(student.sf(3.0, COSINES))
    assert at_own_cosines(3.0, COSINES, 40.0) == 3.0


def test_no_idea_works_and_none_is_found():
    """Over 300 families of 20 null ideas, any is found in about 2.5 %, and single tests find some in most."""
    any_corrected = any_single = 0
    for seed in range(300):
        prints = _fingerprints(_ideas(20, seed=seed))
        any_corrected += bool((step_down_p_values(prints, draws=2_000) <= 0.025).any())
        any_single += bool((t_statistics(prints) > student.ppf(0.975, COSINES)).any())
    assert any_corrected <= 16  # 7.5 expected; more than 16 has a probability of 0.3 %
    assert any_single >= 80


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_arch_finds_the_same_idea():
    """StepM and SPA (Hansen 2005; Romano and Wolf 2005), on the raw days, pick the same idea among twelve."""
    days = _ideas(12, shared=0.5, gain=0.6)
    found = np.flatnonzero(step_down_p_values(_fingerprints(days)) <= 0.05)
    stepped = StepM(np.zeros(PERIODS), -days.T, size=0.05, reps=500, block_size=5, seed=1)
    stepped.compute()
    spa = SPA(np.zeros(PERIODS), -days.T, reps=500, block_size=5, seed=1)
    spa.compute()
    assert found.tolist() == list(stepped.superior_models) == [0]
    assert spa.pvalues["consistent"] < 0.05
    nothing = _ideas(12, shared=0.5, seed=3)
    none = StepM(np.zeros(PERIODS), -nothing.T, size=0.05, reps=500, block_size=5, seed=1)
    none.compute()
    assert list(none.superior_models) == []
    assert step_down_p_values(_fingerprints(nothing)).min() > 0.05
