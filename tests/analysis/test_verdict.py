"""The verdict: its decisions, its symmetries, and how it travels."""

import json
import math

import numpy as np
import polars as pl
import pytest

from shipworthy.analysis import Criteria, Decision, Verdict, verdict
from shipworthy.errors import InvalidInputError
from shipworthy.statistics import estimate
from tests.series import autoregression, clear_gain, evidence

GAIN = clear_gain()


def interval(found):
    """Returns the three numbers of a verdict's interval."""
    return found.gain, found.low, found.high


def test_clear_gain_ships_with_the_interval_of_its_day_sums():
    """The interval is that of the day sums, and the first reason says what it earns."""
    found = verdict(evidence(GAIN))
    expected = estimate(GAIN.sum(axis=1), np.full(60, 4.0))

    assert found.decision is Decision.SHIP
    assert interval(found) == pytest.approx((expected.mean, expected.low, expected.high), rel=1e-9)
    assert found.reasons[0].startswith("The challenger earns")
    assert found.probability_of_harm < 0.001
    assert found.periods_still_needed is None


def test_permutation_of_rows_leaves_the_verdict_equal_to_the_last_bit():
    """Order of rows is never evidence."""
    frame = evidence(GAIN * np.pi * 1e5)
    criteria = Criteria(entities="sample")
    ordered = verdict(frame, criteria)

    for seed in range(5):
        assert verdict(frame.sample(fraction=1.0, shuffle=True, seed=seed), criteria) == ordered


def test_scaling_money_scales_the_interval():
    """In cents everything is a hundred times what it is in euros, and the decision is the same."""
    euros, cents = verdict(evidence(GAIN)), verdict(evidence(GAIN * 100.0))

    assert interval(cents) == pytest.approx(tuple(100.0 * end for end in interval(euros)))
    assert cents.decision == euros.decision


def test_adding_a_constant_shifts_the_interval():
    """One more euro for each pair moves all three numbers by one."""
    found, more = verdict(evidence(GAIN)), verdict(evidence(GAIN + 1.0))

    assert interval(more) == pytest.approx(tuple(end + 1.0 for end in interval(found)))


def test_swapping_the_columns_mirrors_the_verdict_exactly():
    """What ships one way stops the other way, with the interval turned around."""
    frame = evidence(GAIN)
    swapped = frame.rename({"value_champion": "value_challenger", "value_challenger": "value_champion"})
    found, mirrored = verdict(frame), verdict(swapped)

    assert (found.decision, mirrored.decision) == (Decision.SHIP, Decision.STOP)
    assert (mirrored.gain, mirrored.low, mirrored.high) == (-found.gain, -found.high, -found.low)
    assert mirrored.probability_of_harm == pytest.approx(1.0 - found.probability_of_harm)
    assert mirrored.reasons[0].startswith("The challenger loses money")


def test_gain_below_the_claim_is_disproved_and_below_the_smallest_worth_is_open():
    """A certain gain of 1 is no proof of 0.9, disproves 5, and ships where 0.2 is enough."""
    frame = evidence(GAIN)

    assert verdict(frame, Criteria(min_effect=0.2)).decision is Decision.SHIP
    assert verdict(frame, Criteria(min_effect=0.9)).decision is Decision.INCONCLUSIVE
    assert verdict(frame, Criteria(min_effect=5.0)).decision is Decision.STOP
    assert "disproved" in verdict(frame, Criteria(min_effect=5.0)).reasons[0]


def test_gain_worth_shipping_ships_although_the_claim_was_larger():
    """The promise of 5 is not kept, which is said, but a proven gain above the smallest worth is taken."""
    found = verdict(evidence(GAIN), Criteria(min_effect=0.2, target=5.0))

    assert found.decision is Decision.SHIP
    assert "less than the 5 that the idea claimed" in found.reasons[0]


def test_noise_is_inconclusive_and_says_how_much_more_is_needed():
    """Where the interval holds zero nothing is decided, and the periods still needed are named."""
    found = verdict(evidence(0.15 + np.random.default_rng(3).normal(size=60)))

    assert found.decision is Decision.INCONCLUSIVE
    assert found.periods_still_needed > 60
    assert f"{found.periods_still_needed:,} days more" in found.reasons[-1]


def test_wandering_difference_is_inconclusive():
    """A difference that drifts for weeks has no mean to speak of yet, however large it is."""
    walk = np.cumsum(np.random.default_rng(4).normal(size=60)) + 100.0
    found = verdict(evidence(walk))

    assert found.decision is Decision.INCONCLUSIVE
    assert (found.low, found.high, found.nu) == (-math.inf, math.inf, 0)
    assert found.gain == pytest.approx(walk.mean())
    assert "wanders" in found.reasons[0]


def test_refits_need_four_in_the_evidence():
    """Sixty days with a refit every 28 hold two fits of the procedure: too few to judge it."""
    found = verdict(evidence(GAIN), Criteria(refit_periods=28))

    assert found.decision is Decision.INCONCLUSIVE
    assert "2.1 refits" in found.reasons[0]
    assert verdict(evidence(GAIN), Criteria(refit_periods=7)).nu <= 6


def test_stress_interval_is_shown_and_decides_only_when_asked():
    """With 60 days seen and 20 to learn from, refits that err together double the standard error."""
    criteria = Criteria(refit_periods=7, training_periods=20, min_effect=0.45)
    shown = verdict(evidence(GAIN), criteria)
    decides = verdict(
        evidence(GAIN), Criteria(refit_periods=7, training_periods=20, min_effect=0.45, refit_stress=True)
    )

    assert shown.decision is Decision.SHIP
    assert decides.decision is Decision.INCONCLUSIVE
    assert decides.se == pytest.approx(2.0 * shown.se)
    assert shown.exposure.stress == decides.exposure.stress == (decides.low, decides.high)
    assert verdict(evidence(GAIN)).exposure.stress is None


def test_units_as_a_sample_widen_the_interval_by_what_units_differ():
    """Where half of the shops lose, a new shop may too; the shops of the evidence together still gain."""
    rng = np.random.default_rng(5)
    shops = 1.0 + 4.0 * rng.normal(size=10)
    frame = evidence(shops - shops.mean() + 1.0 + 0.5 * rng.normal(size=(60, 10)))

    assert verdict(frame).decision is Decision.SHIP
    assert verdict(frame, Criteria(entities="sample")).decision is Decision.INCONCLUSIVE


def test_worst_loss_that_was_not_seen_may_withhold_a_ship():
    """A declared disaster, which 60 days cannot exclude, is taken off before the decision."""
    mild = verdict(evidence(GAIN), Criteria(worst_day_loss=1.0))
    severe = verdict(evidence(GAIN), Criteria(worst_day_loss=1000.0))
    seen = severe.exposure.effective_periods

    assert (mild.decision, severe.decision) == (Decision.SHIP, Decision.INCONCLUSIVE)
    assert severe.exposure.unseen_loss == pytest.approx((1.0 - 0.05 ** (1.0 / seen)) * 1000.0)
    assert (severe.low, severe.high) == (mild.low, mild.high)


def test_exposure_says_what_the_gain_rests_on():
    """Shares of the best rows and day, phi, effective days and the loss that would erase the gain."""
    differences = GAIN.copy()
    found = verdict(evidence(differences))
    exposure = found.exposure
    best = np.sort(differences.ravel())[::-1][: math.ceil(differences.size / 100)]

    assert exposure.best_rows_share == pytest.approx(best.sum() / differences.sum())
    assert exposure.best_period_share == pytest.approx(differences.sum(axis=1).max() / differences.sum())
    assert (exposure.periods, exposure.pairs, exposure.usable_share) == (60, 240, 1.0)
    assert 0.0 < exposure.effective_periods <= 60.0
    assert "60 days were seen" in exposure.sentence
    assert "erased by one unseen period in 60" in exposure.sentence


def test_halves_that_disagree_are_called_unstable():
    """A gain that turned into a loss halfway is noted, whatever its mean."""
    rng = np.random.default_rng(6)
    turned = np.r_[np.full(60, 5.0), np.full(60, -4.0)] + rng.normal(size=120)

    assert not verdict(evidence(turned)).exposure.is_stable
    assert any(note.startswith("Not stable") for note in verdict(evidence(turned)).notes)
    assert verdict(evidence(GAIN)).exposure.is_stable


def test_money_per_period_and_per_year():
    """Four shops a day, and a year of 1,460 shop-days that somebody planned."""
    found = verdict(evidence(GAIN), Criteria(units_per_year=1460.0))

    assert found.per_period().gain == pytest.approx(4.0 * found.gain)
    assert found.per_year().low == pytest.approx(1460.0 * found.low)
    assert found.per_year(10.0).high == pytest.approx(10.0 * found.high)
    assert any("extrapolated from a span of 60 days in January, February" in note for note in found.notes)
    with pytest.raises(InvalidInputError, match="units_per_year"):
        verdict(evidence(GAIN)).per_year()


@pytest.mark.parametrize(
    ("differences", "criteria"),
    [
        (GAIN, Criteria(training_periods=90, refit_periods=7, units_per_year=10.0)),
        (GAIN[:5], Criteria()),
        (np.full((40, 2), np.nan), Criteria(target=1.0)),
    ],
)
def test_verdict_survives_json(differences, criteria):
    """Written as strict JSON and read again it is the same verdict, open intervals included."""
    found = verdict(evidence(differences), criteria)

    assert Verdict.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False))) == found


def test_from_dict_refuses_what_is_no_verdict():
    """A missing field is named, not a traceback."""
    with pytest.raises(InvalidInputError, match="decision"):
        Verdict.from_dict({"gain": 1.0})


def test_missing_column_names_what_is_asked_and_what_is_there():
    """A frame without the challenger's value is the caller's error."""
    frame = evidence(GAIN).drop("value_challenger")

    with pytest.raises(InvalidInputError, match=r"value_challenger missing\. There is: period, unit, value_champion"):
        verdict(frame)


@pytest.mark.parametrize(
    "wrong",
    [
        {"alpha": 0.0},
        {"cadence": "daily"},
        {"entities": "some"},
        {"min_effect": math.nan},
        {"refit_periods": -1},
        {"refit_stress": True},
        {"training_periods": 0},
        {"units_per_year": 0.0},
        {"worst_day_loss": -1.0},
        {"target": math.inf},
    ],
)
def test_criteria_name_the_field_that_is_wrong(wrong):
    """Criteria out of range are refused before any evidence is opened."""
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        Criteria(**wrong)


def test_aa_verdicts_of_shared_shocks_ship_at_most_5_percent():
    """Twenty shops that share autocorrelated days are not twenty independent witnesses."""
    rng = np.random.default_rng(8)
    shipped = []
    for shocks in autoregression(rng, 0.5, 60, 200):
        rows = shocks[:, None] + rng.normal(size=(60, 20))
        shipped.append(verdict(evidence(rows)).decision is Decision.SHIP)

    assert np.mean(shipped) <= 0.05


def test_integer_periods_are_periods_and_dates_are_days():
    """Numbered periods give the interval of the same days."""
    numbered = verdict(evidence(GAIN, periods=range(60)))

    assert interval(numbered) == interval(verdict(evidence(GAIN)))


def test_decimals_and_whole_cents_are_money_too():
    """Decimal and integer columns are judged as the floats they are."""
    cents = evidence(np.round(GAIN * 100.0))
    whole = cents.with_columns(pl.col("value_champion", "value_challenger").cast(pl.Int32))
    decimals = cents.with_columns(pl.col("value_champion", "value_challenger").cast(pl.Decimal(12, 2)))

    assert interval(verdict(whole)) == interval(verdict(decimals)) == interval(verdict(cents))
