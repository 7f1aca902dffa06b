"""Frames that nobody should hand in: each gets an answer or is refused by name, none a traceback."""

import json
import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from shipworthy.analysis import Criteria, Decision, Margin, Verdict, verdict
from shipworthy.errors import InvalidInputError
from tests.series import clear_gain, days, evidence

GAIN = clear_gain()
FRAME = evidence(GAIN)
BOTH = ("value_champion", "value_challenger")


def with_units(values):
    """Returns the frame with other units, the same four every day."""
    return FRAME.with_columns(unit=pl.Series(np.tile(values, 60)))


@pytest.mark.parametrize(
    "frame",
    [
        FRAME.lazy(),
        pd.DataFrame(FRAME.to_dict(as_series=False)),
        FRAME.to_arrow(),
        FRAME.with_columns(pl.col("period").cast(pl.Datetime("ms", "Asia/Tokyo"))),
        FRAME.with_columns(pl.col("period").cast(pl.Datetime("ns"))).sample(fraction=1.0, shuffle=True, seed=1),
        FRAME.with_columns(pl.col("unit").cast(pl.Categorical)),
        FRAME.with_columns(pl.col("unit").cast(pl.Binary)),
        with_units([0.5, -1.5, math.inf, math.nan]),
        with_units([10**18, 10**18 + 1, 0, -(10**18)]),
        pl.concat([FRAME[row : row + 1] for row in range(240)], rechunk=False),
        FRAME.with_columns(unused=pl.Series([[{}]] * 240, dtype=pl.Object)),
    ],
    ids=["lazy", "pandas", "arrow", "zone", "shuffled", "categories", "bytes", "floats", "large", "chunks", "object"],
)
def test_whatever_holds_the_same_rows_gets_the_same_verdict(frame):
    """Neither the library, the type of the keys nor the order of rows changes the answer."""
    found, known = verdict(frame), verdict(FRAME)

    assert found.decision is Decision.SHIP
    assert (found.gain, found.low, found.high) == (known.gain, known.low, known.high)


@pytest.mark.parametrize("kind", [pl.Float32, pl.Int8, pl.Int128, pl.Decimal(38, 4), pl.Boolean], ids=str)
def test_numbers_of_every_type_are_money(kind):
    """What can be counted can be judged."""
    frame = FRAME.with_columns((pl.col("value_challenger") > 0.0).cast(pl.Int64)).with_columns(
        pl.col(BOTH).cast(pl.Int64)
    )

    found = verdict(frame.with_columns(pl.col(BOTH).cast(kind)))

    assert found.decision is Decision.SHIP
    assert found.low == verdict(frame).low


def test_unsigned_values_do_not_wrap_around():
    """A loss of one from zero is minus one, not 255."""
    frame = evidence(np.where(GAIN > 0.5, 1.0, 3.0)).with_columns(value_champion=2.0)

    found = verdict(frame.with_columns(pl.col(BOTH).cast(pl.UInt8)))

    assert found.gain == pytest.approx(np.where(GAIN > 0.5, -1.0, 1.0).mean())


@pytest.mark.parametrize(
    ("periods", "says"),
    [
        ([date(1, 1, 1), *days(59)], "outside the years 1678 to 2261"),
        ([*days(59), date(9999, 12, 31)], "outside the years"),
        (pl.Series([-(2**31), *range(58), 2**31 - 1], dtype=pl.Int32).cast(pl.Date), "outside the years"),
        (pl.Series([-(2**62), *range(58), 2**62]).cast(pl.Datetime("ms")), "outside the years"),
        ([float(day) for day in range(60)], "dates, times or whole numbers"),
        ([f"2024-{day:03d}" for day in range(60)], "dates, times or whole numbers"),
        ([True, False] * 30, "dates, times or whole numbers"),
    ],
)
def test_periods_that_are_no_calendar_are_invalid(periods, says):
    """Times nobody can compute with, and what is no time at all, are named."""
    found = verdict(evidence(GAIN, periods=periods))

    assert found.decision is Decision.INVALID
    assert says in found.reasons[0]


@pytest.mark.parametrize("cadence", ["1m", "6h", "1d", "3d", "1w", "1mo", "1q", "9999y"])
@pytest.mark.parametrize("zone", [None, "America/Sao_Paulo"])
def test_every_cadence_bins_every_calendar(cadence, zone):
    """From minutes to millennia, over days that begin at one in the morning, there is an answer."""
    start = datetime(2018, 10, 20)
    hours = pl.datetime_range(start, start.replace(month=12), "1h", time_zone="UTC", eager=True)
    moments = hours.dt.convert_time_zone(zone) if zone else hours.dt.replace_time_zone(None)
    found = verdict(
        evidence(np.random.default_rng(1).normal(size=hours.len()), periods=moments), Criteria(cadence=cadence)
    )

    assert found.decision is Decision.INCONCLUSIVE
    assert found.exposure.pairs == hours.len()


def test_one_period_of_many_units_and_many_units_seen_once():
    """A thousand shops on one day are one day; three thousand shops seen once each may still be a sample."""
    rng = np.random.default_rng(2)
    once = evidence(rng.normal(size=(30, 100))).with_columns(unit=pl.int_range(3000))

    assert "1 day;" in verdict(evidence(rng.normal(size=(1, 1000)))).reasons[0]
    assert math.isfinite(verdict(once, Criteria(entities="sample")).low)


def test_panel_that_grows_tenfold_is_judged():
    """Shops that join late count from the day they join."""
    rng = np.random.default_rng(3)
    rows = 1.0 + rng.normal(size=(90, 50))
    rows[np.arange(90)[:, None] < np.arange(50) * 1.8] = np.nan

    assert verdict(evidence(rows).drop_nans("value_challenger")).decision is Decision.SHIP


@pytest.mark.parametrize("nothing", [None, FRAME.to_dict(), FRAME["period"], "evidence.parquet", [1]])
def test_what_is_no_table_is_refused_by_its_name(nothing):
    """A path, a list or nothing is the caller's slip, and the message says what to give."""
    with pytest.raises(InvalidInputError, match=r"Give a Polars or pandas frame|missing\. There is"):
        verdict(nothing)


def test_pandas_columns_of_mixed_values_are_refused():
    """A column of numbers and words cannot be handed over; the message says so."""
    mixed = pd.DataFrame({"period": [1, "two"], "unit": 1, "value_champion": 0.0, "value_challenger": 1.0})

    with pytest.raises(InvalidInputError, match="Give each column one type"):
        verdict(mixed)


@pytest.mark.parametrize(
    "wrong",
    [
        {"alpha": "5%"},
        {"alpha": 1e-300},
        {"min_effect": None},
        {"min_effect": Decimal("0.5")},
        {"cadence": 1},
        {"cadence": "99999d"},
        {"entities": ["all"]},
        {"guardrails": None},
        {"guardrails": ("waste",)},
        {"refit_periods": "7"},
        {"target": 10**400},
        {"units_per_year": "many"},
        {"worst_day_loss": math.inf},
    ],
)
def test_criteria_of_the_wrong_type_are_refused_by_field(wrong):
    """No argument reaches the arithmetic that is not what it has to be."""
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        Criteria(**wrong)


def test_criteria_that_are_no_criteria_are_refused():
    """A dictionary is not silently taken for the defaults."""
    with pytest.raises(InvalidInputError, match="Give Criteria"):
        verdict(FRAME, {"min_effect": 9.0})  # type: ignore[arg-type]


def test_numbers_of_numpy_and_lists_of_margins_are_fine_and_travel():
    """What a notebook computes may be handed in, and the verdict still becomes JSON."""
    frame = FRAME.with_columns(waste_champion=1.0, waste_challenger=pl.col("value_challenger") * 0.01)
    arguments: dict[str, Any] = {"alpha": np.float32(0.05), "refit_periods": np.int64(7)}
    criteria = Criteria(**arguments, guardrails=[Margin(name="waste", margin=9.0)])  # type: ignore[arg-type]
    found = verdict(frame, criteria)

    assert Verdict.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False))) == found


@pytest.mark.parametrize(
    ("column", "state"),
    [
        (pl.lit(None), "inconclusive"),
        (pl.lit(math.nan), "inconclusive"),
        (pl.lit(1e300), "inconclusive"),
        (pl.lit(0), "holds"),
    ],
)
def test_guardrails_get_an_answer_too(column, state):
    """A guardrail without numbers, or beyond any unit, is open; one that never moves holds."""
    frame = FRAME.with_columns(waste_champion=column, waste_challenger=pl.lit(0.0))
    found = verdict(frame, Criteria(guardrails=(Margin(name="waste", margin=1.0, better="lower"),)))

    assert found.guardrails[0].state == state


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical, pl.Binary])
def test_sampled_units_of_any_type_do_not_depend_on_the_order_of_rows(kind):
    """Units too are summed in one order, to the last bit."""
    rng = np.random.default_rng(4)
    frame = evidence(rng.normal(size=(60, 30)) * np.pi)
    criteria = Criteria(entities="sample")
    known = verdict(frame.with_columns(pl.col("unit").cast(kind)), criteria)

    for seed in range(5):
        shuffled = frame.sample(fraction=1.0, shuffle=True, seed=seed).with_columns(pl.col("unit").cast(kind))
        assert verdict(shuffled, criteria) == known
