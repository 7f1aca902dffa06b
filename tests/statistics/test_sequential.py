"""Live monitors: the same answer day by day as at once, honest under daily looks, quick where it matters."""

import math

import numpy as np
import pytest

from shipworthy.statistics import (
    Backtest,
    LiveDecision,
    Trigger,
    anytime_t_half_width,
    breaker_threshold,
    first_alarm,
    mixture_radius,
    monitor,
)
from shipworthy.statistics.sequential import confidence_path
from tests.series import autoregression


def backtest_of(series):
    """Reads a backtest with one pair a day."""
    return Backtest.from_sums(series, np.ones(series.size))


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("gain", [-0.7, 0.0, 0.7])
def test_monitor_fed_day_by_day_decides_as_fed_at_once(known, gain):
    """The interval after n days does not depend on days that were not there yet, and the first decision stays."""
    rng = np.random.default_rng(1)
    backtest = backtest_of(autoregression(rng, 0.4, 180)[0]) if known else None
    live = autoregression(rng, 0.4, 150)[0] + gain
    at_once = monitor(live, backtest)
    path = confidence_path(live, backtest)

    daily = [monitor(live[:n], backtest) for n in range(1, 151)]

    assert [day.low for day in daily] == path.low.tolist()
    assert [day.high for day in daily] == path.high.tolist()
    assert next((day for day in daily if day.decided_at), daily[-1]).decided_at == at_once.decided_at
    assert daily[-1] == at_once


@pytest.mark.parametrize("shift", [-1.0, 0.0])
def test_alarm_day_by_day_is_the_alarm_at_once(shift):
    """The first day on which any trigger fires is the day that the whole stream names."""
    rng = np.random.default_rng(2)
    backtest = backtest_of(rng.normal(size=200))
    live = rng.normal(size=200)
    live[100:] += shift
    at_once = first_alarm(live, backtest)

    daily = [first_alarm(live[:n], backtest) for n in range(1, 201)]

    assert next((alarm for alarm in daily if alarm), None) == at_once
    assert at_once is not None or shift == 0.0


@pytest.mark.parametrize("phi", [0.0, 0.6])
def test_daily_looks_for_half_a_year_ship_or_stop_at_most_5_percent_of_null_streams(phi):
    """A challenger that is no better is neither shipped nor called harmful, however often one looks."""
    rng = np.random.default_rng(3)
    streams = autoregression(rng, phi, 360, 200)

    found = [monitor(row[180:], backtest_of(row[:180])).decision for row in streams]

    assert np.mean([decision is LiveDecision.SHIP for decision in found]) <= 0.05
    assert np.mean([decision is LiveDecision.HARM for decision in found]) <= 0.05


def test_gain_ships_after_28_days_and_harm_stops_after_7_at_the_earliest():
    """However large the effect, a month is needed to ship and a week to stop."""
    rng = np.random.default_rng(4)
    backtest = backtest_of(rng.normal(size=180))
    noise = rng.normal(size=60)

    assert monitor(noise + 50.0, backtest).decided_at == 28
    assert monitor(noise - 50.0, backtest).decided_at == 7
    assert monitor(noise[:27] + 50.0, backtest).decision is LiveDecision.UNDECIDED


def test_no_live_day_is_undecided():
    """Before the first day everything is possible."""
    found = monitor([], None)

    assert (found.n, found.low, found.high, found.decision) == (0, -math.inf, math.inf, LiveDecision.UNDECIDED)


def test_min_effect_and_harm_bound_are_separate():
    """A gain that is real but too small to ship is no harm where harm means a loss."""
    rng = np.random.default_rng(5)
    backtest = backtest_of(rng.normal(size=180) * 0.2)
    live = 1.0 + rng.normal(size=90) * 0.2

    assert monitor(live, backtest, min_effect=3.0).decision is LiveDecision.HARM
    assert monitor(live, backtest, min_effect=3.0, harm_below=0.0).decision is LiveDecision.UNDECIDED


def test_live_variance_widens_the_interval_but_never_narrows_it_below_the_backtest():
    """Sigma is the larger of the backtest's and the pooled one, with a degree of freedom more for each block."""
    rng = np.random.default_rng(6)
    backtest = backtest_of(rng.normal(size=180))

    calm = confidence_path(rng.normal(size=84) * 0.01, backtest)
    rough = confidence_path(rng.normal(size=84) * 5.0, backtest)

    assert calm.sigma == pytest.approx(np.full(84, math.sqrt(backtest.variance)))
    assert rough.sigma[-1] > rough.sigma[0]
    assert calm.df[-1] == backtest.nu + 5


def test_pooled_variance_is_the_formula():
    """(nu_b omega_b + (K - 1) omega_l) / (nu_b + K - 1), omega_l = 14 var(block means)."""
    rng = np.random.default_rng(7)
    backtest = backtest_of(rng.normal(size=180))
    live = 4.0 * rng.normal(size=56)
    blocks = 14 * live.reshape(4, 14).mean(axis=1).var(ddof=1)

    pooled = (backtest.nu * backtest.variance + 3 * blocks) / (backtest.nu + 3)

    assert confidence_path(live, backtest).sigma[-1] ** 2 == pytest.approx(max(pooled, backtest.variance))


def test_boundary_holds_for_all_looks_together():
    """Means of independent standard normals leave the boundary in at most 5 % of all streams, ever."""
    draws = np.random.default_rng(8).normal(size=(2000, 400))
    n = np.arange(1, 401)

    left = np.abs(draws.cumsum(axis=1) / n) > mixture_radius(n)

    assert left.any(axis=1).mean() <= 0.05


def test_anytime_t_holds_for_all_looks_together_with_unknown_spread():
    """The same with the spread estimated from the stream itself."""
    draws = np.random.default_rng(9).normal(size=(2000, 200))
    n = np.arange(1, 201)
    mean = draws.cumsum(axis=1) / n
    spread = np.sqrt(np.maximum((draws**2).cumsum(axis=1) - n * mean**2, 0.0) / np.maximum(n - 1, 1))

    left = np.abs(mean) > np.array([anytime_t_half_width(n, row / np.sqrt(n)) for row in spread])

    assert 0.005 <= left.any(axis=1).mean() <= 0.05


def test_without_a_backtest_it_ships_from_8_blocks():
    """Sixteen weeks of clear gain ship without any backtest, fewer do not."""
    live = 3.0 + np.random.default_rng(10).normal(size=140)

    assert monitor(live, None).decided_at == 112
    assert monitor(live[:111], None).decision is LiveDecision.UNDECIDED


def test_cusum_finds_harm_that_begins_late():
    """After four good months, a loss of one standard deviation a day is found in weeks, by the CUSUM."""
    rng = np.random.default_rng(11)
    backtest = backtest_of(rng.normal(size=180))
    live = rng.normal(size=240)
    live[120:] -= 1.0

    alarm = first_alarm(live, backtest)

    assert alarm is not None
    assert alarm.trigger is Trigger.CUSUM
    assert 120 < alarm.n <= 160
    assert not alarm.trigger.is_pause


def test_breaker_pauses_on_a_day_beyond_anything_seen():
    """One disastrous day pauses at once; a backtest shorter than 180 days does not know what a disaster is."""
    rng = np.random.default_rng(12)
    history = rng.normal(size=180)
    live = rng.normal(size=20)
    live[4] = -30.0

    alarm = first_alarm(live, backtest_of(history))

    assert alarm is not None
    assert (alarm.trigger, alarm.n, alarm.value, alarm.trigger.is_pause) == (Trigger.BREAKER, 5, -30.0, True)
    assert breaker_threshold(backtest_of(history[:179])) == math.inf
    assert first_alarm(live[:6], backtest_of(history[:179])) is None


def test_margin_tolerates_a_small_loss():
    """A certain loss within the margin is no interval alarm."""
    rng = np.random.default_rng(13)
    backtest = backtest_of(rng.normal(size=180))
    live = rng.normal(size=100) - 0.5

    strict, lenient = first_alarm(live, backtest), first_alarm(live, backtest, margin=2.0)

    assert strict is not None
    assert strict.trigger is Trigger.INTERVAL
    assert lenient is None or lenient.trigger is Trigger.CUSUM


def test_identical_policies_never_alarm_and_a_certain_loss_does():
    """Differences of exactly zero are no harm; a constant loss against a backtest of zeros is."""
    still = backtest_of(np.zeros(180))

    assert first_alarm(np.zeros(60), still) is None
    assert first_alarm(np.full(60, -1.0), still) is not None
    assert first_alarm([], still) is None
