"""A span of time moves every kind of period, and says so when it cannot be read."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.errors import InvalidInputError
from shipworthy.problem import Span

MONDAY = date(2026, 1, 5)


@pytest.mark.parametrize(
    ("text", "after"),
    [("1d", date(2026, 1, 6)), ("2w", date(2026, 1, 19)), ("3", date(2026, 1, 8)), (" 48 h ", date(2026, 1, 7))],
)
def test_a_date_moves_by_days(text, after):
    """Days, weeks, hours and bare numbers move a date; bare numbers are days."""
    assert Span.of(text).after(MONDAY) == after
    assert Span.of(text).before(after) == MONDAY


@pytest.mark.parametrize(("text", "days"), [("1m", 1), ("6h", 1), ("24h", 1), ("25h", 2), ("36h", 2), ("0h", 0)])
def test_a_part_of_a_day_counts_as_a_whole_one_for_dates(text, days):
    """A date has no hours: what is known 36 hours after Monday began is known when Wednesday begins, not before."""
    assert Span.of(text).after(MONDAY) == date(2026, 1, 5 + days)


def test_a_time_moves_by_the_minute():
    """Minutes and hours move a time, with a zone or without."""
    assert Span.of("90m").after(datetime(2026, 1, 5, 23)) == datetime(2026, 1, 6, 0, 30)
    assert Span.of("36h").before(datetime(2026, 1, 5, tzinfo=UTC)) == datetime(2026, 1, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["7", "7d", "7h", "7w"])
def test_numbered_periods_count_in_their_own_unit(text):
    """Whatever the letter, seven is seven periods where periods are numbers."""
    assert Span.of(text).after(10) == 17
    assert Span.of(text).before(10) == 3


@pytest.mark.parametrize("text", ["", "d", "1y", "-1d", "1.5d", "1d 2h", "one week", "1 D", "nan"])
def test_what_is_no_span_is_refused_with_an_example(text):
    """The message repeats what was given and shows how to write it."""
    with pytest.raises(InvalidInputError, match=r"is not a span of time.*for example '7d'"):
        Span.of(text)


@given(st.integers(0, 10_000), st.sampled_from("mhdw"), st.datetimes(datetime(1980, 1, 1), datetime(2080, 1, 1)))
def test_before_takes_back_what_after_gives(count, letter, at):
    """Moving forward and back ends where it began, for times and dates alike."""
    span = Span.of(f"{count}{letter}")
    assert span.before(span.after(at)) == at
    assert span.before(span.after(at.date())) == at.date()


@pytest.mark.parametrize("text", ["9999999d", "99999999999999999999w"])
def test_a_span_beyond_the_calendar_ends_where_it_ends(text):
    """Further back than there are dates is as far back as they go: "all there is", not an error of arithmetic."""
    span = Span.of(text)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert (span.before(at.date()), span.after(at.date())) == (date.min, date.max)
    assert (span.before(at), span.after(at)) == (
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    )
