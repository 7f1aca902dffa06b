"""What to do with a challenger: the four answers that a verdict can give."""

from __future__ import annotations

from enum import StrEnum


class Decision(StrEnum):
    """What to do with a challenger.

    >>> str(Decision.SHIP)
    'ship'
    """

    SHIP = "ship"
    STOP = "stop"
    INCONCLUSIVE = "inconclusive"
    INVALID = "invalid"
