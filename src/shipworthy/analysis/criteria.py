"""What a challenger is judged by: fixed before the evidence is opened."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from shipworthy.errors import InvalidInputError

_DAYS = {"m": 1 / 1440, "h": 1 / 24, "d": 1.0, "w": 7.0, "mo": 365 / 12, "q": 365 / 4, "y": 365.0}
_LONGEST_DAILY = 1.5
_CALENDAR = {7: "1w", 14: "2w", 30: "1mo", 91: "1q", 365: "1y"}
_CADENCE = re.compile(r"([1-9]\d*)(mo|m|h|d|w|q|y)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """How much worse a guardrail may get.

    Attributes:
        name: The guardrail; its columns are `<name>_champion` and `<name>_challenger`.
        margin: The tolerated loss per pair in the guardrail's own unit; 0 asks for a proven improvement.
        better: Which way is better.

    Raises:
        InvalidInputError: The margin is negative or not a number, or the direction is unknown.

    >>> Margin(name="stock_out_rate", margin=0.01, better="lower").margin
    0.01
    """

    name: str
    margin: float
    better: Literal["higher", "lower"] = "higher"

    def __post_init__(self) -> None:
        """Refuses what cannot be judged."""
        if not self.name or self.name == "value":
            raise InvalidInputError(f"A guardrail cannot be named {self.name!r}. Give it a name of its own.")
        if not (math.isfinite(self.margin) and self.margin >= 0.0):
            raise InvalidInputError(f"The margin of {self.name!r} is {self.margin!r}. Give a number of at least 0.")
        if self.better not in ("higher", "lower"):
            raise InvalidInputError(f"{self.name!r} is better {self.better!r}? Say 'higher' or 'lower'.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What the verdict decides on; all money is per pair, that is per unit and period.

    Attributes:
        min_effect: The smallest gain worth shipping.
        target: The gain that the idea claimed; `min_effect` where it is None.
        alpha: Two-sided error of every interval.
        entities: "all" where the units of the evidence are the ones to be served, "sample" where others will be
            served too.
        refit_periods: The challenger is refitted every so many periods; 0 judges this one fitted model.
        training_periods: Periods that each fit learns from; with it the verdict prints the stress interval of
            overlapping fits.
        refit_stress: Whether the stress interval decides.
        cadence: Length of a period: a number and m, h, d, w, mo, q or y. Times are binned to it.
        guardrails: What must not get worse.
        worst_day_loss: The worst loss per pair that one period could bring, seen or not; None leaves it out.
        units_per_year: Pairs decided in a year, to speak of money per year; None leaves it out.

    Raises:
        InvalidInputError: A field is out of its range; the message names it.

    >>> Criteria(min_effect=0.5).claimed
    0.5
    """

    min_effect: float = 0.0
    target: float | None = None
    alpha: float = 0.05
    entities: Literal["all", "sample"] = "all"
    refit_periods: int = 0
    training_periods: int | None = None
    refit_stress: bool = False
    cadence: str = "1d"
    guardrails: tuple[Margin, ...] = ()
    worst_day_loss: float | None = None
    units_per_year: float | None = None

    def __post_init__(self) -> None:
        """Refuses what cannot be judged."""
        names = [guardrail.name for guardrail in self.guardrails]
        for field, holds, remedy in (
            ("min_effect", math.isfinite(self.min_effect), "Give a number."),
            ("target", self.target is None or math.isfinite(self.target), "Give a number."),
            ("alpha", 0.0 < self.alpha < 1.0, "Give a number between 0 and 1, such as 0.05."),
            ("entities", self.entities in ("all", "sample"), "Say 'all' or 'sample'."),
            ("refit_periods", self.refit_periods >= 0, "Give 0 or more."),
            ("training_periods", self.training_periods is None or self.training_periods > 0, "Give 1 or more."),
            ("refit_stress", not self.refit_stress or self.training_periods is not None, "Set training_periods too."),
            ("cadence", _CADENCE.fullmatch(self.cadence) is not None, "Give one such as '1d', '1w' or '6h'."),
            ("guardrails", len(set(names)) == len(names), "Name each guardrail once."),
            ("worst_day_loss", self.worst_day_loss is None or 0.0 <= self.worst_day_loss < math.inf, "Give 0 or more."),
            (
                "units_per_year",
                self.units_per_year is None or 0.0 < self.units_per_year < math.inf,
                "Give more than 0.",
            ),
        ):
            if not holds:
                raise InvalidInputError(f"Criteria cannot have {field} = {getattr(self, field)!r}. {remedy}")

    @property
    def claimed(self) -> float:
        """The gain below which the idea counts as disproved."""
        return self.min_effect if self.target is None else self.target

    @property
    def spoken(self) -> tuple[float, str]:
        """How reasons speak of money: the factor on an amount per pair, and what it is then counted per.

        >>> Criteria(units_per_year=730.0).spoken, Criteria().spoken
        ((730.0, 'a year'), (1.0, 'per unit'))
        """
        return (1.0, "per unit") if self.units_per_year is None else (self.units_per_year, "a year")

    @property
    def days_per_period(self) -> float:
        """Length of a period in days.

        >>> Criteria(cadence="2w").days_per_period
        14.0
        """
        number, unit = _CADENCE.findall(self.cadence)[0]
        return int(number) * _DAYS[unit]

    def to_dict(self) -> dict[str, Any]:
        """Returns the criteria as JSON can hold them."""
        return {**asdict(self), "guardrails": [asdict(guardrail) for guardrail in self.guardrails]}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` returned.

        >>> criteria = Criteria(guardrails=(Margin(name="waste", margin=1.0),))
        >>> Criteria.from_dict(criteria.to_dict()) == criteria
        True
        """
        return cls(**{**fields, "guardrails": tuple(Margin(**margin) for margin in fields["guardrails"])})


def cadence_of(days: float) -> str:
    """The cadence of periods so many days apart; several decisions a day are judged by the day.

    >>> cadence_of(1 / 24), cadence_of(7.02), cadence_of(10.0)
    ('1d', '1w', '10d')
    """
    if days < _LONGEST_DAILY:
        return "1d"
    nearest = min(_CALENDAR, key=lambda length: abs(length - days))
    return _CALENDAR[nearest] if abs(nearest - days) <= 0.1 * nearest else f"{round(days)}d"
