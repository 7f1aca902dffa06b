"""How often something may be done within a span: a window that slides, kept in this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from time import monotonic

_MOST_KEYS = 10_000


class Limit:
    """So many times within so many seconds, for each key by itself.

    >>> limit = Limit(2, 60.0, clock=iter([0.0, 20.0, 30.0, 61.0]).__next__)
    >>> [limit.take("ann") for _ in range(4)]
    [0.0, 0.0, 30.0, 0.0]
    """

    def __init__(self, most: int, seconds: float, *, clock: Callable[[], float] = monotonic) -> None:
        """Allows `most` within any `seconds`."""
        self._most, self._seconds, self._clock = most, seconds, clock
        self._taken: dict[str, deque[float]] = {}
        self._lock = Lock()

    def take(self, key: str) -> float:
        """Takes one and says 0; where none is left, says after how many seconds there is one again."""
        with self._lock:
            now = self._clock()
            taken = self._taken.setdefault(key, deque())
            while taken and taken[0] <= now - self._seconds:
                taken.popleft()
            if len(taken) >= self._most:
                return taken[0] + self._seconds - now
            taken.append(now)
            self._make_room(now)
            return 0.0

    def give_back(self, key: str) -> None:
        """Lets the one that was taken last not count."""
        with self._lock:
            if self._taken.get(key):
                self._taken[key].pop()

    def _make_room(self, now: float) -> None:
        if len(self._taken) > _MOST_KEYS:
            kept = {key: taken for key, taken in self._taken.items() if taken and taken[-1] > now - self._seconds}
            self._taken = dict(list(kept.items())[-_MOST_KEYS // 2 :])
