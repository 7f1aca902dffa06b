"""One moment of deciding, before any policy has looked at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Protocol
from zlib import crc32

import polars as pl

from shipworthy.problem import Now, Period, Policy, Problem, Span


class Past(Protocol):
    """What `Now.past` is cut from; `History` is one."""

    def known(self, period: Period, within: Span | None = None) -> pl.DataFrame:
        """The rows whose outcomes are known when `period` is decided, at most `within` back from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is the same for every policy that decides this period: rows, history, state and seed.

    Attributes:
        period: The period to decide.
        rows: One row per unit, without what is known only after deciding.
        history: Where `Now.past` is cut from.
        state: The state carried to this period.
        last: The decisions of the period before, the last rung of the ladder; or how to find them, once it comes to that.
        seed: The seed of this period.
        time_limit: Seconds that the caller can wait for the whole step; a policy's own limit may be shorter.
    """

    period: Period
    rows: pl.DataFrame
    history: Past
    state: Mapping[str, Any] = field(default_factory=dict)
    last: pl.DataFrame | Callable[[], pl.DataFrame | None] | None = None
    seed: int = 0
    time_limit: float | None = None

    def now(self, problem: Problem, policy: Policy, seconds: float | None = None) -> Now:
        """What this policy may see: the moment, with as much of the past as the policy remembers, and `seconds` left.

        Rows and state are the policy's own copies: what it changes in them reaches no check and no other policy.
        """
        limits = [limit for limit in (seconds, policy.time_limit) if limit is not None]
        return Now(
            period=self.period,
            key=problem.key,
            rows=self.rows.clone(),
            past=self.history.known(self.period, Span.of(policy.memory)),
            state=deepcopy(self.state) if self.state else {},
            seed=self.seed,
            time_limit=min(limits, default=None),
        )


def seed_of(base: int, period: Period) -> int:
    """The seed of a period: the same for every policy, in replay and live.

    >>> seed_of(1, 5) == seed_of(1, 5), seed_of(1, 5) == seed_of(1, 6)
    (True, False)
    """
    return crc32(f"{base}|{period}".encode()) & 0x7FFFFFFF
