"""The port for objects: bytes under a name, written once and never changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shipworthy.errors import AlreadyExistsError, InvalidInputError, TamperedError
from shipworthy.store.digest import digest

_QUOTED = re.compile(rb'"([A-Za-z0-9._-]+/[0-9a-f]{64})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a store knows of an object without reading it.

    Attributes:
        size: Its length in bytes.
        at: When it was put, in UTC.
    """

    size: int
    at: datetime


class ObjectStore(Protocol):
    """Keeps bytes by name.

    Duties of a back end, which `shipworthy.store.conformance.ObjectStoreConformance` tests:

    - `put` creates or refuses, never overwrites: of two writers of one name exactly one succeeds;
    - an object is there wholly or not at all, whenever the writer is killed, and durable when `put` returns;
    - when the place behind it does not answer, is read-only or full, it raises UnavailableError.

    A name is made of letters, digits, `.`, `_`, `-` and `/`, and never leads outside the store.
    """

    def put(self, name: str, content: bytes) -> None:
        """Creates an object.

        Raises:
            AlreadyExistsError: there is one of that name.
        """

    def get(self, name: str) -> bytes:
        """The bytes of an object.

        Raises:
            NotFoundError: there is none of that name.
        """

    def about(self, name: str) -> About:
        """Its size, and when it was put.

        Raises:
            NotFoundError: there is none of that name.
        """

    def list(self, prefix: str = "") -> Iterator[str]:
        """The names that begin with `prefix`, in order."""

    def delete(self, name: str) -> None:
        """Removes an object; one that is not there is no error."""


def put_content(store: ObjectStore, folder: str, content: bytes) -> str:
    """Puts bytes under their own digest and returns the name; bytes that are there already cost nothing."""
    name = f"{folder}/{digest(content)}"
    with suppress(AlreadyExistsError):
        store.put(name, content)
    return name


def get_content(store: ObjectStore, name: str) -> bytes:
    """The bytes of an object that is named by its digest, checked against it.

    Raises:
        TamperedError: the bytes were changed since they were put.
    """
    content = store.get(name)
    if digest(content) != name.rpartition("/")[2]:
        raise TamperedError(
            f"Object {name!r} does not have the content its name promises: it was changed or damaged. It is not used. "
            "Restore it from a backup, or delete it and repeat the stage that made it."
        )
    return content


def is_named_by_digest(name: str) -> bool:
    """Whether the last part of a name is a digest, as `put_content` gives it.

    >>> is_named_by_digest("cache/12.parquet")
    False
    """
    return re.fullmatch(r"(?:.*/)?[0-9a-f]{64}", name) is not None


def names_in(content: bytes) -> list[str]:
    """The names by digest that stand, in quotes, in some JSON.

    >>> names_in(b'{"evidence": "none", "snapshot": "snapshots/' + b"0" * 64 + b'"}')[0][:14]
    'snapshots/0000'
    """
    return [name.decode() for name in _QUOTED.findall(content)]


def refuse_bad_name(name: str) -> None:
    """Refuses a name that could lead outside a store.

    >>> refuse_bad_name("../etc/passwd")
    Traceback (most recent call last):
    ...
    shipworthy.errors.InvalidInputError: '../etc/passwd' is no object name. ...
    """
    if not re.fullmatch(r"[A-Za-z0-9._/-]+", name) or any(part in {"", ".", ".."} for part in name.split("/")):
        raise InvalidInputError(
            f"{name!r} is no object name. Use letters, digits, '.', '_', '-' and '/' between parts."
        )
