"""Money over time: what each live period came to by who answered, and what ideas earned together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from shipworthy.analysis.money import money, step_of
from shipworthy.analysis.report.drawing import (
    GAIN,
    LOSS,
    MUTED,
    Plot,
    Reading,
    along,
    draw,
    money_axis,
    rows,
    rule_at,
    thinned,
    told,
    trace,
    written,
)
from shipworthy.library import library
from shipworthy.live.ledger.ledger import Line
from shipworthy.live.ledger.sentences import earned

_HEIGHT = 250
_SPARE = 26
_MOST = 120
"""Bars that can still be told from one another on a phone."""
_ARMS: Mapping[str, str] = {"champion": MUTED, "challenger": GAIN, "both": "var(--ship)"}
_KEYS: Mapping[str, str] = {
    "champion": "Grey: the release from before answered.",
    "challenger": "Blue: the idea did.",
    "both": "Green: both did, each for its units.",
}
SAYS: Mapping[str, str] = {"champion": "the release from before", "challenger": "the idea", "both": "both"}


def money_note(periods: Sequence[Mapping[str, Any]]) -> str:
    """Which colour stands for whom, of those that occur; and, where both sides answered, why bars do not tell a gain.

    Args:
        periods: As `draw_money` takes them, with `champion` and `challenger`, what each side earned or would have.

    >>> money_note([{"arm": "champion", "challenger": 2.0}])
    'Grey: the release from before answered.'
    """
    arms = [arm for arm in _ARMS if any(one["arm"] == arm for one in periods)]
    said = " ".join(_KEYS[arm] for arm in arms)
    if len(arms) < 2:
        return said
    told = (
        " the gain holds both against each other in the same period"
        if _is_paired(periods)
        else " the gain allows for that"
    )
    return f"{said} Periods differ by more than releases do;{told}."


def _is_paired(periods: Sequence[Mapping[str, Any]]) -> bool:
    return any(one["champion"] is not None and one["challenger"] is not None for one in periods)


def draw_money(periods: Sequence[Mapping[str, Any]], currency: str) -> Plot:
    """What each live period earned, coloured by who answered.

    Args:
        periods: Of each period: period, arm, value.
        currency: Of the money.
    """
    frame = pl.DataFrame({name: [one[name] for one in periods[-_MOST:]] for name in ("period", "arm", "value")})
    step = step_of(frame["value"].abs().to_list())
    readings: list[Reading] = [
        (told(period), f"{money(value, currency, step)}, answered by {SAYS[arm]}")
        for period, arm, value in frame.iter_rows()
    ]
    title = "What each live period came to, and who answered"
    return draw(title, lambda width: _bars(frame, width, currency), _HEIGHT, right=_SPARE, readings=readings)


def _bars(frame: pl.DataFrame, width: int, currency: str) -> Any:
    alt = library("altair", "report")
    at, x = along(frame["period"], width)
    values = frame["value"].to_list()
    low, high = min(0.0, *values), max(0.0, *values)
    margin = 0.06 * ((high - low) or 1.0)
    y = money_axis(alt.Y, "value", currency, [low - (margin if low < 0.0 else 0.0), high + margin], count=5)
    size = max(1.5, min(14.0, 0.7 * (width - 70) / len(at)))
    layers = []
    for arm, colour in _ARMS.items():
        chosen = [i for i, one in enumerate(frame["arm"].to_list()) if one == arm]
        if chosen:
            data = rows(at=[at[i] for i in chosen], value=[values[i] for i in chosen])
            layers.append(alt.Chart(data).mark_bar(color=colour, size=size).encode(x=x, y=y))
    tops = rows(i=list(range(len(at))), at=at, value=values)
    return alt.layer(*layers, rule_at(alt, alt.Y, 0.0, MUTED), trace(alt.Chart(tops).encode(x=x, y=y)))


def draw_earned(lines: Sequence[Line], currency: str) -> Plot | None:
    """What all ideas of one currency earned together, adding up over live periods; None before anything was answered."""
    seen = [(one.period, one.earned) for line in lines if line.currency == currency for one in line.course]
    if not seen or len({type(period) for period, _ in seen}) > 1:
        return None
    frame = pl.DataFrame(seen, ["period", "earned"], orient="row").group_by("period").agg(pl.col("earned").sum())
    course = thinned(frame.sort("period").with_columns(total=pl.col("earned").cum_sum()))
    total = float(course["total"][-1])
    way = "lost" if total < 0.0 else "earned"
    ideas = sum(line.currency == currency for line in lines)
    whose = f"{ideas} shipped idea{'' if ideas == 1 else 's'}"
    title = f"{whose} {way} {earned(abs(total), currency)} by {told(course['period'][-1])}"
    readings: list[Reading] = [
        (told(period), f"{earned(so_far, currency)} so far") for period, _, so_far in course.iter_rows()
    ]
    return draw(title, lambda width: _total(course, width, currency), _HEIGHT, right=_SPARE, readings=readings)


def _total(course: pl.DataFrame, width: int, currency: str) -> Any:
    alt = library("altair", "report")
    at, x = along(course["period"], width)
    totals = course["total"].to_list()
    low, high = min(0.0, *totals), max(0.0, *totals)
    margin = 0.16 * ((high - low) or 1.0)
    # Of nothing there are no tenths.
    count = 5 if high > low else 1
    y = money_axis(alt.Y, "total", currency, [low - (margin if low < 0.0 else 0.0), high + margin], count=count)
    colour = LOSS if totals[-1] < 0.0 else GAIN
    data = rows(at=at, total=totals, zero=[0.0] * len(at))
    line = alt.Chart(data).encode(x=x, y=y)
    end = alt.Chart(rows(at=at[-1], total=totals[-1])).encode(x=x, y=y)
    falls = totals[-1] < min(0.0, totals[-max(2, len(totals) // 12) :][0])
    text = earned(totals[-1], currency)
    return alt.layer(
        alt.Chart(data).mark_area(color=colour, opacity=0.16, interpolate="linear").encode(x=x, y=y, y2="zero:Q"),
        rule_at(alt, alt.Y, 0.0, MUTED),
        line.mark_line(color=colour, strokeWidth=2.5, interpolate="linear", strokeJoin="round"),
        end.mark_point(color=colour, fill=colour, opacity=1, size=70),
        *written(alt, end, text, align="right", dx=-2, dy=14 if falls else -14, fontSize=15, fontWeight="bold"),
        trace(alt.Chart(rows(i=list(range(len(at))), at=at, total=totals)).encode(x=x, y=y)),
    )
