"""Canaries: right on average, honest however often one looks, quick where there is something to see."""

import math

import numpy as np
import pytest
import statsmodels.api as sm

from shipworthy.statistics.canary import means_before, period_effects, randomised_path, sticky_path
from shipworthy.statistics.sequential import LiveDecision, anytime_t_half_width, read_path
from tests.series import autoregression

UNITS, LOOKS, PAST = 20, 90, 28


def shops(rng, units=UNITS, periods=PAST + LOOKS):
    """Money of unlike shops with slow movements of their own and days that all share, shape (periods, units)."""
    own = autoregression(rng, 0.5, periods, units).T
    return rng.normal(100.0, 30.0, size=units) + 5.0 * own + 3.0 * rng.normal(size=periods)[:, None]


def drawn_anew(rng, gain):
    """Judges one trial whose arms are drawn anew each period."""
    money = shops(rng)
    tried = rng.random((LOOKS, UNITS)) < 0.5
    expected = np.cumsum(money, axis=0)[PAST - 1 : -1] / np.arange(PAST, PAST + LOOKS)[:, None]
    came = money[PAST:] + gain * tried
    effects = period_effects(came.ravel(), expected.ravel(), tried.ravel(), np.repeat(np.arange(LOOKS), UNITS), 0.5)
    return read_path(randomised_path(effects))


def kept(rng, gain, *, cuped=True):
    """Judges one trial whose units keep their arm."""
    money = shops(rng)
    tried = rng.permutation(UNITS) % 2 == 0
    came = money[PAST:] + gain * tried
    before = money[:PAST].mean(axis=0) if cuped else None
    return read_path(sticky_path(came, np.ones_like(came), tried, before=before, planned=LOOKS))


@pytest.mark.parametrize("trial", [drawn_anew, kept])
def test_ninety_looks_ship_or_stop_at_most_5_percent_of_null_trials(trial):
    """A challenger that is no better is neither shipped nor called harmful, however often one looks."""
    rng = np.random.default_rng(1)

    found = [trial(rng, 0.0).decision for _ in range(200)]

    assert np.mean([decision is LiveDecision.SHIP for decision in found]) <= 0.05
    assert np.mean([decision is LiveDecision.HARM for decision in found]) <= 0.05


@pytest.mark.parametrize(("trial", "gain"), [(drawn_anew, 2.0), (kept, 5.0)])
def test_a_gain_is_found_in_weeks(trial, gain):
    """A gain of 2 and 5 % is shipped in nine trials of ten, half of them within a month."""
    rng = np.random.default_rng(2)

    found = [trial(rng, gain) for _ in range(60)]

    assert np.mean([one.decision is LiveDecision.SHIP for one in found]) >= 0.9
    assert np.median([one.decided_at or math.inf for one in found]) <= 30


def test_without_its_past_a_canary_of_unlike_units_sees_nothing():
    """The same gain that CUPED finds is lost among shops of unlike size."""
    rng = np.random.default_rng(3)

    assert np.mean([kept(rng, 5.0, cuped=False).decision is LiveDecision.SHIP for _ in range(60)]) <= 0.05


def test_effects_are_right_on_average_whatever_the_forecast():
    """Over all coins of three units the mean of the period's effect is the true gain, with a bad forecast too."""
    coins = np.array([[(i >> unit) & 1 for unit in range(3)] for i in range(8)], dtype=bool)
    share, gain, base = 0.3, 2.0, np.array([10.0, 20.0, 70.0])
    chances = np.prod(np.where(coins, share, 1 - share), axis=1)

    effects = [period_effects(base + gain * tried, [5.0, 90.0, 1.0], tried, [0, 0, 0], share)[0] for tried in coins]

    assert chances @ effects == pytest.approx(gain)


def test_means_before_know_nothing_of_today():
    """Each forecast is the mean of the unit's earlier rows, in whatever order the rows come."""
    rng = np.random.default_rng(4)
    values, units, periods = rng.normal(size=60), np.repeat(np.arange(3), 20), np.tile(np.arange(20), 3)
    order = rng.permutation(60)

    found = means_before(values[order], units[order], periods[order])

    for row, forecast in zip(order, found, strict=True):
        earlier = values[(units == units[row]) & (periods < periods[row])]
        assert forecast == pytest.approx(earlier.mean()) if earlier.size else np.isnan(forecast)


def test_randomised_path_is_the_anytime_t_of_its_periods():
    """Mean, spread and half width are the closed forms, tightest at 45 periods; before 5 nothing is said."""
    effects = np.random.default_rng(5).normal(3.0, 2.0, size=50)
    path = randomised_path(effects)
    half = anytime_t_half_width(50, effects.std(ddof=1) / math.sqrt(50), tightest_at=45.0)

    assert path.mean[-1] == pytest.approx(effects.mean())
    assert path.high[-1] - path.mean[-1] == pytest.approx(float(half))
    assert path.high[:4].tolist() == [math.inf] * 4


def test_cuped_is_the_regression_on_arm_and_past():
    """With theta from within the arms the difference is the coefficient of a regression on the arm and the past."""
    rng = np.random.default_rng(6)
    past, tried = rng.normal(50.0, 20.0, size=40), np.arange(40) % 2 == 0
    days = past + rng.normal(size=(30, 40)) + 3.0 * tried
    regression = sm.OLS(days.mean(axis=0), np.c_[np.ones(40), tried, past]).fit()

    mean = sticky_path(days, np.ones_like(days), tried, before=past).mean[-1]

    assert mean == pytest.approx(regression.params[1], rel=0.05)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_money_of_any_size_gives_the_same_decision(scale):
    """Cents or billions: interval and mean scale with the money, the decision does not."""
    rng = np.random.default_rng(7)
    money = shops(rng)[PAST:]
    tried = np.arange(UNITS) % 2 == 0

    for path, scaled in (
        (
            sticky_path(money, np.ones_like(money), tried),
            sticky_path(money * scale, np.ones_like(money), tried),
        ),
        (randomised_path(money[:, 0]), randomised_path(money[:, 0] * scale)),
    ):
        assert scaled.low == pytest.approx(path.low * scale)
        assert scaled.high == pytest.approx(path.high * scale)


def test_the_interval_of_a_look_does_not_know_later_ones():
    """Fed period by period both paths are those fed at once."""
    money = shops(np.random.default_rng(8))[PAST:]
    tried = np.arange(UNITS) % 2 == 0
    sticky, drawn = sticky_path(money, np.ones_like(money), tried), randomised_path(money[:, 0])

    for n in (4, 5, 30, 90):
        part = sticky_path(money[:n], np.ones_like(money[:n]), tried)
        assert (part.low[-1], part.high[-1]) == (sticky.low[n - 1], sticky.high[n - 1])
        assert randomised_path(money[:n, 0]).low[-1] == drawn.low[n - 1]


def test_few_units_say_nothing():
    """Fewer than ten units in an arm give no interval, and neither does an arm without spread."""
    rng = np.random.default_rng(9)
    few = sticky_path(rng.normal(size=(30, 19)), np.ones((30, 19)), np.arange(19) < 9)

    assert not np.isfinite(few.low).any()
    assert not np.isfinite(randomised_path(np.ones(30)).low).any()
    assert randomised_path([]).mean.size == 0
