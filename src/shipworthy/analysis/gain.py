"""A gain: an amount of money with its interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """An amount of money with its interval."""

    gain: float
    low: float
    high: float
