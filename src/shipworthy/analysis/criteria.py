"""What a challenger is judged by: fixed before the evidence is opened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

from shipworthy.errors import InvalidInputError

_DAYS = {"m": 1 / 1440, "h": 1 / 24, "d": 1.0, "w": 7.0, "mo": 365 / 12, "q": 365 / 4, "y": 365.0}
_CADENCE = re.compile(r"([1-9]\d{0,3})(mo|m|h|d|w|q|y)")
_SMALLEST_ALPHA, _LARGEST = 1e-9, 1e300
_LONGEST_DAILY = 1.5
_CALENDAR = {7: "1w", 14: "2w", 30: "1mo", 91: "1q", 365: "1y"}


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
        if not _is_name(self.name):
            raise InvalidInputError(f"A guardrail cannot be named {self.name!r}. Give it a name of its own.")
        if not (_is_number(self.margin) and self.margin >= 0.0):
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
        currency: What money is counted in, to speak of it; empty where nobody says it.

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
    currency: str = ""

    def __post_init__(self) -> None:
        """Refuses what cannot be judged; numbers of numpy become Python's."""
        for field in fields(self):
            as_python = getattr(getattr(self, field.name), "item", None)
            if callable(as_python):
                object.__setattr__(self, field.name, as_python())
        if isinstance(self.guardrails, list):
            object.__setattr__(self, "guardrails", tuple(self.guardrails))
        training, worst, units = self.training_periods, self.worst_day_loss, self.units_per_year
        for name, holds, remedy in (
            ("min_effect", _is_number(self.min_effect), "Give a number."),
            ("target", self.target is None or _is_number(self.target), "Give a number."),
            (
                "alpha",
                _is_number(self.alpha) and _SMALLEST_ALPHA <= self.alpha < 1.0,
                f"Give a number from {_SMALLEST_ALPHA} to below 1, such as 0.05.",
            ),
            (
                "entities",
                any(self.entities == known for known in ("all", "sample")),
                "Say 'all' or 'sample'.",
            ),
            ("refit_periods", _is_number(self.refit_periods) and self.refit_periods >= 0, "Give 0 or more."),
            ("training_periods", training is None or (_is_number(training) and training > 0), "Give 1 or more."),
            ("refit_stress", not self.refit_stress or training is not None, "Set training_periods too."),
            ("cadence", _is_cadence(self.cadence), "Give one such as '1d', '1w' or '6h'."),
            ("guardrails", _are_guardrails(self.guardrails), "Give a Margin for each; name each guardrail once."),
            ("worst_day_loss", worst is None or (_is_number(worst) and worst >= 0.0), "Give 0 or more."),
            ("units_per_year", units is None or (_is_number(units) and units > 0.0), "Give more than 0."),
        ):
            if not holds:
                raise InvalidInputError(f"Criteria cannot have {name} = {getattr(self, name)!r}. {remedy}")

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


def _is_name(value: Any) -> bool:
    """Whether a guardrail may be called so."""
    return isinstance(value, str) and value not in ("", "value")


def _is_number(value: Any) -> bool:
    """Whether a value is a number that can be computed with."""
    return isinstance(value, (int, float)) and abs(value) < _LARGEST


def _is_cadence(value: Any) -> bool:
    """Whether a value is the length of a period."""
    return isinstance(value, str) and _CADENCE.fullmatch(value) is not None


def _are_guardrails(value: Any) -> bool:
    """Whether a value is some margins, each guardrail named once."""
    if not isinstance(value, tuple) or not all(isinstance(one, Margin) for one in value):
        return False
    return len({one.name for one in value}) == len(value)
