"""The chain of records: each is hashed with the one before, so that a log which was rewritten or cut does not hold any more.

Who could rewrite a whole store could chain it anew. A head that was noted elsewhere finds that out as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain

from shipworthy.errors import InvalidInputError, PreconditionError, TamperedError
from shipworthy.store.digest import canonical, digest
from shipworthy.store.records import START, Change, Head, Record

_FIELDS = ("seq", "kind", "key", "version", "by", "body")


def recordable(change: Change, by: str) -> Change:
    """The change with its body as it will be read, since it is hashed as it will be read.

    Raises:
        InvalidInputError: it is no text that every store can hold.
    """
    try:
        body = json.loads(canonical(dict(change.body)))
        names = f"{change.kind}{change.key}{by}".encode()
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{change.kind} {change.key!r} cannot be recorded: {error}.") from error
    if b"\0" in names:
        raise InvalidInputError(f"{change.kind} {change.key!r} by {by!r} cannot be recorded: a name holds a zero byte.")
    return replace(change, body=body)


def append(change: Change, *, by: str, now: datetime, newest: tuple[int, datetime] | None, head: Head) -> Record:
    """The record that a change becomes.

    Args:
        change: What is to be written, `recordable`.
        by: Who writes it.
        now: The instant; a clock that went back meanwhile is not believed.
        newest: The version and the instant of the thing as it stands; None where it is new.
        head: The head of the store that it is written to.

    Raises:
        PreconditionError: the thing is not at the version that the change expects.
    """
    version = newest[0] if newest else 0
    if change.expect is not None and change.expect != version:
        raise PreconditionError(
            f"{change.kind} {change.key!r} is at version {version}, not {change.expect}: somebody else moved it "
            "meanwhile. Look at it again, then repeat what you meant to do."
        )
    record = Record(
        kind=change.kind,
        key=change.key,
        version=version + 1,
        at=max(now.astimezone(UTC), newest[1]) if newest else now.astimezone(UTC),
        by=by,
        body=change.body,
        seq=head.seq + 1,
        chain="",
    )
    return replace(record, chain=link(record, head.chain))


def link(record: Record, before: str) -> str:
    """The chain that a record has after that of the one before."""
    return digest(before.encode() + b"\n" + canonical(plain(record)))


def plain(record: Record) -> dict[str, object]:
    """What a record says, as plain JSON values; all but its chain."""
    return {**{name: getattr(record, name) for name in _FIELDS}, "at": stamp(record.at)}


def stamp(at: datetime) -> str:
    """The one text of an instant: UTC, to the microsecond, so that the order of texts is that of time.

    >>> stamp(datetime(2026, 1, 2, tzinfo=UTC))
    '2026-01-02T00:00:00.000000+00:00'
    """
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def checked(records: Iterable[Record], head: Head = START) -> Iterator[Record]:
    """The records, each once it is known to follow from the one before; the first one follows `head`.

    Raises:
        TamperedError: one does not; the first that does not is named.
    """
    for record in records:
        if record.seq != head.seq + 1:
            raise TamperedError(f"The log does not hold at record {head.seq + 1}: it is not there, {_after(head)}.")
        if record.chain != link(record, head.chain):
            raise TamperedError(
                f"The log does not hold at record {record.seq} ({record.kind} {record.key!r}, version {record.version}): it "
                f"was changed after it was written, or what comes before it was, {_after(head)}."
            )
        head = Head(record.seq, record.chain)
        yield record


def following(records: Iterable[Record], head: Head) -> Iterator[Record]:
    """The records that a store with this head is to take in, each once it is known to follow from the one before.

    Raises:
        PreconditionError: they follow from another head: what is here is of another history, or they are here already.
        TamperedError: see `checked`.
    """
    told = iter(records)
    first = next(told, None)
    if first is None:
        return
    if head != START and (first.seq != head.seq + 1 or first.chain != link(first, head.chain)):
        raise PreconditionError(
            f"The record store holds {head.seq} records already, and what is to be taken in does not follow from them. Name "
            "an empty place, or move this one away."
        )
    yield from checked(chain([first], told), head)


def _after(head: Head) -> str:
    return (
        f"while all up to {head.seq} does. Do not go on with it: compare it with a backup (`shipworthy store backup` "
        "writes them), and ask who could write to it"
    )
