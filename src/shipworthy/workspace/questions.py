"""How many questions in SQL one server process answers at once: each holds a thread and a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from shipworthy.errors import UnavailableError

_MOST = 2
_AGAIN = "Ask again in a moment."


class Questions:
    """The questions that are being answered: at most two, and one of each account.

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
        self._lock = Lock()

    @contextmanager
    def of(self, who: str) -> Iterator[None]:
        """Holds a place as long as somebody's question is answered; who finds none does not wait for one.

        Raises:
            UnavailableError: that account asks already, or too many do.
        """
        with self._lock:
            if who in self._asking:
                raise UnavailableError(f"Another question of {who}'s is being answered. {_AGAIN}")
            if len(self._asking) >= _MOST:
                raise UnavailableError(f"{_MOST} questions are being answered already. {_AGAIN}")
            self._asking.add(who)
        try:
            yield
        finally:
            with self._lock:
                self._asking.discard(who)
