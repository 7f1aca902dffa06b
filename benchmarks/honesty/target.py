"""A figure beside what it has to reach."""

from __future__ import annotations

import math
from dataclasses import dataclass

# A share counts as above its bound where chance alone would show that once in a thousand times.
_STRICT = 3.09


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One promise, and what was measured.

    Attributes:
        what: In words.
        found: The figure.
        most: What it may not exceed; None where only a lower bound holds.
        least: What it must reach; None where only an upper bound holds.
        text: Of the bound.
    """

    what: str
    found: float
    most: float | None = None
    least: float | None = None
    text: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the figure lies within its bounds."""
        low = -math.inf if self.least is None else self.least
        high = math.inf if self.most is None else self.most
        return low <= self.found <= high

    def __str__(self) -> str:
        """One line of the summary."""
        bounds = [f"at least {self.least:g}"] if self.least is not None else []
        bounds += [f"at most {self.most:g}"] if self.most is not None else []
        return f"{self.what:<62}{self.found:>8.2f}   {self.text or ' and '.join(bounds):<28} {'met' if self.is_met else 'MISSED'}"


def share_within(what: str, found: float, replicates: int, most: float) -> Target:
    """A share, in %, that may not lie significantly above `most`."""
    limit = most + _STRICT * math.sqrt(most * (100.0 - most) / replicates)
    return Target(what=what, found=found, most=limit, text=f"{most:g}, with chance {limit:.1f}")


def summary(targets: list[Target]) -> bool:
    """Prints the targets; returns whether all are met."""
    print()
    for target in targets:
        print(target)
    return all(target.is_met for target in targets)
