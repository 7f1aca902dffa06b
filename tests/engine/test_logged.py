"""Logged decisions: what they say of other ones is unbiased, and where they say too little that is said."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from shipworthy.analysis import Criteria, verdict
from shipworthy.engine.logged import agreement, rescored, support_of
from shipworthy.errors import InvalidInputError
from shipworthy.problem import Problem
from shipworthy.sources.frame import frame
from shipworthy.statistics import doubly_robust, inverse_propensity, support

OFFERS = 3
TRUE_GAIN = 0.3


def a_shop() -> Problem:
    """A shop that offers each guest one of three discounts; what the guest then spends depends on the offer."""
    problem = Problem(
        "offers",
        rows=frame(pl.DataFrame()),
        period="day",
        unit="guest",
        outcome="spent",
        decision="offer",
        counterfactual=False,
        propensity="chance",
    )
    problem.value(lambda happened: pl.col("spent") - 0.1 * pl.col("offer"))
    problem.guardrail(margin=0.1)(lambda happened: pl.col("spent") > 0)
    return problem


def a_log(seed: int, days: int = 60, guests: int = 20) -> pl.DataFrame:
    """A log whose offers were drawn with known probabilities that depend on the guest."""
    draws = np.random.default_rng(seed)
    n = days * guests
    loyal = draws.normal(size=n)
    chances = np.exp(np.outer(loyal, [0.0, 0.5, -0.5]))
    chances /= chances.sum(axis=1, keepdims=True)
    offer = (draws.random(n)[:, None] > chances.cumsum(axis=1)).sum(axis=1)
    spent = 2.0 + loyal + np.where(offer == 2, TRUE_GAIN + 0.2, 0.1 * offer) + draws.normal(size=n)
    return pl.DataFrame(
        {
            "day": np.repeat(np.arange(days), guests),
            "guest": np.arange(n),
            "loyal": loyal,
            "offer": offer.astype(float),
            "chance": chances[np.arange(n), offer],
            "spent": spent,
        }
    )


def a_track(log: pl.DataFrame, offer: float) -> pl.DataFrame:
    """The track of a policy that offers everybody the same."""
    unknown = pl.lit(None, dtype=pl.Float64)
    return log.select("day", "guest", offer=pl.lit(offer), value=unknown, **{"<lambda>": unknown})


def test_scores_of_a_policy_that_never_ran_are_unbiased():
    """Over 60 logs, the mean score of "always the third offer" is what that would truly have earned, and so is the difference."""
    problem = a_shop()
    thirds, gains = [], []
    for seed in range(60):
        log = a_log(seed)
        third, first = (rescored(problem, log, a_track(log, offer))["value"].to_numpy() for offer in (2.0, 0.0))
        thirds.append(third.mean())
        gains.append((third - first).mean())
    for found, true in ((thirds, 2.0 + TRUE_GAIN), (gains, TRUE_GAIN)):
        error = np.std(found) / np.sqrt(len(found))
        assert abs(np.mean(found) - true) < 3 * error


def test_a_model_of_what_decisions_earn_makes_the_estimate_sharper():
    """The doubly robust mean varies less from log to log than the mean by inverse probabilities alone."""
    problem = a_shop()
    plain, robust = [], []
    for seed in range(40):
        log = a_log(seed)
        agrees = (log["offer"] == 2.0).to_numpy()
        value = log.select(pl.col("spent") - 0.1 * pl.col("offer")).to_series().to_numpy()
        plain.append(inverse_propensity(value, agrees, log["chance"].to_numpy()).mean())
        robust.append(rescored(problem, log, a_track(log, 2.0))["value"].to_numpy().mean())
    assert np.std(robust) < 0.8 * np.std(plain)


def test_the_verdict_on_scores_covers_the_true_gain():
    """Of 60 logs, the 95 % interval of the paired scores holds the true gain in at least 54."""
    problem = a_shop()
    covered = 0
    for seed in range(60):
        log = a_log(seed)
        sides = {
            f"value_{role}": rescored(problem, log, a_track(log, offer))["value"]
            for role, offer in (("champion", 0.0), ("challenger", 2.0))
        }
        found = verdict(log.select(period="day", unit="guest").with_columns(**sides), Criteria())
        covered += found.low <= TRUE_GAIN <= found.high
    assert covered >= 54


def test_support_counts_what_the_log_can_say():
    """The logging policy itself has all support; one that never agrees has none; a rare agreement weighs heavily."""
    problem, log = a_shop(), a_log(1)
    logged = log.select("day", "guest", "offer")
    assert agreement(problem, log, logged) == 1.0
    assert support_of(problem, log, a_track(log, 9.0)).effective == 0.0

    some = support_of(problem, log, a_track(log, 2.0))
    assert 0 < some.effective <= some.agreeing < some.rows == log.height
    lonely = support(np.array([True] + [False] * 99), np.full(100, 0.01))
    assert (lonely.effective, lonely.heaviest) == (1.0, 1.0)


@pytest.mark.parametrize("bad", [0.0, -0.1, 1.1, float("nan")])
def test_a_probability_that_is_none_is_refused(bad):
    """A zero would weigh infinitely, and a missing one silently nothing."""
    with pytest.raises(InvalidInputError, match="1 of 2 logged decisions have a probability outside 0 to 1"):
        support(np.array([True, True]), np.array([0.5, bad]))


def test_a_wrong_model_does_not_bias_and_right_probabilities_suffice():
    """Whatever the model expects, its expectation is taken back where the policy agrees."""
    draws = np.random.default_rng(7)
    chance = np.full(200_000, 0.25)
    agrees = draws.random(chance.size) < chance
    value = 5.0 + draws.normal(size=chance.size)
    nonsense = draws.normal(100.0, 1.0, chance.size)
    found = doubly_robust(value, agrees, chance, expected=nonsense, expected_logged=nonsense)
    assert abs(found.mean() - 5.0) < 3 * found.std() / np.sqrt(chance.size)


def test_too_many_different_decisions_can_only_be_tried_live():
    """Where every decision is another number, none will ever be decided again."""
    log = a_log(1).with_columns(offer=pl.int_range(pl.len()).cast(pl.Float64))
    with pytest.raises(InvalidInputError, match="only a live trial can tell"):
        rescored(a_shop(), log, a_track(log, 2.0))


def test_decisions_of_another_kind_than_the_log_s_are_refused():
    """A word is no number: such a policy would seem to agree nowhere."""
    log = a_log(1)
    with pytest.raises(InvalidInputError, match="decides 'offer' as String, and the log holds it as Float64"):
        agreement(a_shop(), log, a_track(log, 2.0).with_columns(offer=pl.lit("two")))


def test_a_policy_never_sees_what_was_drawn():
    """The logged decision and its probability are hidden like the outcome."""
    assert a_shop().hidden == ("spent", "chance")
