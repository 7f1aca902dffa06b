"""A plot of an answer: lines, bars or points, in the look of the reports."""

from __future__ import annotations

from typing import Any, Literal, get_args

import polars as pl

from shipworthy.analysis.money import figure, step_of
from shipworthy.analysis.report.drawing import GAIN, INK, LETTER, Plot, along, draw, rows, trace
from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.library import library
from shipworthy.programme.ask import Answer

Kind = Literal["line", "bar", "points"]
KINDS: tuple[str, ...] = get_args(Kind)
MOST_POINTS = 2000
MOST_BARS = 60
_HEIGHT = 260


def draw_answer(answer: Answer, x: str, y: str, kind: Kind, title: str = "") -> Plot:
    """Draws one column of an answer over another one.

    Args:
        answer: The answer.
        x: The column along the bottom: numbers or times; for bars anything.
        y: The column upwards: numbers.
        kind: How.
        title: Its message; the two columns, if none is given.

    Raises:
        NotFoundError: the answer has no such column.
        InvalidInputError: the columns cannot be drawn so, or there are too many rows.
        UnavailableError: the extra `report` is not installed.
    """
    frame = answer.frame
    for name in (x, y):
        if name not in frame.columns:
            raise NotFoundError.among("column", name, frame.columns)
    if kind not in KINDS:
        raise NotFoundError.among("plot", kind, KINDS)
    if not frame[y].dtype.is_numeric():
        raise InvalidInputError(f"{_holds(frame[y])} and no numbers: it cannot be drawn upwards. Cast it.")
    known = frame.select(pl.col(x).alias("x"), pl.col(y).cast(pl.Float64).alias("y")).drop_nulls()
    known = known.filter(pl.col("y").is_finite())
    most = MOST_BARS if kind == "bar" else MOST_POINTS
    if not 0 < known.height <= most:
        raise InvalidInputError(
            f"{known.height:,} rows with both numbers cannot be drawn: 1 to {most:,} can. Ask otherwise."
        )
    says = title or f"{y} by {x}"
    step = step_of(known["y"].abs().to_list())
    readings = [(str(at), figure(amount, step)) for at, amount in known.iter_rows()]
    if kind == "bar":
        return draw(says, lambda width: _bars(known, y, width), _HEIGHT, readings=readings)
    if not (known["x"].dtype.is_numeric() or known["x"].dtype.is_temporal()):
        raise InvalidInputError(f"{_holds(frame[x])}: along the bottom lie numbers or times. Draw bars instead.")
    known = known.with_columns(_whole(known["x"])).sort("x")
    readings = [(str(at), figure(amount, step)) for at, amount in known.iter_rows()]
    return draw(says, lambda width: _course(known, x, y, width, kind), _HEIGHT, readings=readings)


def _holds(column: pl.Series) -> str:
    """What a column holds, as people say it."""
    kind = {pl.String(): "words", pl.Boolean(): "yes and no"}.get(column.dtype, f"{column.dtype} values")
    return f"{column.name!r} holds {kind}"


def _whole(at: pl.Series) -> pl.Series:
    """Where points lie, in a type that the axis of the reports knows: times, or whole numbers where they are whole."""
    if at.dtype.is_temporal() or at.dtype.is_integer():
        return at
    return at.cast(pl.Float64).round().cast(pl.Int64)


def _course(known: pl.DataFrame, below: str, name: str, width: int, kind: Kind) -> Any:
    alt = library("altair", "report")
    at, x = along(known["x"], width)
    x = x.title(below)
    data = rows(i=list(range(known.height)), at=at, y=known["y"].to_list())
    y = _upwards(alt, known, name).scale(zero=False)
    placed = alt.Chart(data).encode(x=x, y=y)
    mark = (
        placed.mark_line(color=GAIN, strokeWidth=2.5, interpolate="linear")
        if kind == "line"
        else placed.mark_point(color=GAIN, fill=GAIN, opacity=0.7, size=40)
    )
    return alt.layer(mark, trace(placed))


def _bars(known: pl.DataFrame, name: str, width: int) -> Any:
    alt = library("altair", "report")
    names = [str(one) for one in known["x"].to_list()]
    places = list(range(known.height))
    data = rows(i=places, at=places, y=known["y"].to_list())
    tilt = 0 if max(map(len, names)) * len(names) * 8 < width else -45
    axis = alt.Axis(labelExpr=f"{_texts(names)}[datum.value]", labelAngle=tilt, labelLimit=120, labelColor=INK)
    placed = alt.Chart(data).encode(x=alt.X("at:O", title=None, axis=axis), y=_upwards(alt, known, name))
    return alt.layer(placed.mark_bar(color=GAIN), trace(placed))


def _upwards(alt: Any, known: pl.DataFrame, name: str) -> Any:
    """The axis of the numbers, whose title has room beside them in every font."""
    largest = max(map(abs, known["y"].to_list()))
    letters = len(figure(-largest, step_of([largest], digits=2)))
    return alt.Y("y:Q", title=name, axis=alt.Axis(minExtent=LETTER * (letters + 1)))


def _texts(names: list[str]) -> str:
    """The names as a list in Vega's expressions; no letter of them means anything there."""
    escaped = (name.encode("unicode_escape").decode("ascii").replace("'", "\\'") for name in names)
    return "[" + ", ".join(f"'{name}'" for name in escaped) + "]"
