"""What was known when: one rule, whatever the order of the rows and the kind of their periods."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.errors import NotFoundError
from shipworthy.problem import Policy, Span
from shipworthy.step import History
from tests.problems import day, sales, shop

HOUR = timedelta(hours=1)
KINDS = {
    "date": (lambda n: date(2026, 3, 1) + timedelta(days=n), lambda span: timedelta(days=-(-span.seconds // 86_400))),
    "time": (lambda n: datetime(2026, 3, 28) + n * HOUR, lambda span: timedelta(seconds=span.seconds)),
    "UTC": (lambda n: datetime(2026, 3, 28, tzinfo=UTC) + n * HOUR, lambda span: timedelta(seconds=span.seconds)),
    "number": (lambda n: n, lambda span: span.count),
}
SPANS = st.builds(lambda count, letter: f"{count}{letter}", st.integers(0, 40), st.sampled_from(["", "d", "h", "m"]))


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    keys=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), min_size=1, max_size=40),
    delay=SPANS,
    memory=st.none() | SPANS,
    asked=st.integers(-3, 33),
)
def test_known_are_exactly_the_rows_whose_outcome_has_come_before_the_period(kind, keys, delay, memory, asked):
    """Whatever order, gaps, copies and delays: period + delay <= t, period < t, and within the memory."""
    at, length = KINDS[kind]
    rows = pl.DataFrame({"day": [at(n) for n, _ in keys], "item": [unit for _, unit in keys], "sold": range(len(keys))})
    history = History(shop(rows, outcome_delay=delay), rows)
    now = at(asked)
    within = None if memory is None else Span.of(memory)
    expected = {
        sold
        for period, _, sold in rows.rows()
        if period + length(Span.of(delay)) <= now
        and period < now
        and (within is None or period >= now - length(within))
    }
    known = history.known(now, within)

    assert set(known["sold"].to_list()) == expected
    assert known.height == len(expected)
    assert known["day"].is_sorted()


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    numbers=st.sets(st.integers(0, 40), min_size=1, max_size=30),
    delay=SPANS,
    gap=SPANS,
    window=st.none() | SPANS,
    asked=st.integers(-3, 43),
)
def test_a_policy_learns_from_what_was_known_its_gap_before(kind, numbers, delay, gap, window, asked):
    """Fitted for t: period + delay <= t - gap, period < t - gap, and its window counts back from t - gap."""
    at, length = KINDS[kind]
    rows = pl.DataFrame({"day": [at(n) for n in numbers], "item": "tea", "sold": sorted(numbers)})
    policy = Policy()
    policy.gap, policy.train_window = gap, window
    begun = at(asked) - length(Span.of(gap))
    expected = [
        period
        for period in sorted(map(at, numbers))
        if period + length(Span.of(delay)) <= begun
        and period < begun
        and (window is None or period >= begun - length(Span.of(window)))
    ]
    learnt = History(shop(rows, outcome_delay=delay), rows).to_learn(policy, at(asked))
    assert learnt["day"].to_list() == expected


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    keys=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=20, unique=True),
    late=st.sets(st.sampled_from(["weather", "visitors"])),
)
def test_the_rows_to_decide_are_those_of_the_period_without_what_comes_after(kind, keys, late):
    """Each unit of the period is there once, sorted, and no column that is known or decided only afterwards."""
    at, _ = KINDS[kind]
    rows = pl.DataFrame({"day": [at(n) for n, _ in keys], "item": [unit for _, unit in keys]}).with_columns(
        sold=pl.lit(1), weather=pl.lit(2), visitors=pl.lit(3), stock=pl.lit(4), price=pl.lit(5)
    )
    history = History(shop(rows, known_after=tuple(sorted(late))), rows)

    for number in {n for n, _ in keys}:
        found = history.to_decide(at(number))
        assert set(found.columns) == {"day", "item", "price", "weather", "visitors"} - late
        assert found["item"].to_list() == sorted(unit for n, unit in keys if n == number)
        assert set(found["day"].to_list()) == {at(number)}
        assert set(history.settled(at(number)).columns) == set(rows.columns)


def test_periods_are_each_once_in_order():
    """The periods are the ones that have rows, whatever the order these came in."""
    rows = sales([day(3), day(1), day(7)]).sample(fraction=1.0, shuffle=True, seed=1)
    history = History(shop(rows), rows)

    assert history.periods == [day(1), day(3), day(7)]
    assert history.rows["day"].is_sorted()
    assert history.between(day(1), day(7))["day"].unique().to_list() == [day(1), day(3)]


def test_what_was_decided_in_history_is_hidden_like_an_outcome():
    """Rows that hold what was really decided show it for the past, never for the period to decide."""
    rows = sales(5).with_columns(stock=pl.lit(4.0))
    history = History(shop(rows), rows)

    assert "stock" not in history.to_decide(day(3)).columns
    assert "stock" in history.known(day(3)).columns


@pytest.mark.parametrize("delay", ["0d", "0h", "1h"])
def test_the_period_itself_is_never_known(delay):
    """Even an outcome that is there at once is not there before its own decision."""
    rows = sales([datetime(2026, 1, 1) + n * HOUR for n in range(5)])
    history = History(shop(rows, outcome_delay=delay), rows)
    assert history.known(datetime(2026, 1, 1, 3))["day"].max() == datetime(2026, 1, 1, 2)


def test_a_delay_of_a_day_and_a_half_is_not_known_the_next_day():
    """With dates, 36 hours after Monday began Tuesday has long been decided."""
    rows = sales(6)
    history = History(shop(rows, outcome_delay="36h"), rows)
    assert history.known(day(5))["day"].max() == day(3)


def test_minutes_of_delay_cut_between_hours():
    """A delay of 90 minutes hides the last two hours of hourly periods, not one and not three."""
    rows = sales([datetime(2026, 1, 1) + n * HOUR for n in range(6)])
    history = History(shop(rows, outcome_delay="90m"), rows)
    assert history.known(datetime(2026, 1, 1, 5))["day"].max() == datetime(2026, 1, 1, 3)


def test_a_period_without_rows_is_named_with_what_there_is():
    """The message says from when to when there are rows."""
    rows = sales(3)
    with pytest.raises(
        NotFoundError, match=r"No rows for period 2026-01-09. The rows go from 2026-01-01 to 2026-01-03"
    ):
        History(shop(rows), rows).to_decide(day(8))


def test_an_empty_history_is_no_special_case():
    """Nothing is known, and nothing can be decided."""
    rows = sales(3).clear()
    history = History(shop(rows), rows)
    assert history.periods == []
    assert history.known(day(1)).height == 0
    with pytest.raises(NotFoundError, match="there are none"):
        history.to_decide(day(1))
