"""The port for records: small, versioned, append-only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


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
    """

    kind: str
    key: str
    version: int
    at: datetime
    by: str
    body: Mapping[str, Any]


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
    - nothing that was added is ever changed or removed;
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

    def find(self, kind: str) -> Sequence[Record]:
        """The newest version of everything of a kind, in the order of their keys."""

    def history(self, kind: str, key: str) -> Sequence[Record]:
        """All versions of one thing, the oldest first."""

    def everything(self) -> Iterator[Record]:
        """Every version of every record, by kind, key and version."""

    def close(self) -> None:
        """Lets go of what it holds; it must not be used afterwards."""
