"""The five stages, and the gaps that keep a stage's gate closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shipworthy.errors import GateClosedError


class Stage(StrEnum):
    """Where an idea stands, in the order of the walk.

    >>> Stage.DATA.verb, Stage.DATA.next
    ('data', <Stage.RESEARCH: 'research'>)
    """

    IDEA = "idea"
    DATA = "data"
    RESEARCH = "research"
    ANALYSIS = "analysis"
    SHIP = "ship"

    @property
    def verb(self) -> str:
        """The command that does this stage's work."""
        return {"idea": "idea show", "analysis": "analyse"}.get(self.value, self.value)

    @property
    def next(self) -> Stage:
        """The stage after this one; the last one is its own next."""
        order = list(Stage)
        return order[min(order.index(self) + 1, len(order) - 1)]


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that a gate still misses.

    Attributes:
        what: What is missing or wrong, in a sentence.
        remedy: What to do about it.
    """

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}"


def refuse_closed(gate: str, gaps: Sequence[Gap]) -> None:
    """Refuses to go on while a gate misses something.

    Raises:
        GateClosedError: there is at least one gap; every one is in the message.

    >>> refuse_closed("idea 7 to data", [])
    """
    if gaps:
        listed = "\n".join(f"  - {gap}" for gap in gaps)
        raise GateClosedError(f"The gate from {gate} is closed:\n{listed}")
