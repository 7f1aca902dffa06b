"""An object store with a copy on the local disk of what was read, so that a snapshot crosses the network once.

Only objects that are named by their digest are kept, and each is compared with its name before it is used: what a cache says is
right or it is not used. What it holds is bounded; the least recently used goes first. It may be deleted at any time.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from shipworthy.store.digest import digest
from shipworthy.store.objects import About, ObjectStore, is_named_by_digest, refuse_bad_name

LARGEST = 2 * 2**30
"""How many bytes a cache holds at most."""

_PARTIAL = ".partial-"
_OFTEN = 16
"""Every how many objects that it takes in a cache looks whether it has grown too large."""


class CachedObjectStore:
    """An object store behind a folder of this machine; a folder that cannot be written is done without."""

    def __init__(self, store: ObjectStore, folder: Path, *, largest: int = LARGEST) -> None:
        """Takes the store that counts, and the folder for copies."""
        self._store, self._folder, self._largest = store, folder, largest
        self._taken = 0

    def put(self, name: str, content: bytes) -> None:
        """See `ObjectStore.put`."""
        self._store.put(name, content)
        self._keep(name, content)

    def get(self, name: str) -> bytes:
        """See `ObjectStore.get`."""
        refuse_bad_name(name)
        kept = self._kept(name)
        if kept is not None:
            return kept
        content = self._store.get(name)
        self._keep(name, content)
        return content

    def about(self, name: str) -> About:
        """See `ObjectStore.about`; the store that counts is asked."""
        return self._store.about(name)

    def list(self, prefix: str = "") -> Iterator[str]:
        """See `ObjectStore.list`; the store that counts is asked."""
        return self._store.list(prefix)

    def delete(self, name: str) -> None:
        """See `ObjectStore.delete`."""
        self._store.delete(name)
        copy = self._copy(name)
        if copy is not None:
            with suppress(OSError):
                copy.unlink()

    def _copy(self, name: str) -> Path | None:
        """Where the copy of an object lies, or would; None where its name does not say what it holds."""
        return self._folder / name.replace("/", "_") if is_named_by_digest(name) else None

    def _kept(self, name: str) -> bytes | None:
        copy = self._copy(name)
        if copy is None:
            return None
        with suppress(OSError):
            content = copy.read_bytes()
            if _is_named(name, content):
                os.utime(copy)
                return content
            copy.unlink()
        return None

    def _keep(self, name: str, content: bytes) -> None:
        copy = self._copy(name)
        if copy is None or len(content) > self._largest or not _is_named(name, content):
            return
        with suppress(OSError):  # a disk that is full or may not be written: it is read from the store again
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(prefix=_PARTIAL, dir=self._folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                Path(partial).replace(copy)
            finally:
                Path(partial).unlink(missing_ok=True)
            if self._taken % _OFTEN == 0:
                self._make_room()
            self._taken += 1

    def _make_room(self) -> None:
        """Removes what was used the longest ago until the rest is within bounds; others may do the same meanwhile."""
        known = []
        for path in self._folder.iterdir():
            with suppress(OSError):
                about = path.stat()
                known.append((about.st_mtime, about.st_size, path))
        size = sum(each for _, each, _ in known)
        for _, each, path in sorted(known):
            if size <= self._largest:
                break
            with suppress(OSError):
                path.unlink()
            size -= each


def _is_named(name: str, content: bytes) -> bool:
    return digest(content) == name.rpartition("/")[2]


def _fits(store: CachedObjectStore) -> ObjectStore:
    return store
