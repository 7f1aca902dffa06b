"""A span of time between periods: "1d", "6h", "4w", or a plain number for problems whose periods are numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shipworthy.errors import InvalidInputError
from shipworthy.problem.now import Period

_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time, which can be added to any kind of period.

    Numbered periods count in their own unit: there "7" and "7d" both mean seven periods. Dates have no hours, so that a
    part of a day counts as a whole one: what is known 36 hours after Monday began is not known when Tuesday is decided.

    >>> Span.of("4w").after(date(2026, 1, 1))
    datetime.date(2026, 1, 29)
    >>> Span.of("36h").after(date(2026, 1, 1))
    datetime.date(2026, 1, 3)
    >>> Span.of("2").before(10)
    8
    """

    text: str
    count: int
    seconds: int

    @classmethod
    def of(cls, text: str | Span) -> Span:
        """Reads a span.

        Raises:
            InvalidInputError: the text is not a number followed by m, h, d or w.
        """
        if isinstance(text, Span):
            return text
        match = re.fullmatch(r"(\d+)\s*([mhdw]?)", str(text).strip())
        if match is None:
            raise InvalidInputError(
                f"{text!r} is not a span of time. Write a number and m, h, d or w, for example '7d'."
            )
        count = int(match[1])
        return cls(str(text), count, count * _SECONDS[match[2] or "d"])

    def after(self, period: Period) -> Period:
        """The period this long after `period`."""
        return self._moved(period, 1)

    def before(self, period: Period) -> Period:
        """The period this long before `period`."""
        return self._moved(period, -1)

    def _moved(self, period: Period, sign: int) -> Period:
        if not isinstance(period, date):
            return period + sign * self.count
        try:
            if isinstance(period, datetime):
                return period + timedelta(seconds=sign * self.seconds)
            return period + timedelta(days=sign * -(-self.seconds // 86_400))
        except OverflowError:
            return _end_of_calendar(period, sign)


def _end_of_calendar(like: date, sign: int) -> date:
    """The last date or time that there is, or the first one where `sign` is below 0."""
    if isinstance(like, datetime):
        return (datetime.max if sign > 0 else datetime.min).replace(tzinfo=like.tzinfo)
    return date.max if sign > 0 else date.min
