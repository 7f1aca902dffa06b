"""Rows with revisions: of each key what was known then, by its newest revision known then, and nothing later."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.errors import InvalidInputError
from shipworthy.problem import Rows, Span
from shipworthy.step import History
from tests.problems import day, shop

HOUR = timedelta(hours=1)
KINDS = {
    "dates, known by dates": (
        lambda n: date(2026, 3, 1) + timedelta(days=n),
        lambda n: date(2026, 3, 1) + timedelta(days=n),
    ),
    "dates, known by times": (
        lambda n: date(2026, 3, 1) + timedelta(days=n),
        lambda n: datetime(2026, 3, 1) + timedelta(days=n),
    ),
    "hours": (lambda n: datetime(2026, 3, 28) + n * HOUR, lambda n: datetime(2026, 3, 28) + n * HOUR),
    "hours of UTC": (
        lambda n: datetime(2026, 3, 28, tzinfo=UTC) + n * HOUR,
        lambda n: datetime(2026, 3, 28, tzinfo=UTC) + n * HOUR,
    ),
    "numbers": (lambda n: n, lambda n: n),
}
LATEST = 10**6


def revised(rows, delay="1d", **changes):
    """A history whose column `known` says when the outcome of a row became known."""
    problem = shop(Rows(read=lambda folder: rows, known_at="known"), outcome_delay=delay, **changes)
    return History(problem, rows)


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    keys=st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 2), st.none() | st.integers(0, 12)),
        min_size=1,
        max_size=25,
        unique=True,
    ),
    delay=st.integers(0, 3),
    memory=st.none() | st.integers(0, 8),
    asked=st.integers(-1, 14),
)
def test_every_cut_is_what_the_rule_says(kind, keys, delay, memory, asked):
    """Whatever revisions come in whatever order: the same as looking at each key by itself, one after the other."""
    at, instant = KINDS[kind]
    rows = pl.DataFrame(
        {
            "day": [at(n) for n, _, _ in keys],
            "item": [unit for _, unit, _ in keys],
            "price": range(len(keys)),
            "known": pl.Series([None if n is None else instant(n) for _, _, n in keys], dtype=_dtype(instant)),
            "sold": range(len(keys)),
        }
    )
    unit = "h" if "hours" in kind else "d"
    history = revised(rows, delay=f"{delay}{unit}")
    revisions: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for sold, (n, item, known) in enumerate(keys):
        revisions.setdefault((n, item), []).append((LATEST if known is None else known, sold))
    for of_key in revisions.values():
        of_key.sort()

    known = {
        seen[-1][1]
        for (n, _), of_key in revisions.items()
        if n + delay <= asked and n < asked and (memory is None or n >= asked - memory)
        if (seen := [one for one in of_key if one[0] <= asked])
    }
    past = history.known(at(asked), None if memory is None else Span.of(f"{memory}{unit}"))
    assert sorted(past["sold"].to_list()) == sorted(known)
    assert past.columns == ["day", "item", "price", "sold"]

    for n in {n for n, _ in revisions}:
        of_period = {item: of_key for (m, item), of_key in revisions.items() if m == n}
        visible = [
            ([one for one in of_key if one[0] <= n] or of_key[:1])[-1][1] for _, of_key in sorted(of_period.items())
        ]
        newest = [
            ([one for one in of_key if one[0] < LATEST] or of_key[:1])[-1] for _, of_key in sorted(of_period.items())
        ]
        assert history.to_decide(at(n)).to_dict(as_series=False) == {
            "day": [at(n)] * len(visible),
            "item": sorted(of_period),
            "price": visible,
        }
        assert history.settled(at(n))["sold"].to_list() == [None if when == LATEST else sold for when, sold in newest]

    for row, unknown, hidden in zip(
        history.rows.rows(named=True), history.unknown_outcomes(at(asked)), history.unknown_rows(at(asked)), strict=True
    ):
        n, item, when = keys[row["price"]]
        is_first = revisions[n, item][0][1] == row["price"]
        is_late = when is None or when > asked
        assert unknown == (is_late or n + delay > asked or n >= asked)
        assert hidden == (n > asked or (is_late and not is_first))


def _dtype(instant):
    return pl.Series([instant(0)]).dtype


@settings(max_examples=60, deadline=None)
@given(
    keys=st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 2), st.integers(0, 12)), min_size=1, max_size=25, unique=True
    ),
    asked=st.integers(0, 13),
)
def test_what_is_said_to_be_unknown_changes_nothing(keys, asked):
    """Other values where `unknown_outcomes` and `unknown_rows` say so leave what is seen at that period as it was."""
    rows = pl.DataFrame(keys, schema=["day", "item", "known"], orient="row").with_row_index("sold").cast(pl.Int64)
    rows = rows.with_columns(price=pl.col("sold"))
    history = revised(rows)
    other = history.rows.with_columns(
        sold=pl.when(history.unknown_outcomes(asked)).then(-1).otherwise("sold"),
        price=pl.when(history.unknown_rows(asked)).then(-1).otherwise("price"),
    )

    assert revised(other).known(asked).equals(history.known(asked))
    if asked in history.periods:
        assert revised(other).to_decide(asked).equals(history.to_decide(asked))


def test_a_date_counts_as_its_midnight():
    """What became known in the course of a day is not known when that day is decided."""
    rows = pl.DataFrame(
        {
            "day": [day(0)] * 2,
            "item": ["ham"] * 2,
            "sold": [1, 2],
            "known": [datetime(2026, 1, 2), datetime(2026, 1, 2, 0, 1)],
        }
    )
    history = revised(rows)
    assert history.known(day(1))["sold"].to_list() == [1]
    assert history.known(day(2))["sold"].to_list() == [2]


def test_a_time_with_a_zone_is_that_instant():
    """Ten o'clock in Berlin is nine o'clock of UTC in winter."""
    known = pl.Series([datetime(2026, 1, 1, 10)]).dt.replace_time_zone("Europe/Berlin")
    rows = pl.DataFrame({"day": [datetime(2026, 1, 1)], "item": ["ham"], "sold": [1], "known": known})
    history = revised(rows, delay="1h")
    assert history.known(datetime(2026, 1, 1, 8)).height == 0
    assert history.known(datetime(2026, 1, 1, 9)).height == 1


def test_a_correction_long_after_the_outcome_delay_is_not_known_before():
    """Both rules hold: the outcome delay for the key, and `known_at` for each revision."""
    rows = pl.DataFrame({"day": [0, 0], "item": ["ham"] * 2, "sold": [5, 9], "known": [0, 7]})
    history = revised(rows, delay="2")
    assert [history.known(t)["sold"].to_list() for t in (1, 2, 6, 7)] == [[], [5], [5], [9]]
    assert history.settled(0)["sold"].to_list() == [9]


def test_without_known_at_a_cut_copies_nothing():
    """The rows that are known are the rows themselves, not others like them."""
    rows = pl.DataFrame({"day": [0, 1, 2], "item": ["ham"] * 3, "sold": [1.0, 2.0, 3.0]})
    history = History(shop(rows), rows)
    sold = history.rows["sold"].to_numpy()
    assert history.known(2)["sold"].to_numpy().__array_interface__["data"][0] == sold.__array_interface__["data"][0]
    assert history.newest is history


def test_the_newest_history_knows_no_revisions():
    """Each key once, by its newest revision; it cuts by the outcome delay alone."""
    rows = pl.DataFrame({"day": [0, 0, 1], "item": ["ham"] * 3, "sold": [5, 9, 4], "known": [1, 7, None]})
    newest = revised(rows).newest
    assert newest.rows.to_dict(as_series=False) == {"day": [0, 1], "item": ["ham"] * 2, "sold": [9, None]}
    assert newest.known(1)["sold"].to_list() == [9]


def test_times_and_numbers_cannot_be_compared():
    """Periods that are numbers need numbers in `known_at`, and times need times."""
    rows = pl.DataFrame({"day": [1], "item": ["ham"], "sold": [1], "known": [day(1)]})
    with pytest.raises(InvalidInputError, match="Periods are Int64 and 'known', which known_at names, is Date"):
        revised(rows)
