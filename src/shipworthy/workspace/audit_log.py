"""What no other record says: who was refused, from where a token was used, what was taken out.

Refusals are bounded: the same one is written once a minute with its number, and beyond some in a minute the rest is one number,
so that nobody fills a disk by being refused.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import StrEnum
from threading import Lock
from time import monotonic
from typing import NamedTuple

from shipworthy.errors import UnavailableError
from shipworthy.project.clock import now
from shipworthy.store import Change, RecordStore
from shipworthy.workspace.account import SERVER
from shipworthy.workspace.token import Token

KIND = "audit"
USE_KIND = "token use"
MINUTE_S = 60.0
MOST_A_MINUTE = 20
"""How many refusals of one minute are written each by itself."""

_LONGEST = 200
_MOST_ADDRESSES = 50
_LOG = logging.getLogger("shipworthy.audit")


class Event(StrEnum):
    """What is noted."""

    REFUSED = "sign-in refused"
    DENIED = "denied"
    LIMITED = "too many requests"
    EXPORTED = "exported"


class _Refusal(NamedTuple):
    event: Event
    who: str
    address: str
    squad: str
    detail: str


_MORE = _Refusal(Event.DENIED, "*", "*", "", "more refusals than are written one by one")


class AuditLog:
    """Writes to a workspace's records what one server process saw."""

    def __init__(self, records: RecordStore, *, clock: Callable[[], float] = monotonic) -> None:
        """Writes to these records; `clock` counts seconds."""
        self._records = records
        self._clock = clock
        self._lock = Lock()
        self._since = clock()
        self._counted: dict[_Refusal, int] = {}
        self._uses: set[tuple[str, str, str]] = set()

    def exported(self, who: str, detail: str, *, address: str = "", squad: str = "") -> None:
        """Notes that somebody took something out; raises where that cannot be noted, so that nothing leaves unseen.

        Raises:
            UnavailableError: the records cannot be written.
        """
        self._write(_Refusal(Event.EXPORTED, who, address, squad, detail), 1)

    def refused(self, event: Event, who: str, *, address: str = "", squad: str = "", detail: str = "") -> None:
        """Notes a refusal, or counts it where the same one was noted within the minute; a silent store is only told of."""
        refusal = _Refusal(event, who[:_LONGEST], address, squad, detail[:_LONGEST])
        try:
            with self._lock:
                self._turn()
                if refusal not in self._counted and len(self._counted) >= MOST_A_MINUTE:
                    refusal = _MORE
                is_new = refusal not in self._counted
                self._counted[refusal] = self._counted.get(refusal, 0) + (not is_new)
            if is_new:
                self._write(refusal, 1)
        except UnavailableError as error:
            _LOG.warning("A refusal could not be noted: %s", error)

    def used(self, token: Token, address: str) -> None:
        """Notes that a token was used, once a day and address."""
        day = now().date().isoformat()
        use = (token.key, address, day)
        if use in self._uses:
            return
        record = self._records.get(USE_KIND, token.key)
        known = dict(record.body["addresses"]) if record else {}
        if known.get(address) != day and len(known) < _MOST_ADDRESSES:
            body = {
                "token": token.id,
                "address": address,
                "new": address not in known,
                "addresses": {**known, address: day},
            }
            self._records.add(Change(kind=USE_KIND, key=token.key, body=body), by=token.login)
        if len(self._uses) > 10_000:
            self._uses.clear()
        self._uses.add(use)

    def close(self) -> None:
        """Writes what was only counted."""
        with self._lock:
            self._turn(ends=True)

    def _turn(self, *, ends: bool = False) -> None:
        """Once a minute is over, writes how often each refusal was repeated in it."""
        if not ends and self._clock() - self._since < MINUTE_S:
            return
        counted, self._counted, self._since = self._counted, {}, self._clock()
        for refusal, times in counted.items():
            if times:
                self._write(refusal, times)

    def _write(self, refusal: _Refusal, times: int) -> None:
        event, who, address, squad, detail = refusal
        body = {"who": who, "address": address, "squad": squad, "detail": detail, "times": times}
        by = SERVER if event is not Event.EXPORTED else who
        self._records.add(Change(kind=KIND, key=str(event), body=body), by=by)
