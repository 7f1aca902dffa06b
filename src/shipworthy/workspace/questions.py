"""How many questions in SQL one server process answers at once: each holds a thread and a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from shipworthy.errors import UnavailableError

_MOST = 2
_WAITS_S = 5.0
_AGAIN = "Ask again in a moment."


class Questions:
    """The questions that are being answered: at most two, and one of each account, whose next one waits a little for it.

    >>> questions = Questions()
    >>> with questions.of("ann"), questions.of("ben"):
    ...     with questions.of("eve"):
    ...         pass
    Traceback (most recent call last):
    shipworthy.errors.UnavailableError: 2 questions are being answered already. Ask again in a moment.
    """

    def __init__(self) -> None:
        """Nobody asks yet."""
        self._asking: set[str] = set()
        self._waiting: set[str] = set()
        self._free = Condition()

    @contextmanager
    def of(self, who: str) -> Iterator[None]:
        """Holds a place as long as somebody's question is answered; only for one's own other question one waits.

        Raises:
            UnavailableError: that account asks still, or too many do.
        """
        with self._free:
            if not self._is_through(who):
                raise UnavailableError(f"Your other question is still being answered. {_AGAIN}")
            if len(self._asking) >= _MOST:
                raise UnavailableError(f"{_MOST} questions are being answered already. {_AGAIN}")
            self._asking.add(who)
        try:
            yield
        finally:
            with self._free:
                self._asking.discard(who)
                self._free.notify_all()

    def _is_through(self, who: str) -> bool:
        """Whether the account asks no other question, at once or in a little while; one of each waits, as it holds a thread."""
        if who in self._waiting:
            return False
        self._waiting.add(who)
        try:
            return self._free.wait_for(lambda: who not in self._asking, _WAITS_S)
        finally:
            self._waiting.discard(who)
