"""What a policy may see at the moment of deciding, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import polars as pl

Period = Any
"""One moment of deciding, as it stands in the period column of the rows: a date, a datetime or a whole number.

It is not written as a union: the periods of one problem are of one kind and can be compared, which a union denies.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """One moment of deciding.

    Attributes:
        period: The period that is decided.
        key: The names of the period column and of the unit column.
        rows: One row per unit to decide; the columns known only after deciding are not there.
        past: The rows, with outcomes, that are known by now and lie within the policy's memory.
        state: What is carried from period to period (stock, charge, backlog); empty where nothing is.
        seed: The seed for whatever is random in this decision, the same for champion and challenger.
        time_limit: Seconds to decide in, from the moment this was made; see `seconds_left`.

    >>> now = Now(period=3, key=("day", "shop"), rows=pl.DataFrame({"day": [3], "shop": ["a"]}), past=pl.DataFrame())
    >>> now.rows["shop"].to_list()
    ['a']
    """

    period: Period
    key: tuple[str, str]
    rows: pl.DataFrame
    past: pl.DataFrame
    state: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    time_limit: float | None = None
    _made: float = field(default_factory=perf_counter, init=False, repr=False, compare=False)

    @property
    def seconds_left(self) -> float | None:
        """What is left of the time limit; None where there is none."""
        return None if self.time_limit is None else max(0.0, self.time_limit - (perf_counter() - self._made))
