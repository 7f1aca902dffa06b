"""What is reckoned behind a page: from records alone, in this process, and kept until something is recorded.

A page waits a moment for it, which is enough where there are few ideas. Where there are many, and the last answer took longer,
the page shows that one at once, with its age, and the next one is begun when the page is likely to be out of the door.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock, Thread
from time import monotonic, sleep
from typing import Any

from shipworthy.errors import ShipworthyError
from shipworthy.project.clock import now

_MOMENT_S = 0.05
_PAGE_S = 0.1
_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoned:
    """What was reckoned.

    Attributes:
        answer: What came out; None before it first did.
        refusal: What went wrong the last time; None where nothing did.
        stamp: What it rests on.
        at: When it was asked for.
        took_s: How long it took.
    """

    answer: Any
    refusal: ShipworthyError | None
    stamp: Hashable
    at: datetime
    took_s: float

    @property
    def error(self) -> str:
        """What went wrong the last time, in words; empty where nothing did."""
        return str(self.refusal or "")


class Behind:
    """What one server process reckons behind its pages.

    >>> behind = Behind()
    >>> found, is_waiting = behind.ask("sum", stamp=1, reckon=lambda: 1 + 1)
    >>> found.answer, is_waiting
    (2, False)
    """

    def __init__(self) -> None:
        """Knows nothing yet."""
        self._kept: dict[Hashable, Reckoned] = {}
        self._running: dict[Hashable, Thread] = {}
        self._lock = Lock()

    def ask(self, key: Hashable, stamp: Hashable, reckon: Callable[[], Any]) -> tuple[Reckoned | None, bool]:
        """The last answer, and whether a newer one is on its way.

        Args:
            key: What is asked.
            stamp: What the answer rests on; another stamp asks for another answer.
            reckon: Gives the answer; an error of the tree is kept in its place.
        """
        with self._lock:
            found, thread = self._kept.get(key), self._running.get(key)
            if found is not None and found.stamp == stamp:
                return found, False
            is_slow = found is not None and found.took_s > _MOMENT_S
            if thread is None:
                later_s = _PAGE_S if is_slow else 0.0
                thread = Thread(
                    target=self._work, args=(key, stamp, reckon, later_s), name="behind a page", daemon=True
                )
                self._running[key] = thread
                thread.start()
                if is_slow:
                    return found, True
            elif found is not None:  # whoever asked first has waited already
                return found, True
        thread.join(_MOMENT_S)
        with self._lock:
            return self._kept.get(key), key in self._running

    def answer(self, key: Hashable, stamp: Hashable, reckon: Callable[[], Any]) -> tuple[Reckoned, bool]:
        """The last answer, as `ask` gives it; the first one is waited for.

        Raises:
            ShipworthyError: what went wrong the last time.
        """
        found, is_waiting = self.ask(key, stamp, reckon)
        while found is None:
            found, is_waiting = self.ask(key, stamp, reckon)
        if found.refusal is not None:
            raise found.refusal
        return found, is_waiting

    def _work(self, key: Hashable, stamp: Hashable, reckon: Callable[[], Any], later_s: float) -> None:
        at, answer, refused = now(), None, None
        sleep(later_s)
        begun = monotonic()
        try:
            answer = reckon()
        except ShipworthyError as refusal:
            refused = refusal
        finally:
            with self._lock:
                before = self._kept.pop(key, None)
                if refused and before is not None:
                    answer = before.answer
                took_s = monotonic() - begun
                self._kept[key] = Reckoned(answer=answer, refusal=refused, stamp=stamp, at=at, took_s=took_s)
                self._running.pop(key, None)
                while len(self._kept) > _MOST:
                    self._kept.pop(next(iter(self._kept)))
