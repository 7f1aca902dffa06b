"""What is asked of the service: whether it is asked at all, in time, and with rows like those it was judged on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import polars as pl

from shipworthy.live.watch.alert import Alert
from shipworthy.live.watch.lived import Lived, delay_of, instant
from shipworthy.live.watch.promised import Promised, at_risk
from shipworthy.live.watch.usual import emptiness, found, in_words
from shipworthy.problem import Period
from shipworthy.statistics.drift import corrected

_OFTEN = 0.8
_MOST_LATE = 0.05
_FEWEST_STALE = 3
_LONGEST_STALE_HISTORY = 400
_GONE_PERIODS = 3
_REGULAR_PERIODS = 28
_FEWEST_PERIODS = 5
_LEVEL = 0.01
_NAMED = 3


def check_inputs(promised: Promised, lived: Lived, begun: datetime) -> list[Alert]:
    """The alerts about what is asked; `begun` is when the problem was first rolled out."""
    return [
        *_missing(promised, lived, begun),
        *_late(promised, lived),
        *_stale(promised, lived),
        *_vanished(promised, lived),
        *_new(promised, lived),
        *_drifted(promised, lived),
    ]


def _missing(promised: Promised, lived: Lived, begun: datetime) -> Iterator[Alert]:
    """Periods that nobody asked for although they are due: a whole cadence later than it is usually asked."""
    expected = _expected(promised, lived, begun)
    gone = [period for period in expected if period not in lived.first_asked]
    if gone:
        money, how = at_risk(promised, len(gone) / max(1, len(expected)), "of the periods due were not asked for")
        what = f"{len(gone)} of {len(expected)} periods due were not asked for: {_listed(gone)}."
        yield Alert(kind="missing-periods", what=what, since=instant(gone[0]), money_at_risk=money, reckoned=how)


def _expected(promised: Promised, lived: Lived, begun: datetime) -> list[Period]:
    """The periods that should have been asked for by now, by the snapshot's cadence, weekdays and hours."""
    step, asked = promised.cadence, lived.periods
    if not isinstance(step, timedelta):
        return list(range(int(asked[0]), int(asked[-1]) + 1)) if asked and step == 1 else []
    lags = [when - start for period, when in lived.first_asked.items() if (start := instant(period))]
    usual = sorted(lags)[len(lags) // 2] if lags else timedelta(0)
    last: Period = promised.rows[promised.problem.period].max()
    first = asked[0] if asked else last
    since = max(begun, lived.since + delay_of(promised)) if lived.since else begun
    slots = _slots(promised)
    periods: list[Period] = []
    period = first
    while (start := instant(period)) is not None and start + usual + step <= lived.at:
        if start >= since - step and _slot(period) in slots and (asked or period != last):
            periods.append(period)
        period = period + step
    return periods


def _slots(promised: Promised) -> set[tuple[int, ...]]:
    """The weekdays and times of day at which the snapshot has nearly every period that it could have."""
    periods = promised.rows[promised.problem.period].unique().sort().tail(_LONGEST_STALE_HISTORY)
    weeks = max(1, round((periods[-1] - periods[0]) / timedelta(days=7)))
    counts: dict[tuple[int, ...], int] = {}
    for period in periods.to_list():
        counts[_slot(period)] = counts.get(_slot(period), 0) + 1
    often = min(_OFTEN * weeks, _OFTEN * max(counts.values()))
    return {slot for slot, count in counts.items() if count >= often}


def _slot(period: Period) -> tuple[int, ...]:
    assert isinstance(period, date), "only dates and times have slots"
    if isinstance(period, datetime):
        moment = period.astimezone(UTC) if period.tzinfo else period
        return (moment.weekday(), moment.hour, moment.minute)
    return (period.weekday(),)


def _late(promised: Promised, lived: Lived) -> Iterator[Alert]:
    """Requests for periods whose outcome was known by then."""
    delay = delay_of(promised)
    known = [
        (period, when)
        for period, when in lived.first_asked.items()
        if (start := instant(period)) and when > start + delay
    ]
    if len(known) >= 2 and len(known) > _MOST_LATE * len(lived.first_asked):
        share = len(known) / len(lived.first_asked)
        money, how = at_risk(promised, share, "of the periods were decided after the fact")
        what = f"{len(known)} of {len(lived.first_asked)} periods were asked for first when their outcome was known"
        what += f": {_listed([period for period, _ in known])}."
        yield Alert(
            kind="late-requests", what=what, since=min(when for _, when in known), money_at_risk=money, reckoned=how
        )


def _stale(promised: Promised, lived: Lived) -> Iterator[Alert]:
    """Columns that stand still: the same for every unit, period after period, longer than ever in the snapshot."""
    key = promised.problem.key
    for column in promised.inputs:
        run = _standstill(lived.asked, key, column)[-1:]
        if not run or run[0] < _FEWEST_STALE or promised.rows[column].n_unique() < 2:
            continue
        before = max(_standstill(promised.rows, key, column), default=0)
        if run[0] > 2 * before:
            since = lived.periods[-run[0] - 1]
            money, how = at_risk(promised, 1.0, "of what is decided rests on it, at most")
            what = f"{column} has not changed for {run[0] + 1} periods, since {since}"
            what += f"; in the snapshot never for more than {before + 1}."
            yield Alert(
                kind="stale-inputs", about=column, what=what, since=instant(since), money_at_risk=money, reckoned=how
            )


def _standstill(rows: pl.DataFrame, key: tuple[str, str], column: str) -> list[int]:
    """After each of the newest periods, for how many in a row the column has been the same, of all units together."""
    period, unit = key
    if rows.is_empty():
        return []
    recent = rows.filter(pl.col(period) >= rows[period].unique().sort().tail(_LONGEST_STALE_HISTORY)[0])
    prints = (
        recent.group_by(period)
        .agg(pl.struct(unit, column).hash().sort().implode().hash().first().alias("print"))
        .sort(period)
    )
    runs, run = [], 0
    for is_same in (prints["print"] == prints["print"].shift(1)).fill_null(value=False):
        run = run + 1 if is_same else 0
        runs.append(run)
    return runs


def _vanished(promised: Promised, lived: Lived) -> Iterator[Alert]:
    """Units that came in nearly every period of late, and in none of the newest ones."""
    period, unit = promised.problem.key
    if promised.release.units is None or len(lived.periods) < _GONE_PERIODS:
        return
    recent = promised.rows.filter(pl.col(period) >= promised.rows[period].unique().sort().tail(_REGULAR_PERIODS)[0])
    often = recent.group_by(unit).len().filter(pl.col("len") >= _OFTEN * recent[period].n_unique())[unit]
    newest = lived.asked.filter(pl.col(period) >= lived.periods[-_GONE_PERIODS])[unit]
    gone = sorted(set(often) - set(newest))
    if gone:
        money, how = at_risk(promised, len(gone) / len(often), "of the units are gone")
        what = f"{len(gone)} of {len(often)} units have not been asked for in the last {_GONE_PERIODS} periods: {_listed(gone)}."
        yield Alert(kind="vanished-units", what=what, money_at_risk=money, reckoned=how)


def _new(promised: Promised, lived: Lived) -> Iterator[Alert]:
    """Units that the snapshot never had, where in it hardly any were new."""
    period, unit = promised.problem.key
    if len(lived.periods) < _GONE_PERIODS:
        return
    known, periods = promised.rows[unit].unique(), promised.rows[period].unique().sort()
    middle = periods[len(periods) * 2 // 3]
    later, earlier = (promised.rows.filter(side) for side in (pl.col(period) >= middle, pl.col(period) < middle))
    usual = 1.0 - float(later[unit].is_in(earlier[unit].unique().implode()).mean() or 0.0)  # type: ignore[arg-type]
    new = lived.asked.filter(~pl.col(unit).is_in(known.implode()))
    share = new.height / max(1, lived.asked.height)
    if share > 0.05 + 1.5 * usual:
        money, how = at_risk(promised, share, "of the rows, at most, are decided worse")
        names = new[unit].unique().sort().to_list()
        what = f"{share:.0%} of the rows (usual: {usual:.0%}) are of {len(names)} units that the snapshot never had"
        what += f": {_listed(names)}."
        yield Alert(kind="new-units", what=what, money_at_risk=money, reckoned=how)


def _drifted(promised: Promised, lived: Lived) -> Iterator[Alert]:
    """Columns whose values, or whose emptiness, lie further from the snapshot than its own stretches do."""
    if len(lived.periods) < _FEWEST_PERIODS:
        return
    period = promised.problem.period
    looked = [
        (kind, column, said)
        for column in promised.inputs
        for kind, look in (("input-drift", found), ("empty-inputs", emptiness))
        if (said := look(lived.asked, promised.rows, period, column)) is not None
    ]
    for (kind, column, said), p_value in zip(
        looked, corrected([said.drift.p_value for *_, said in looked]), strict=True
    ):
        if said.is_far and p_value < _LEVEL:
            money, how = at_risk(promised, said.drift.moved, "of the rows, at most, lie where none did before")
            yield Alert(
                kind=kind,
                about=column,
                what=f"{column} {in_words(said, p_value)}",
                money_at_risk=money,
                reckoned=how,
            )


def _listed(things: Sequence[object]) -> str:
    more = f" and {len(things) - _NAMED} more" if len(things) > _NAMED else ""
    return ", ".join(map(str, things[:_NAMED])) + more
