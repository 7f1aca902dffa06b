"""Objects as files in a local folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from shipworthy.errors import AlreadyExistsError, NotFoundError, UnavailableError
from shipworthy.store.objects import About, ObjectStore, refuse_bad_name

_PARTIAL = ".partial-"


class FolderObjectStore:
    """An object store in a folder, created at the first put.

    An object is written beside its place, synced, and linked into it: a link fails where the name is taken, so two
    writers cannot both succeed, and a killed one leaves only a partial file that no name leads to.
    """

    def __init__(self, root: Path) -> None:
        """Names the folder; nothing is touched yet."""
        self._root = root

    def put(self, name: str, content: bytes) -> None:
        """See `ObjectStore.put`."""
        place = self._place(name)
        with self._translated(name):
            place.parent.mkdir(parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(prefix=_PARTIAL, dir=place.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                os.link(partial, place)
            except FileExistsError:
                raise AlreadyExistsError(f"There is already an object {name!r}; objects never change.") from None
            finally:
                Path(partial).unlink(missing_ok=True)

    def get(self, name: str) -> bytes:
        """See `ObjectStore.get`."""
        place = self._place(name)
        with self._present(name):
            return place.read_bytes()

    def about(self, name: str) -> About:
        """See `ObjectStore.about`."""
        place = self._place(name)
        with self._present(name):
            found = place.stat()
        return About(size=found.st_size, at=datetime.fromtimestamp(found.st_mtime, UTC))

    def list(self, prefix: str = "") -> Iterator[str]:
        """See `ObjectStore.list`."""
        with self._translated(prefix):
            files = sorted(path for path in self._root.rglob("*") if path.is_file() and _PARTIAL not in path.name)
        names = (path.relative_to(self._root).as_posix() for path in files)
        return (name for name in names if name.startswith(prefix))

    def delete(self, name: str) -> None:
        """See `ObjectStore.delete`."""
        with self._translated(name):
            self._place(name).unlink(missing_ok=True)

    def _place(self, name: str) -> Path:
        refuse_bad_name(name)
        return self._root / name

    @contextmanager
    def _present(self, name: str) -> Iterator[None]:
        with self._translated(name):
            try:
                yield
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                raise NotFoundError(
                    f"There is no object {name!r} in {self._root}. If it was lost, restore it from a backup, or repeat the "
                    "stage that made it: data makes snapshots, research evidence, ship releases."
                ) from None

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UnavailableError(
                f"The object store {self._root} does not answer for {name!r}: {error.strerror or error}. Check that the "
                "folder may be written and that the disk has room; nothing was half written."
            ) from error


def _fits(store: FolderObjectStore) -> ObjectStore:
    return store
