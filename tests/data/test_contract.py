"""The contract: bad rows come back with a reason each, and a table that cannot be used is refused with a remedy."""

import math
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.data.profile import profile
from shipworthy.data.quarantine import REASON, broken_rows
from shipworthy.errors import InvalidInputError
from tests.problems import day, sales, shop

DOUBLE = "another row has the same day and item"


def parted(rows, **changes):
    """The good rows and the bad ones."""
    found = broken_rows(shop(rows, **changes), rows)
    return found.good, found.bad


def reasons(rows):
    """Why each bad row is bad."""
    good, bad = parted(rows)
    assert good.height + bad.height == rows.unique().height
    assert good.columns == rows.columns
    return bad[REASON].to_list()


def changed(column, place, value):
    """Ten good rows of which one holds another value."""
    rows = sales(10).with_columns(pl.col("sold", "price").cast(pl.Float64))
    hit = pl.int_range(pl.len()) == place
    return rows.with_columns(pl.when(hit).then(value).otherwise(pl.col(column)).alias(column))


def test_good_rows_pass_untouched():
    """Every row of a good table is good, in its order."""
    rows = sales(10).sample(fraction=1.0, shuffle=True, seed=3)
    good, bad = parted(rows)
    assert good.equals(rows)
    assert bad.height == 0


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("day", None, "day is empty"),
        ("day", date(9999, 12, 31), "day lies outside the years 1700 to 2250"),
        ("item", None, "item is empty"),
        ("sold", math.nan, "sold is NaN"),
        ("sold", math.inf, "sold is infinite"),
        ("price", -math.inf, "price is infinite"),
    ],
)
def test_a_row_that_breaks_a_rule_is_set_apart_with_the_rule(column, value, reason):
    """One bad value costs one row and says why."""
    rows = changed(column, 4, value)
    good, bad = parted(rows)
    assert bad[REASON].to_list() == [reason]
    assert good.height == rows.height - 1


@pytest.mark.parametrize(("column", "value"), [("sold", None), ("price", None), ("price", math.nan)])
def test_what_is_merely_not_there_is_no_violation(column, value):
    """An outcome that is out, and a feature that is missing, are for policies to bear."""
    assert reasons(changed(column, 4, value)) == []


def test_rows_with_one_key_are_all_set_apart():
    """Nobody can say which of them is true, so none is kept."""
    rows = pl.concat([sales(3), sales(1).with_columns(pl.col("sold") + 1)])
    good, bad = parted(rows)
    assert bad[REASON].to_list() == [DOUBLE] * 6
    assert good["day"].unique().sort().to_list() == [day(1), day(2)]


def test_exact_copies_of_a_row_are_one_row():
    """A file that was loaded twice does no harm, and the profile counts the copies."""
    rows = pl.concat([sales(4), sales(4), sales(1)])
    good, bad = parted(rows)
    found = profile(shop(rows), good, n_read=rows.height, n_quarantined=bad.height)
    assert good.equals(sales(4))
    assert found.n_copies == 15


def test_a_row_that_breaks_two_rules_has_both_reasons():
    """Each bad row is there once, with all that is wrong with it, and each rule is counted."""
    one = changed("day", 0, None).head(1).with_columns(sold=pl.lit(math.nan))
    rows = pl.concat([changed("day", 0, None), one, changed("price", 3, math.inf).slice(3, 1)])
    found = broken_rows(shop(rows), rows)
    assert sorted(found.bad[REASON]) == sorted(
        ["day is empty", "day is empty; sold is NaN", DOUBLE, f"price is infinite; {DOUBLE}"]
    )
    assert found.counts == {"day is empty": 2, DOUBLE: 2, "sold is NaN": 1, "price is infinite": 1}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (sales(3).drop("sold"), r"no column 'sold'\. There is: day, item, price"),
        (sales(3).drop("day", "item"), "no column 'day', 'item'"),
        (pl.DataFrame(), "There is: no column at all"),
        (sales(3).clear(), "are empty: there is nothing to learn from"),
        (sales(3).with_columns(pl.col("day").cast(pl.String)), r"is String.*str\.to_date\(\)"),
        (sales(3).with_columns(pl.col("sold").alias("day") * 1.5), "is Float64"),
        (sales(3).with_columns(day=pl.lit(None)), "is Null"),
        (sales(3).with_columns(day=pl.lit(value=True)), "is Boolean"),
        (sales(3).with_columns(reason=pl.lit("late")), "have a column 'reason'.*Rename it"),
        (sales(3).rename({"price": "*"}), "stands for several columns.*Rename it"),
        (sales(3).rename({"price": "^p$"}), "stands for several columns.*Rename it"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_a_remedy(rows, says):
    """Missing columns, no rows, and periods that are no periods name what is there and what to do."""
    with pytest.raises(InvalidInputError, match=says):
        broken_rows(shop(sales(3)), rows)


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_times_without_a_zone_and_in_utc_are_periods(zone):
    """Every hour is there once."""
    rows = sales([datetime(2026, 3, 29, tzinfo=UTC if zone else None) + timedelta(hours=n) for n in range(6)])
    assert parted(rows)[0].height == 18


def test_the_time_of_a_place_is_refused_because_an_hour_comes_twice():
    """Where clocks are put back two hours have one name, and comparing them goes wrong: UTC is asked for."""
    rows = sales([datetime(2026, 10, 24, 22, tzinfo=UTC) + timedelta(hours=n) for n in range(6)])
    local = rows.with_columns(pl.col("day").dt.convert_time_zone("Europe/Berlin"))
    with pytest.raises(InvalidInputError, match=r"in the time of Europe/Berlin.*convert_time_zone\(\"UTC\"\)"):
        parted(local)


def test_text_of_mixed_zones_is_refused_as_text():
    """What cannot be put into one order of time is not guessed."""
    rows = sales(2).with_columns(day=pl.Series(["2026-01-01T00:00+01:00", "2026-01-01T00:00Z"] * 3))
    with pytest.raises(InvalidInputError, match="is String"):
        parted(rows)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(0, 3),
            st.none() | st.sampled_from("ab"),
            st.none() | st.floats(width=16),
            st.floats(),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_no_row_is_ever_lost_and_no_bad_one_passes(cells):
    """Good and bad together are the distinct rows, and the good ones have one sound row per key."""
    schema = {"day": pl.Int64, "item": pl.String, "sold": pl.Float64, "price": pl.Float64}
    rows = pl.DataFrame(cells, schema=schema, orient="row")
    good, bad = parted(rows)

    assert pl.concat([good, bad.drop(REASON)]).sort(pl.all()).equals(rows.unique().sort(pl.all()))
    assert bad[REASON].null_count() == 0
    assert not good.select(pl.struct("day", "item").is_duplicated().any()).item()
    assert good.select(pl.col("day", "item").is_not_null().all()).row(0) == (True, True)
    assert good.select((pl.col("sold").is_null() | pl.col("sold").is_finite()).all()).item()


@pytest.mark.parametrize(
    ("periods", "missing"),
    [
        ([day(0)], 0),
        ([day(0), day(1), day(2)], 0),
        ([day(0), day(1), day(2), day(5), day(6)], 2),
        ([day(7 * week) for week in (0, 1, 2, 4)], 1),
        ([datetime(2026, 1, 1, hour) for hour in (0, 1, 2, 6)], 3),
        ([1, 2, 3, 10], 6),
    ],
)
def test_missing_periods_are_those_that_the_usual_step_would_have(periods, missing):
    """Days, weeks, hours and numbers each have their own step."""
    rows = sales(periods)
    found = profile(shop(rows), rows, n_read=rows.height, n_quarantined=0)
    assert found.missing_periods == missing
    assert (found.first, found.last) == (str(periods[0]), str(periods[-1]))


def test_the_profile_counts_what_is_not_there():
    """Units without a row, outcomes that are out, and columns without any value."""
    rows = sales(10).with_columns(
        pl.when(pl.col("day") < day(9)).then("sold").alias("sold"), empty=pl.lit(None, dtype=pl.Float64)
    )
    found = profile(shop(rows), rows.tail(29), n_read=29, n_quarantined=0)
    assert (found.missing_units, found.open_outcomes, found.empty_columns) == (1, 3, ("empty",))
