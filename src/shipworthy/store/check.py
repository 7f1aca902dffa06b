"""Whether a store is whole: the log, the versions, and every object that a record names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shipworthy.errors import NotFoundError, TamperedError
from shipworthy.store.chain import checked
from shipworthy.store.digest import canonical
from shipworthy.store.objects import ObjectStore, get_content, names_in
from shipworthy.store.records import START, Head, Record, RecordStore, feed

_JSON = b"{"
_LARGEST_JSON = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A log that holds.

    Attributes:
        head: Its head.
        things: How many things have records.
        objects: The objects that records name, each with who names it; what was dropped on purpose is left out.
    """

    head: Head
    things: int
    objects: dict[str, str]


def check_log(records: RecordStore, *, noted: Head | None = None) -> Log:
    """Reads every record and holds it against the chain, its own history, and a head that was noted earlier.

    Raises:
        TamperedError: something does not hold; the first that does not is named.
    """
    head, versions, newest, objects = (
        START,
        dict[tuple[str, str], int](),
        dict[tuple[str, str], int](),
        dict[str, str](),
    )
    for record in checked(feed(records)):
        _refuse_rewritten(head, noted)
        thing = (record.kind, record.key)
        if record.version != versions.get(thing, 0) + 1:
            raise TamperedError(
                f"{_title(record)} at place {record.seq} follows version {versions.get(thing, 0)}: the versions between are gone."
            )
        versions[thing], newest[thing] = record.version, record.seq
        _name_objects(record, objects)
        head = Head(record.seq, record.chain)
    _refuse_rewritten(head, noted)
    if noted and noted.seq > head.seq:
        raise TamperedError(
            f"The log was cut: record {noted.seq} was there when its head was noted, and now the last one is {head.seq}. "
            "Restore the store from a backup that reaches further."
        )
    _refuse_hidden(records, newest, head)
    return Log(head=head, things=len(versions), objects=objects)


def check_object(objects: ObjectStore, name: str) -> list[str]:
    """The objects that an object names in turn, once its bytes are known to be those that its name promises.

    Raises:
        NotFoundError: it is not there.
        TamperedError: it was changed.
    """
    content = get_content(objects, name)
    is_text = len(content) <= _LARGEST_JSON and content.startswith(_JSON)
    return names_in(content) if is_text else []


def check_objects(objects: ObjectStore, named: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Reads every object that is named, and those that they name; yields each name with what is wrong, or empty."""
    waiting, seen = list(named), set(named)
    while waiting:
        name = waiting.pop()
        try:
            further = [other for other in check_object(objects, name) if other not in seen]
        except NotFoundError:
            yield name, "missing"
        except TamperedError:
            yield name, "changed"
        else:
            named.update(dict.fromkeys(further, named[name]))
            seen.update(further)
            waiting.extend(further)
            yield name, ""


def _refuse_rewritten(head: Head, noted: Head | None) -> None:
    if noted and noted.seq == head.seq and noted.chain != head.chain:
        raise TamperedError(
            f"The log up to record {head.seq} is not the one whose head was noted: its chain is {head.chain}, and {noted.chain} "
            "was noted. Something before was rewritten, or the head is that of another store."
        )


def _refuse_hidden(records: RecordStore, newest: dict[tuple[str, str], int], head: Head) -> None:
    """Refuses a store whose answers are not the newest that its log has; what was written meanwhile is no matter."""
    for kind in sorted({kind for kind, _ in newest}):
        told = {record.key: record for record in records.find(kind)}
        expected = {key: seq for (of, key), seq in newest.items() if of == kind}
        for key in sorted(expected.keys() | told.keys()):
            place = told[key].seq if key in told else 0
            if place != expected.get(key, 0) and place <= head.seq:
                raise TamperedError(
                    f"The newest {kind} {key!r} is record {expected.get(key)} in the log, and the store answers with "
                    f"{place or 'none'}: its table of the newest was changed. Restore the store from a backup of it."
                )


def _name_objects(record: Record, objects: dict[str, str]) -> None:
    said: Any = record.body
    for name in names_in(canonical(said)):
        if said.get("dropped"):  # an old part of a log, deleted as `[live] keep` says
            objects.pop(name, None)
        else:
            objects[name] = _title(record)


def _title(record: Record) -> str:
    return f"{record.kind} {record.key!r}, version {record.version},"
