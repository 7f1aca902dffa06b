"""Exploring: what a stretch of open periods shows. It locks nothing, leaves no record and is no verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

import polars as pl

from shipworthy.engine import Done, Replay, Window, engine_of, replay, windows
from shipworthy.errors import InvalidInputError
from shipworthy.problem import Period, Problem
from shipworthy.project import Project
from shipworthy.research.evidence import pair
from shipworthy.research.opening import open_idea


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """What both policies earned in a stretch of open periods; money is the mean per period.

    Attributes:
        first: The first period.
        last: The last period.
        periods: How many periods both of them earned something in, as far as outcomes are known.
        champion: What the champion earned; None where no period could be valued.
        challenger: What the challenger earned.
        difference: What the challenger earned more.
        currency: The currency of all of them.
    """

    first: str
    last: str
    periods: int
    champion: float | None
    challenger: float | None
    difference: float | None
    currency: str


def explore_idea(
    project: Project,
    number: int,
    *,
    first: Period | str | None = None,
    last: Period | str | None = None,
    done: Done = lambda n, of: None,
) -> Exploration:
    """Replays both policies over a range of what is open, and says what each earned. It never counts.

    Nothing is locked and no record is written. Decisions are those of the whole replay, whose blocks are shared.

    Args:
        project: The project.
        number: The idea's number.
        first: The first period, or its text; the first that is replayed, if none is given.
        last: The last one, included; the end of the development window, if none is given.
        done: Told of progress.

    Raises:
        GateClosedError: the data stage still misses something, or the holdout is not the one that was locked.
        InvalidInputError: the range cannot be read, holds no period, or reaches beyond the development window.
    """
    opened = open_idea(project, number)
    replayed = opened.replay()
    window = asked_window(replayed, first, last)
    between = (window.first, window.last)
    with engine_of(project, replayed.history.rows) as engine:
        champion = replay(replayed, str(replayed.problem.champion), engine, between=between)
        challenger = replay(replayed, opened.idea.challenger, engine, done, between=between)
    return explored(replayed.problem, pair(replayed.problem, champion, challenger))


def explored(problem: Problem, paired: pl.DataFrame) -> Exploration:
    """Adds up paired rows, period by period; only rows that both policies have a value for count."""
    usable = paired.drop_nulls(["value_champion", "value_challenger"])
    count = usable["period"].n_unique()
    sums = [float(usable[f"value_{role}"].sum()) for role in ("champion", "challenger")]
    champion, challenger = (total / count if count else None for total in sums)
    return Exploration(
        first=str(paired["period"].min()),
        last=str(paired["period"].max()),
        periods=count,
        champion=champion,
        challenger=challenger,
        difference=(sums[1] - sums[0]) / count if count else None,
        currency=problem.currency,
    )


def asked_window(replayed: Replay, first: Period | str | None, last: Period | str | None) -> Window:
    """The periods from `first` to `last` that are replayed and open.

    Raises:
        InvalidInputError: a text is no period, there is none between, or they reach beyond the development window.
    """
    divided = windows(replayed.problem, replayed.history)
    is_open = divided.development
    example = replayed.history.periods[-1]
    asked = Window(
        is_open.first if first is None else _period(first, example, time.min),
        is_open.last if last is None else _period(last, example, time.max),
    )
    if divided.holdout is not None and asked.last > is_open.last and asked.of(replayed.history.periods):
        raise InvalidInputError(
            f"{asked} reaches beyond the development window, {is_open}: the holdout, {divided.holdout}, is sealed with the "
            f"embargo before it. Explore up to {is_open.last}."
        )
    found = [period for period in asked.of(replayed.history.periods) if period >= is_open.first]
    if not found:
        raise InvalidInputError(f"No period from {asked} is replayed. Choose from {is_open}.")
    return Window(found[0], found[-1])


def _period(given: Period | str, example: Period, part: time) -> Period:
    """A period, or its text in the kind of the example; a day among times begins or ends with `part`."""
    try:
        found = _read(given, example, part) if isinstance(given, str) else given
        found < example  # noqa: B015  (raises where the two are of different kinds)
    except (TypeError, ValueError):
        raise InvalidInputError(f"{given!r} is no period of these rows. Write it like {example}.") from None
    return found


def _read(text: str, example: Period, part: time) -> Period:
    if not isinstance(example, date):
        return int(text)
    if not isinstance(example, datetime):
        return date.fromisoformat(text)
    at = datetime.fromisoformat(text)
    if len(text) == len("2015-11-07"):
        at = datetime.combine(at, part)
    return at if at.tzinfo else at.replace(tzinfo=example.tzinfo)
