"""Evidence as it came becomes evidence that can be judged: one row per unit and period of deciding.

Nothing is repaired in silence. Repeated rows that agree are dropped and noted; rows that contradict each other, have
no key, or hold no numbers refuse the whole frame.
"""

from __future__ import annotations

from calendar import month_name
from dataclasses import dataclass

import polars as pl

from shipworthy.analysis.criteria import Criteria
from shipworthy.errors import InvalidInputError

_KEY = ("period", "unit")
_LARGEST_GAP_SHARE = 0.3
_DAYS_PER_YEAR = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """Evidence which can be judged, or the reason why not.

    Attributes:
        frame: Columns period (binned), unit, and both columns of the value and of each guardrail.
        refusal: Why the evidence is invalid; None where it is not.
        notes: What was done to it, and what to know of it.
    """

    frame: pl.DataFrame
    refusal: str | None = None
    notes: tuple[str, ...] = ()


def cleaned(frame: pl.DataFrame, criteria: Criteria) -> Cleaned:
    """Cleans a frame of paired rows.

    Raises:
        InvalidInputError: A column is missing; the message names those asked for and those present.

    >>> day = {"period": [1, 1], "unit": ["a", "a"], "value_champion": [1.0, 1.0], "value_challenger": [2.0, 2.0]}
    >>> cleaned(pl.DataFrame(day), Criteria()).notes[0]
    '1 row repeats another one exactly and was dropped.'
    """
    measures = ["value", *(guardrail.name for guardrail in criteria.guardrails)]
    columns = [*_KEY, *(f"{measure}_{policy}" for measure in measures for policy in ("champion", "challenger"))]
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise InvalidInputError(
            f"The evidence needs the columns {', '.join(columns)}; {', '.join(missing)} missing. "
            f"There is: {', '.join(frame.columns) or 'no column'}. Add or rename what is missing."
        )
    table = frame.select(columns)
    if table.is_empty():
        return Cleaned(frame=table)
    refusal = _unreadable(table)
    if refusal:
        return Cleaned(frame=table, refusal=refusal)
    found = _without_repeats(table)
    if found.refusal:
        return found
    table = found.frame.with_columns(period=binned(table["period"].dtype, criteria))
    return Cleaned(frame=table, notes=found.notes)


def _unreadable(table: pl.DataFrame) -> str | None:
    """Says which column cannot be read, if any."""
    period, unit = table["period"], table["unit"]
    if not (period.dtype.is_integer() or isinstance(period.dtype, (pl.Date, pl.Datetime, pl.Null))):
        return f"The column period holds {period.dtype}; it must hold dates, times or whole numbers."
    if unit.dtype.is_nested() or unit.dtype == pl.Object:
        return f"The column unit holds {unit.dtype}; it must hold one name or number per row."
    for column in _KEY:
        empty = table[column].null_count()
        if empty:
            return f"{empty} of {table.height} rows have no {column}, so they cannot be paired with anything."
    for column in table.columns[len(_KEY) :]:
        dtype = table[column].dtype
        if not (dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)):
            return f"The column {column} holds {dtype}; it must hold numbers."
    return None


def _without_repeats(table: pl.DataFrame) -> Cleaned:
    """Drops rows that repeat another one; refuses those that contradict another one."""
    # As many hashes as rows means no key twice, at a quarter of the price of grouping by the keys.
    if table.select(pl.struct(_KEY).hash().n_unique()).item() == table.height:
        return Cleaned(frame=table)
    distinct = table.unique()
    contradictions = distinct.filter(pl.struct(_KEY).is_duplicated())
    if contradictions.height:
        first = contradictions.sort(_KEY).row(0, named=True)
        keys = contradictions.n_unique(_KEY)
        many = "1 pair has" if keys == 1 else f"{keys} pairs have"
        refusal = (
            f"{many} several rows with different values, the first one period {first['period']}, unit {first['unit']}. "
            "Keep one row for each period and unit."
        )
        return Cleaned(frame=table, refusal=refusal)
    dropped = table.height - distinct.height
    if not dropped:
        return Cleaned(frame=table)
    many = "1 row repeats another one exactly and was" if dropped == 1 else f"{dropped} rows repeat others and were"
    return Cleaned(frame=distinct, notes=(f"{many} dropped.",))


def binned(dtype: pl.DataType, criteria: Criteria) -> pl.Expr:
    """Brings times to the decision cadence; whole numbers are periods already."""
    period = pl.col("period")
    if dtype.is_integer() or (dtype == pl.Date and criteria.cadence == "1d"):
        return period
    if dtype == pl.Date and criteria.days_per_period < 1.0:
        period = period.cast(pl.Datetime("us"))
    return period.dt.truncate(criteria.cadence)


def calendar_notes(seen: pl.Series, criteria: Criteria) -> tuple[str, ...]:
    """Says what the calendar of the evidence lacks, going by its distinct periods in order.

    >>> calendar_notes(pl.Series([1, 2, 300]), Criteria())
    ('99% of the periods between 1 and 300 hold no rows.', 'Money per year is extrapolated from a span of 300 days.')
    """
    if seen.is_empty():
        return ()
    first, last = seen[0], seen[-1]
    span = last - first + 1 if seen.dtype.is_integer() else _length(seen, criteria)
    notes = []
    lacking = 1.0 - seen.len() / span
    if lacking > _LARGEST_GAP_SHARE:
        notes.append(f"{lacking:.0%} of the periods between {first!s} and {last!s} hold no rows.")
    days = span * criteria.days_per_period
    if days < _DAYS_PER_YEAR:
        notes.append(f"Money per year is extrapolated from a span of {days:.0f} days{_season(seen)}.")
    return tuple(notes)


def _length(seen: pl.Series, criteria: Criteria) -> int:
    """Counts the periods of the calendar from the first to the last."""
    if isinstance(seen.dtype, pl.Datetime):
        return pl.datetime_range(seen[0], seen[-1], criteria.cadence, eager=True).len()
    return pl.date_range(seen[0], seen[-1], criteria.cadence, eager=True).len()


def _season(seen: pl.Series) -> str:
    """Says which months the periods fall into, or which they do not, whatever is shorter."""
    if seen.dtype.is_integer():
        return ""
    present = set(seen.dt.month().to_list())
    if len(present) <= len(month_name) // 2:
        return f" in {', '.join(month_name[month] for month in sorted(present))}"
    absent = [name for month, name in enumerate(month_name) if month and month not in present]
    return f" without {', '.join(absent)}" if absent else ""
