"""What a solver is given from the moment of deciding: a seed it can take, and the seconds it may search."""

from __future__ import annotations

from shipworthy.problem import Now

_SEARCH = 0.9
_LEAST_S = 0.001


def seed_in(now: Now) -> int:
    """The seed as a number of 31 bits, which is what solvers take.

    >>> import polars as pl
    >>> seed_in(Now(period=1, key=("day", "shop"), rows=pl.DataFrame(), past=pl.DataFrame(), seed=2**31 + 5))
    5
    """
    return now.seed % 2**31


def seconds_in(now: Now) -> float | None:
    """Nine tenths of the seconds left: the step waits no longer than all of them, and a found plan has to be handed over.

    >>> import polars as pl
    >>> seconds_in(Now(period=1, key=("day", "shop"), rows=pl.DataFrame(), past=pl.DataFrame())) is None
    True
    """
    left = now.seconds_left
    return None if left is None else max(_LEAST_S, _SEARCH * left)
