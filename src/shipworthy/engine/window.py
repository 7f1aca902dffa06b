"""Windows of a replayed history: the one that is open to exploring, and the sealed holdout that the verdict answers from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from shipworthy.engine.replay import first_replayed
from shipworthy.errors import InvalidInputError
from shipworthy.problem import Period, Problem, Span
from shipworthy.step import History


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive periods, from `first` to `last`, both of them included.

    >>> Window(3, 5).of([1, 3, 4, 8])
    [3, 4]
    """

    first: Period
    last: Period

    def of(self, periods: Sequence[Period]) -> list[Period]:
        """Those of some periods that lie in it."""
        return [period for period in periods if self.first <= period <= self.last]

    def cut(self, table: pl.DataFrame, column: str) -> pl.DataFrame:
        """The rows of a table whose period lies in it."""
        return table.filter(pl.col(column).is_between(pl.lit(self.first), pl.lit(self.last)))

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


@dataclass(frozen=True, slots=True)
class Windows:
    """How a replayed history is divided.

    Attributes:
        development: What is open to exploring: all of it, where nothing is sealed.
        holdout: What is sealed; None where the problem declares no holdout.
    """

    development: Window
    holdout: Window | None

    @property
    def judged(self) -> Window:
        """What the verdict answers from."""
        return self.holdout or self.development


def windows(problem: Problem, history: History) -> Windows:
    """Divides what will be replayed: the newest periods are the holdout, and development ends the embargo before them.

    Raises:
        InvalidInputError: nothing is left to replay, or to develop on.
    """
    replayed = Window(first_replayed(problem, history), history.periods[-1]).of(history.periods)
    if problem.holdout is None:
        return Windows(Window(replayed[0], replayed[-1]), None)
    since = Span.of(problem.holdout).before(replayed[-1])
    sealed = [period for period in replayed if period > since]
    before = Span.of(problem.embargo).before(sealed[0])
    is_open = [period for period in replayed if period < before]
    if not is_open:
        raise InvalidInputError(
            f"Nothing is left to develop on: {len(replayed)} periods are replayed, and a holdout of {problem.holdout} with an "
            f"embargo of {problem.embargo} leaves none. Give more rows, or a shorter Problem(holdout=...) or warm_up."
        )
    return Windows(Window(is_open[0], is_open[-1]), Window(sealed[0], sealed[-1]))


def judged_periods(problem: Problem, history: History) -> list[Period]:
    """The periods that the verdict answers from: those of the holdout, or all that are replayed where there is none.

    Raises:
        InvalidInputError: nothing is left to replay, or to develop on.
    """
    return windows(problem, history).judged.of(history.periods)
