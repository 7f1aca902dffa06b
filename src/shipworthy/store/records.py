"""The port for records: small, versioned, append-only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One version of one thing; versions count from 1 and never change.

    Attributes:
        kind: What it is: "idea", "verdict", "rollout".
        key: Which one, unique within its kind.
        version: Its number in the thing's history.
        at: When it was written, in UTC.
        by: Who wrote it.
        body: What it says, as plain JSON values.
        seq: Its place among all records of its store: 1, 2, 3 and so on, in the order in which they were committed.
        chain: The SHA-256, in hexadecimal, of this record and of the chain of the one before; see `store/chain.py`.
    """

    kind: str
    key: str
    version: int
    at: datetime
    by: str
    body: Mapping[str, Any]
    seq: int
    chain: str


class Head(NamedTuple):
    """How far a store has come; noted elsewhere, it proves later that nothing before it was rewritten.

    Attributes:
        seq: The place of its newest record; 0 where there is none.
        chain: The chain of that record.
    """

    seq: int
    chain: str

    def __str__(self) -> str:
        """As people note it: `seq:chain`."""
        return f"{self.seq}:{self.chain}"


START = Head(0, "0" * 64)
"""The head of a store without records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A version to be written.

    Attributes:
        expect: The version this one follows, as it was read; 0 means that the thing must be new. None means
            whichever comes next.
    """

    kind: str
    key: str
    body: Mapping[str, Any]
    expect: int | None = None


class RecordStore(Protocol):
    """Keeps every version of every record.

    Duties of a back end, which `shipworthy.store.conformance.RecordStoreConformance` tests:

    - `add` writes all of its changes or none, in one transaction, durable when it returns;
    - two writers that expect the same version: one succeeds, the other gets PreconditionError;
    - nothing that was added is ever changed or removed, and each record is chained to the one before, without gaps;
    - a record can be read once all before it can be: who reads `since` the last one it saw misses none;
    - it may be used from several threads and opened by several processes;
    - when the place behind it does not answer, is read-only or full, it raises UnavailableError.
    """

    def add(self, *changes: Change, by: str) -> list[Record]:
        """Writes the changes together.

        Raises:
            PreconditionError: a thing is not at the version that its change expects.
        """

    def get(self, kind: str, key: str, *, at: datetime | None = None) -> Record | None:
        """The newest version, or the one that was newest at an instant; None where there was none."""

    def find(self, kind: str, *, prefix: str = "") -> Sequence[Record]:
        """The newest version of everything of a kind whose key begins so, in the order of their keys."""

    def history(self, kind: str, key: str) -> Sequence[Record]:
        """All versions of one thing, the oldest first."""

    def since(self, seq: int, limit: int = 1000) -> Sequence[Record]:
        """The records after a place in the order of their places, at most `limit` of them."""

    def head(self) -> Head:
        """The place and the chain of the newest record."""

    def restore(self, records: Iterable[Record]) -> Head:
        """Writes records of another store as they are, all or none, and gives the head; here they follow from the one there is.

        Raises:
            PreconditionError: there are records here already that they do not follow from.
            TamperedError: they are no whole chain.
        """

    def close(self) -> None:
        """Lets go of what it holds; it must not be used afterwards."""


def feed(store: RecordStore, seq: int = 0) -> Iterator[Record]:
    """Every version of every record after a place, the oldest first, without holding them all in memory."""
    while found := store.since(seq):
        yield from found
        seq = found[-1].seq
