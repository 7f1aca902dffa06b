"""Assumptions: named numbers that money rests on and nobody has measured, such as a price or what waste costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from types import MappingProxyType
from typing import Any, TypeAlias

from shipworthy.errors import InvalidInputError, NotFoundError

Stated: TypeAlias = float | tuple[float, float, float]
"""An assumption as it is written: its value; or value, low and high, the range that is plausible."""

_NAMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A number that the value takes as given.

    Attributes:
        name: What the value calls it.
        value: What it is taken to be.
        plausible: The lowest and the highest that it could be; None where nobody said.
    """

    name: str
    value: float
    plausible: tuple[float, float] | None = None

    @property
    def term(self) -> float | list[float]:
        """The assumption as it is locked: its value, with its range where one is declared."""
        return self.value if self.plausible is None else [self.value, *self.plausible]


def assumption(name: Any, stated: Any) -> Assumption:
    """Reads an assumption as it is written: a name, and what is `Stated` of it.

    Raises:
        InvalidInputError: the name is none that Python could use, or the numbers are not finite or not in order.

    >>> assumption("price", (3.0, 2.5, 4.0)).plausible
    (2.5, 4.0)
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise InvalidInputError(f"{name!r} is no name of an assumption. Use letters, digits and _, as in 'unit_cost'.")
    numbers = stated if isinstance(stated, tuple | list) else (stated,)
    are_numbers = all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers)
    if len(numbers) not in (1, _NAMES) or not are_numbers or not all(map(math.isfinite, numbers)):
        raise InvalidInputError(
            f"The assumption {name!r} is {stated!r}. Give one finite number, or three: (value, low, high)."
        )
    value, *plausible = map(float, numbers)
    if not plausible:
        return Assumption(name=name, value=value)
    low, high = plausible
    if not low <= value <= high or low == high:
        raise InvalidInputError(
            f"The assumption {name!r} is {value:g} within {low:g} to {high:g}. Give (value, low, high) with low <= value <= high."
        )
    return Assumption(name=name, value=value, plausible=(low, high))


class _Known(dict[str, float]):
    def __missing__(self, name: str) -> float:
        raise NotFoundError.among("assumption", name, self, "Declare it with Problem(assumptions={...}).")


def assumed(numbers: Mapping[str, float]) -> Mapping[str, float]:
    """The numbers as a value gets them: read only, and a name that is not there is told with those that are."""
    return MappingProxyType(_Known(numbers))


def takes_second(function: Callable[..., Any]) -> bool:
    """Whether a declared function asks for a second thing beside the rows: the assumptions, or the state.

    >>> takes_second(lambda happened: 1), takes_second(lambda happened, assumed: 1)
    (False, True)
    """
    try:
        given = signature(function).parameters.values()
    except ValueError:  # something built in, which tells nothing of itself
        return False
    return sum(one.default is one.empty for one in given) > 1
