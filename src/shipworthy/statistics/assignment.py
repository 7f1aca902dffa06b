"""Who is tried: an arm that follows from a hash, the same on every machine and after every restart."""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

Arm = Literal["champion", "challenger"]

_DRAWS = 2**64


def draw(*keys: object) -> float:
    """Returns a number from 0 up to 1 which follows from the keys alone.

    >>> draw("idea 7", "Monday") == draw("idea 7", "Monday"), draw("idea 7", "Monday") == draw("idea 8", "Monday")
    (True, False)
    """
    text = "|".join(str(key) for key in keys)
    return int.from_bytes(sha256(text.encode()).digest()[:8]) / _DRAWS


def arm_of(salt: object, *keys: object, share: float) -> Arm:
    """Returns the arm that decides: with (salt, unit, period) drawn anew each period, with (salt, unit) for good.

    Args:
        salt: What belongs to this trial alone, such as its idea, so that trials do not share their arms.
        keys: What is drawn: a unit, a period, or both.
        share: The share of the challenger, from 0 to 1.

    >>> [arm_of("idea 7", "shop 1", day, share=0.5) for day in ("Monday", "Tuesday", "Wednesday")]
    ['challenger', 'champion', 'champion']
    """
    return "challenger" if draw(salt, *keys) < share else "champion"
