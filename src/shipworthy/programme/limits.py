"""What a question may take: seconds, memory and rows."""

from __future__ import annotations

from dataclasses import dataclass

from shipworthy.errors import InvalidInputError

MOST_SECONDS = 300.0
MOST_MEGABYTES = 16_384
MOST_ROWS = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a question may take.

    Attributes:
        seconds: After so many it is broken off.
        megabytes: The memory of its tables and sums; twice as much, and the process is refused any more.
        rows: So many rows are given back at most.

    >>> Limits(seconds=0.0)
    Traceback (most recent call last):
    ...
    shipworthy.errors.InvalidInputError: A question takes more than 0 and at most 300 seconds, not 0.
    """

    seconds: float = 20.0
    megabytes: int = 1024
    rows: int = 10_000

    def __post_init__(self) -> None:
        bounds = (
            ("seconds", self.seconds, MOST_SECONDS),
            ("megabytes", self.megabytes, MOST_MEGABYTES),
            ("rows", self.rows, MOST_ROWS),
        )
        for noun, asked, most in bounds:
            if not 0 < asked <= most:
                raise InvalidInputError(f"A question takes more than 0 and at most {most:g} {noun}, not {asked:g}.")
