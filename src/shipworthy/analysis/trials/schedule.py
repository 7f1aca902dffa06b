"""The published plan of a switchback: who decides when, drawn by a seed that everybody knows before it starts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, Self

import polars as pl

from shipworthy.errors import InvalidInputError
from shipworthy.statistics.assignment import Arm, draw

_LENGTHS = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 24.0)
_DAY = 24.0
_CARRY_OVERS = 3.0
_LONGEST_DAYS = 3_660


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchbackPlan:
    """Blocks in pairs, the same hours of adjacent days; a coin per pair and market decides who comes first.

    Attributes:
        seed: What the coins follow from; publish it before the start.
        start: The beginning of the first block.
        days: Length of the trial, two rounds of blocks or a multiple of them.
        block_hours: Length of a block; it divides a day, or days make it up.
        carry_over_hours: How long decisions are still felt; the beginning of each block that is not counted.
        markets: The markets that switch, each by coins of its own.

    Raises:
        InvalidInputError: A field is out of its range; the message names it.

    >>> plan = SwitchbackPlan(seed="autumn", start=datetime(2026, 9, 7), days=2, block_hours=12.0, carry_over_hours=2.0)
    >>> plan.blocks().select("pair", "start", "arm").rows()[0]
    (0, datetime.datetime(2026, 9, 7, 0, 0), 'challenger')
    """

    seed: str
    start: datetime
    days: int
    block_hours: float
    carry_over_hours: float = 0.0
    markets: tuple[str, ...] = ("all",)

    def __post_init__(self) -> None:
        """Refuses a plan whose blocks do not pair up."""
        whole = _divides(self.block_hours, _DAY) or _divides(_DAY, self.block_hours)
        fits = whole and self.days > 0 and _divides(2.0 * self.round_hours, self.days * _DAY)
        for field, holds, remedy in (
            ("start", isinstance(self.start, datetime), "Give a datetime."),
            ("block_hours", self.block_hours > 0.0 and whole, "Give hours that divide a day, or whole days of hours."),
            ("carry_over_hours", 0.0 <= self.carry_over_hours < self.block_hours, "Give less than a block."),
            (
                "days",
                fits and self.days <= _LONGEST_DAYS,
                f"Give a multiple of {self.round_hours / 12.0:g}, up to 10 years.",
            ),
            ("markets", 0 < len(self.markets) == len(set(self.markets)), "Name each market once."),
        ):
            if not holds:
                raise InvalidInputError(f"A switchback cannot have {field} = {getattr(self, field)!r}. {remedy}")

    @property
    def round_hours(self) -> float:
        """After how many hours the same time of day comes again: a day, or a block where that is longer."""
        return max(_DAY, self.block_hours)

    @property
    def blocks_a_round(self) -> int:
        """Blocks in a round."""
        return round(self.round_hours / self.block_hours)

    @property
    def pairs(self) -> int:
        """Pairs of blocks of each market."""
        return round(self.days * _DAY / self.round_hours) // 2 * self.blocks_a_round

    def first_arm(self, market: str, pair: int) -> Arm:
        """Who decides the earlier block of a pair."""
        return "challenger" if draw(self.seed, market, pair) < 0.5 else "champion"

    def arm_at(self, instant: object) -> Arm:
        """Who decides at an instant, where there is one market; the champion before the start and after the end.

        A date is its midnight; where the start has a time zone, an instant without one is in it.

        >>> plan = SwitchbackPlan(seed="autumn", start=datetime(2026, 9, 7), days=2, block_hours=12.0)
        >>> [plan.arm_at(datetime(2026, 9, day, 1)) for day in (6, 7, 8, 9)]
        ['champion', 'challenger', 'champion', 'champion']
        """
        if not isinstance(instant, date):
            return "champion"
        at = instant if isinstance(instant, datetime) else datetime.combine(instant, datetime.min.time())
        if (at.tzinfo is None) is not (self.start.tzinfo is None):
            at = at.replace(tzinfo=self.start.tzinfo)
        number = math.floor((at - self.start) / timedelta(hours=self.block_hours))
        if not 0 <= number < 2 * self.pairs:
            return "champion"
        turn, slot = divmod(number, self.blocks_a_round)
        first = self.first_arm(self.markets[0], turn // 2 * self.blocks_a_round + slot)
        return first if turn % 2 == 0 else _other(first)

    def blocks(self) -> pl.DataFrame:
        """All blocks in order of time: market, pair, start, counts_from (after the carry-over), end, arm."""
        rows = []
        for number in range(2 * self.pairs):
            turn, slot = divmod(number, self.blocks_a_round)
            pair, second = turn // 2 * self.blocks_a_round + slot, turn % 2 == 1
            start = self.start + timedelta(hours=number * self.block_hours)
            for market in self.markets:
                first = self.first_arm(market, pair)
                rows.append(
                    {
                        "market": market,
                        "pair": pair,
                        "start": start,
                        "counts_from": start + timedelta(hours=self.carry_over_hours),
                        "end": start + timedelta(hours=self.block_hours),
                        "arm": first if not second else _other(first),
                    }
                )
        return pl.DataFrame(rows)

    @property
    def digest(self) -> str:
        """The SHA-256 of the plan, to be published with it."""
        return sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Returns the plan as JSON can hold it."""
        return {**asdict(self), "start": self.start.isoformat(), "markets": list(self.markets)}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` returned.

        >>> plan = SwitchbackPlan(seed="autumn", start=datetime(2026, 9, 7), days=2, block_hours=6.0)
        >>> SwitchbackPlan.from_dict(plan.to_dict()) == plan
        True
        """
        start = datetime.fromisoformat(str(fields["start"]))
        return cls(**{**fields, "start": start, "markets": tuple(fields["markets"])})


def block_length(carry_over_hours: float, *, cadence_hours: float = 0.0) -> float:
    """Returns the shortest block, in hours, that lasts three carry-overs and holds a whole period that counts.

    Args:
        carry_over_hours: How long decisions are still felt.
        cadence_hours: Length of a period; 0 where decisions come at any time.

    >>> block_length(2.0), block_length(10.0), block_length(0.0, cadence_hours=24.0)
    (6.0, 48.0, 24.0)
    """
    felt = washout(carry_over_hours, cadence_hours=cadence_hours)
    least = max(_CARRY_OVERS * felt, felt + cadence_hours)
    for length in _LENGTHS:
        if length >= least and (not cadence_hours or _divides(cadence_hours, length)):
            return length
    return _DAY * math.ceil(least / _DAY)


def washout(carry_over_hours: float, *, cadence_hours: float = 0.0) -> float:
    """Returns how many hours of a block are dropped: the carry-over, in whole periods.

    >>> washout(5.0), washout(5.0, cadence_hours=4.0)
    (5.0, 8.0)
    """
    return math.ceil(carry_over_hours / cadence_hours) * cadence_hours if cadence_hours else carry_over_hours


def _divides(part: float, whole: float) -> bool:
    return (
        part > 0.0 and whole > 0.0 and math.isclose(whole / part, round(whole / part), abs_tol=1e-9) and whole >= part
    )


def _other(arm: Arm) -> Arm:
    return "champion" if arm == "challenger" else "challenger"
