"""The profile: what is odd about rows is told in plain sentences, and nothing is told of sound ones."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from shipworthy.data.columns import columns_of
from shipworthy.data.profile import profile
from shipworthy.problem import Problem
from shipworthy.sources.frame import frame

DAYS = 120


def shelf(**changes) -> Problem:
    """A problem about shelves."""
    fields = {"period": "day", "unit": "shelf", "outcome": "sold", "decision": "stock"} | changes
    return Problem("shelves", rows=frame(pl.DataFrame()), **fields)


def rows(days: int = DAYS, **columns) -> pl.DataFrame:
    """Sound rows of three shelves, with columns added or changed."""
    draws = np.random.default_rng(5)
    n = 3 * days
    table = pl.DataFrame(
        {
            "day": [date(2026, 1, 1) + timedelta(days=number) for number in range(days) for _ in range(3)],
            "shelf": ["low", "middle", "top"] * days,
            "price": draws.normal(5.0, 1.0, n),
            "kind": draws.choice(["fresh", "dry", "frozen"], n),
            "sold": draws.poisson(50, n).astype(float),
        }
    )
    return table.with_columns(**{name: pl.Series(values) for name, values in columns.items()})


def odd(table: pl.DataFrame, problem: Problem | None = None) -> str:
    """What is odd about a table, in one text."""
    found = profile(problem or shelf(), table, n_read=table.height, n_quarantined=0)
    return "\n".join(found.oddities)


def test_nothing_is_odd_about_sound_rows_however_many_there_are():
    """An effect size does not grow with the rows: 300 rows and 300,000 of the same kind are both quiet."""
    assert odd(rows()) == ""
    assert odd(rows(days=100_000)) == ""


def test_drift_is_told_with_its_size_and_way_for_numbers_and_texts():
    """A price that rises and kinds that change are named, the strongest first."""
    late = np.arange(3 * DAYS) >= 2 * DAYS
    price = np.random.default_rng(1).normal(5.0, 1.0, 3 * DAYS) + 4.0 * late
    kind = np.where(late, "dry", "fresh")
    told = odd(rows(price=price, kind=kind))
    assert "price lies 4." in told
    assert "standard deviations higher" in told
    assert "kind has 100% other values" in told


def test_columns_that_say_nothing_or_the_same_are_named():
    """A constant, a copy under another name, and the same in another unit of measure."""
    table = rows(shop=["north"] * 3 * DAYS)
    told = odd(table.with_columns(cost=pl.col("price"), cents=100 * pl.col("price"), sort=pl.col("kind")))
    assert "shop has the same value in every row." in told
    assert "cost says the same as price, row for row." in told
    assert "cents says the same as price, row for row." in told
    assert "sort says the same as kind, row for row." in told


def test_an_outcome_that_is_cut_off_by_the_decision_is_suspected():
    """Sales that equal the stock on many days, and never exceed it, are not demand."""
    stock = np.full(3 * DAYS, 52.0)
    cut = np.minimum(rows()["sold"].to_numpy(), stock)
    assert "sold equals stock exactly, and hardly ever exceeds it" in odd(rows(stock=stock, sold=cut))
    assert "equals stock" not in odd(rows(stock=stock))


def test_an_outcome_that_stops_at_its_maximum_is_suspected():
    """A shelf of which never more than 60 are sold, again and again, may hold no more."""
    sold = rows()["sold"].to_numpy()
    capped = np.where(np.arange(3 * DAYS) % 3 == 2, np.minimum(sold * 1.2, 60.0), sold)
    told = odd(rows(sold=capped))
    assert "sold of 1 unit stops at its maximum again and again, that of top at 60" in told


def test_outcomes_that_are_late_are_counted_from_when_they_were_due():
    """With a delay of a day, only the newest day may still be open."""
    sold = rows()["sold"].to_list()
    assert odd(rows(sold=[*sold[:-3], None, None, None])) == ""
    told = odd(rows(sold=[*sold[:-9], *[None] * 9]))
    assert "6 outcomes are not there although more than 1d passed, the first of 2026-04-28" in told


@pytest.mark.parametrize(("zone", "is_odd"), [("Europe/Berlin", True), ("UTC", False)])
def test_hours_of_local_time_give_themselves_away_at_clock_changes(zone, is_odd):
    """A year of hours in Berlin has a Sunday of 23 hours and one of 25; in UTC it has none."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    hours = [(start + timedelta(hours=n)).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for n in range(8760)]
    table = pl.DataFrame({"day": hours, "shelf": "top", "sold": np.arange(8760.0) % 97}).unique(["day"]).sort("day")
    assert ("the times are local ones" in odd(table)) is is_odd


def test_coverage_shows_holes_in_time_and_units_that_are_rarely_there():
    """The stretches add up to all rows, and the thinnest units come first."""
    table = rows().filter(~((pl.col("shelf") == "top") & (pl.col("day") < date(2026, 3, 1))))
    found = profile(shelf(), table, n_read=table.height, n_quarantined=0)
    assert found.thinnest_units == (("top", 61),)
    assert [count for _, count in found.coverage] == [2.0] * 59 + [3.0] * 61
    long = profile(shelf(), rows(days=1000), n_read=3000, n_quarantined=0)
    assert len(long.coverage) == 200
    assert {count for _, count in long.coverage} == {3.0}


def test_columns_of_any_type_are_looked_at_without_a_failure():
    """Lists, structs, times, truths, empty columns and not-a-number do no harm."""
    n = 3 * DAYS
    table = rows(
        tags=[["a"]] * n,
        place=[{"x": 1}] * n,
        at=[datetime(2026, 1, 1, 12)] * n,
        is_open=[True, False, None] * DAYS,
        nothing=[None] * n,
        odd_number=[float("nan"), 1.0, 2.0] * DAYS,
    )
    roles = {column.name: (column.role, column.kind) for column in columns_of(shelf(), table)}
    assert roles["day"] == ("period", "date")
    assert roles["sold"] == ("known after", "number")
    assert roles["is_open"] == ("known before", "truth")
    assert profile(shelf(), table, n_read=n, n_quarantined=0).empty_columns == ("nothing",)
    assert profile(shelf(), table.head(1), n_read=1, n_quarantined=0).n_rows == 1
