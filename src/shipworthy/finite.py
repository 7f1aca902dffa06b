"""What JSON can hold: it has no word for infinity, nor for what is no number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def finite(value: Any) -> Any:
    """Returns a value, and all that is in it, with None for every float that is infinite or NaN.

    >>> finite({"low": -math.inf, "halves": (1.0, math.nan), "says": "yes"})
    {'low': None, 'halves': [1.0, None], 'says': 'yes'}
    """
    if isinstance(value, Mapping):
        return {name: finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
