"""Evidence at its edges: every frame gets an answer, none an exception."""

import math
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from shipworthy.analysis import Criteria, Decision, verdict
from tests.series import FIRST_DAY, clear_gain, days, evidence

GAIN = clear_gain()
NO_ROWS = evidence(GAIN).clear()


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (NO_ROWS, "no rows"),
        (pl.DataFrame({name: [] for name in NO_ROWS.columns}), "no rows"),
        (evidence(GAIN[:1]), "1 day;"),
        (evidence(GAIN[:5]), "5 days"),
        (evidence(GAIN[:19]), "19 days"),
    ],
)
def test_too_few_periods_are_inconclusive_without_an_interval(frame, says):
    """Fewer than 20 periods say nothing of the future."""
    found = verdict(frame)

    assert found.decision is Decision.INCONCLUSIVE
    assert (found.low, found.high, found.probability_of_harm) == (-math.inf, math.inf, None)
    assert says in found.reasons[0]
    assert found.periods_still_needed == 28 - found.exposure.periods


@pytest.mark.parametrize("count", [21, 27])
def test_from_20_to_27_periods_the_interval_is_shown_and_shipping_withheld(count):
    """A few good weeks can be luck: no ship, but stopping is allowed."""
    differences = 5.0 + 0.1 * clear_gain(count)

    found, mirrored = verdict(evidence(differences)), verdict(evidence(-differences))

    assert found.decision is Decision.INCONCLUSIVE
    assert found.low > 0.0
    assert "shipping needs 28" in found.reasons[0]
    assert mirrored.decision is Decision.STOP


def test_20_periods_show_an_interval_and_decide_nothing():
    """Two cosines are one too few, in either direction."""
    for sign in (1.0, -1.0):
        found = verdict(evidence(sign * (5.0 + 0.1 * clear_gain(20))))

        assert found.decision is Decision.INCONCLUSIVE
        assert math.isfinite(found.low)
        assert "one too few" in found.reasons[0]


def test_28_periods_can_ship():
    """Four weeks of a clear gain are enough."""
    assert verdict(evidence(5.0 + 0.1 * clear_gain(28))).decision is Decision.SHIP


@pytest.mark.parametrize("active", [0, 19])
def test_policies_that_hardly_ever_differ_are_inconclusive(active):
    """Differences on fewer than 20 days carry no verdict; mean and rows are still shown."""
    differences = np.zeros((60, 4))
    differences[:active] = GAIN[:active]
    found = verdict(evidence(differences))

    assert found.decision is Decision.INCONCLUSIVE
    assert f"in {active} of 60 periods (240 pairs)" in found.reasons[0]
    assert found.gain == pytest.approx(differences.mean())
    assert (found.low, found.high) == (-math.inf, math.inf)


@pytest.mark.parametrize("constant", [0.1, -1e-12, 1e12])
def test_constant_difference_asks_for_the_evidence_to_be_checked(constant):
    """The same gain to the cent on every day is a mistake, not a miracle."""
    found = verdict(evidence(np.full((60, 3), constant)))

    assert found.decision is Decision.INCONCLUSIVE
    assert "check the evidence" in found.reasons[0]
    assert found.gain == pytest.approx(constant)


def test_ties_are_data():
    """Where nine of ten pairs agree, the tenth decides."""
    rng = np.random.default_rng(1)
    differences = np.where(rng.random(size=(90, 20)) < 0.1, 3.0 + rng.normal(size=(90, 20)), 0.0)

    assert verdict(evidence(differences)).decision is Decision.SHIP


def test_one_entity_is_enough_for_itself_and_not_for_others():
    """One shop may ship for itself; it cannot speak for a chain."""
    frame = evidence(clear_gain(60, 1))

    assert verdict(frame).decision is Decision.SHIP
    found = verdict(frame, Criteria(entities="sample"))
    assert found.decision is Decision.INCONCLUSIVE
    assert found.reasons[0].startswith("1 unit cannot speak for others")


def test_one_row_that_carries_it_is_not_enough_and_is_named():
    """A single enormous pair blows up the standard error; the report says which it was."""
    differences = 0.01 * GAIN
    differences[30, 2] = 1e4
    found = verdict(evidence(differences))

    assert found.decision is Decision.INCONCLUSIVE
    assert any("2024-01-31" in note and "shop-002" in note for note in found.notes)


@pytest.mark.parametrize("currency", [1e12, 1e-12])
def test_any_currency_gets_the_same_decision(currency):
    """All tests are relative: the interval scales, the decision stays."""
    found, scaled = verdict(evidence(GAIN)), verdict(evidence(GAIN * currency))

    assert scaled.decision is found.decision
    assert scaled.low == pytest.approx(found.low * currency)
    assert scaled.nu == found.nu


@pytest.mark.parametrize("amount", [1e307, 1e200, 1e-200, 1e-307])
def test_amounts_that_no_currency_has_are_invalid(amount):
    """Numbers that would leave the range of a float are refused, not overflowed."""
    assert verdict(evidence(GAIN * amount)).decision is Decision.INVALID


def test_hourly_rows_are_summed_to_days():
    """Hours of one day are not independent days."""
    hours = [datetime(2024, 1, 1) + timedelta(hours=hour) for hour in range(60 * 24)]
    hourly = np.repeat(clear_gain(60, 1), 24, axis=0)
    found = verdict(evidence(hourly, periods=hours))

    assert found.exposure.periods == 60
    assert found.exposure.pairs == 1440
    assert found.low == pytest.approx(verdict(evidence(clear_gain(60, 1))).low)


def test_weekly_decisions_count_weeks():
    """With a cadence of a week, 140 days are 20 periods and 139 are too few weeks to say anything."""
    criteria = Criteria(cadence="1w")

    assert verdict(evidence(clear_gain(140)), criteria).exposure.periods == 20
    assert "19 weeks" in verdict(evidence(clear_gain(133)), criteria).reasons[0]


def test_time_zones_keep_their_own_days():
    """A day in Berlin is a day in Berlin, on the days the clocks change too."""
    start = datetime(2024, 3, 1)
    hours = pl.datetime_range(start, start + timedelta(days=40), "6h", time_zone="Europe/Berlin", eager=True)
    rng = np.random.default_rng(2)

    assert verdict(evidence(rng.normal(size=hours.len()), periods=hours)).exposure.periods == 40


def test_calendar_gaps_are_allowed_and_noted():
    """Shops closed at weekends are fine; half a year of silence is said."""
    scattered = [FIRST_DAY + timedelta(days=2 * day) for day in range(60)]
    weekdays = [day for day in days(84) if day.weekday() < 5]

    found = verdict(evidence(GAIN, periods=scattered))

    assert found.decision is Decision.SHIP
    assert any(note.startswith("50% of the periods between 2024-01-01 and 2024-04-28") for note in found.notes)
    assert not any("hold no rows" in note for note in verdict(evidence(GAIN, periods=weekdays)).notes)


def test_exact_duplicates_are_dropped_and_noted():
    """The same row twice is one row."""
    frame = evidence(GAIN)
    found = verdict(pl.concat([frame, frame.head(3)]))

    assert found.low == verdict(frame).low
    assert found.notes[0] == "3 rows repeat others and were dropped."


def test_contradicting_duplicates_are_invalid():
    """Two different values for one shop and day are a data error, which is named."""
    frame = evidence(GAIN)
    found = verdict(pl.concat([frame, frame.head(1).with_columns(value_challenger=pl.lit(9.0))]))

    assert found.decision is Decision.INVALID
    assert "period 2024-01-01, unit shop-000" in found.reasons[0]
    assert (found.low, found.high, found.exposure) == (-math.inf, math.inf, None)


@pytest.mark.parametrize(
    ("column", "replacement", "says"),
    [
        ("period", pl.lit(None, dtype=pl.Date), "no period"),
        ("unit", pl.lit(None, dtype=pl.String), "no unit"),
        ("period", pl.col("period").cast(pl.String), "dates, times or whole numbers"),
        ("unit", pl.concat_list("unit"), "one name or number"),
        ("value_champion", pl.lit("much"), "must hold numbers"),
    ],
)
def test_unreadable_columns_are_invalid(column, replacement, says):
    """What cannot be read is a verdict of its own, not a traceback."""
    found = verdict(evidence(GAIN).with_columns(replacement.alias(column)))

    assert found.decision is Decision.INVALID
    assert says in found.reasons[0]


@pytest.mark.parametrize("missing", [None, math.nan, math.inf, -math.inf])
def test_unusable_pairs_are_left_out(missing):
    """Null, NaN and infinity are no numbers; the rest is judged as if they had never been there."""
    frame = evidence(GAIN)
    holes = pl.int_range(pl.len()) % 80 == 3
    found = verdict(frame.with_columns(value_challenger=pl.when(~holes).then("value_challenger").otherwise(missing)))

    assert found.exposure.usable_share == pytest.approx(1.0 - 3 / 240)
    assert found.low == pytest.approx(verdict(frame.filter(~holes)).low)


def test_too_many_unusable_pairs_are_inconclusive():
    """With a quarter of the pairs missing nothing is decided."""
    differences = GAIN.copy()
    differences[:, 0] = np.nan

    neither = pl.col("value_challenger") * 0.0
    found = verdict(evidence(differences).with_columns(value_champion=neither))

    assert found.decision is Decision.INCONCLUSIVE
    assert "75.0%" in found.reasons[0]


def test_columns_without_any_number_are_inconclusive():
    """All values null is evidence of nothing."""
    found = verdict(evidence(GAIN).with_columns(value_challenger=None))

    assert found.decision is Decision.INCONCLUSIVE
    assert found.exposure.usable_share == 0.0


def test_model_that_fails_to_answer_cannot_ship_on_the_rest():
    """Where a challenger is silent in a tenth of the pairs, those are counted as bad ones before it ships."""
    rng = np.random.default_rng(3)
    differences = 0.3 + rng.normal(size=(120, 20)) * 2.0
    silent = rng.random(size=differences.shape) < 0.1
    frame = evidence(np.where(silent, np.nan, differences))

    found = verdict(frame)

    assert verdict(evidence(differences)).decision is Decision.SHIP
    assert found.decision is Decision.INCONCLUSIVE
    assert "one side only" in found.reasons[0]


def test_few_silent_pairs_do_not_matter():
    """Up to 2 % of the pairs may lack a side."""
    differences = GAIN.copy()
    differences[:4, 0] = np.nan

    assert verdict(evidence(differences)).decision is Decision.SHIP


def test_growing_panel_weighs_pairs_not_days():
    """The gain is per pair, so days with more shops count for more."""
    frame = evidence(GAIN).filter((pl.col("period") >= days(31)[-1]) | (pl.col("unit") == "shop-000"))
    gains = frame.select(pl.col("value_challenger").mean()).item()

    assert verdict(frame).gain == pytest.approx(gains)


@pytest.mark.parametrize("nothing", [math.nan, math.inf, None])
def test_pairs_without_a_number_are_told_and_so_is_a_unit_that_is_lost(nothing):
    """A verdict that leaves a whole unit out says how many pairs it lost and which unit it is silent about."""
    rng = np.random.default_rng(3)
    base = pl.DataFrame({"period": np.repeat(np.arange(60), 8), "unit": [f"dish {i}" for i in range(8)] * 60})
    frame = base.with_columns(
        value_champion=pl.lit(1.0), value_challenger=pl.Series(rng.normal(3.0, 1.0, size=base.height))
    )
    lost = frame.with_columns(
        value_challenger=pl.when(pl.col("unit") == "dish 5").then(pl.lit(nothing)).otherwise(pl.col("value_challenger"))
    )

    assert not any("no number" in note for note in verdict(frame).notes)
    [note] = [note for note in verdict(lost).notes if "no number" in note]

    assert note.startswith("60 of 480 pairs (12.5%) have no number")
    assert note.endswith("not judged at all: unit dish 5.")
