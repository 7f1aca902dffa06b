"""The files of a parcel, in a folder or in one zip file: written as a whole or not at all, and read without trusting either.

A zip file is not compressed: Parquet is already, and so opening it gives no more bytes than it has.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from shipworthy.errors import AlreadyExistsError, InvalidInputError, NotFoundError, TamperedError, UnavailableError

ZIP = ".zip"
MOST_FILES = 1_000_000
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_PARTIAL = ".partial-"
_DAMAGED = (BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, ValueError)
"""What reading a zip file raises where it is damaged, encrypted or of another kind."""


class Taking(Protocol):
    """Takes the files of a parcel that is written."""

    def put(self, path: str, content: bytes) -> None:
        """Takes one."""


class Giving(Protocol):
    """Gives the files of a parcel that is read."""

    def get(self, path: str) -> bytes:
        """The bytes of one.

        Raises:
            TamperedError: it is not there.
            InvalidInputError: its path leads elsewhere.
        """


class _Folder:
    """The files in a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, path: str, content: bytes) -> None:
        place = self._root / _inside(path, str(self._root))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def get(self, path: str) -> bytes:
        place = self._root / _inside(path, str(self._root))
        if not place.resolve().is_relative_to(self._root.resolve()) or not place.is_file():
            raise TamperedError(
                f"{self._root} has no file {path} of its own, which its manifest names. It is not used."
            )
        return place.read_bytes()


class _Zip:
    """The files in a zip file."""

    def __init__(self, archive: ZipFile, file: str) -> None:
        self._archive, self._file = archive, file

    def put(self, path: str, content: bytes) -> None:
        self._archive.writestr(ZipInfo(_inside(path, self._file)), content)

    def get(self, path: str) -> bytes:
        try:
            return self._archive.read(_inside(path, self._file))
        except KeyError:
            raise TamperedError(f"{self._file} has no file {path}, which its manifest names. It is not used.") from None
        except _DAMAGED as error:
            raise TamperedError(f"{self._file}: {path} is damaged: {error}. It is not used.") from error


@contextmanager
def writing(place: Path) -> Iterator[Taking]:
    """A new parcel, a zip file where the name ends so, else a folder; it is there once all of it is.

    Raises:
        AlreadyExistsError: there is something of that name.
        UnavailableError: the disk does not answer.
    """
    if place.exists() and not (place.is_dir() and place.suffix != ZIP and not any(place.iterdir())):
        raise AlreadyExistsError(f"There is {place} already. Choose another name.")
    try:
        partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=place.absolute().parent))
    except OSError as error:
        raise UnavailableError(
            f"{place.absolute().parent} cannot be written: {error.strerror}. Choose another place."
        ) from error
    try:
        if place.suffix == ZIP:
            with ZipFile(partial / place.name, "w", ZIP_STORED) as archive:
                yield _Zip(archive, str(place))
            os.link(partial / place.name, place)
        else:
            (partial / "it").mkdir()
            yield _Folder(partial / "it")
            (partial / "it").replace(place)
    except FileExistsError:
        raise AlreadyExistsError(f"{place} was written meanwhile. Choose another name.") from None
    except OSError as error:
        raise UnavailableError(f"{place} cannot be written: {error.strerror}. Make room, then repeat it.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def reading(place: Path) -> Iterator[Giving]:
    """A parcel that is there.

    Raises:
        NotFoundError: there is nothing of that name.
        InvalidInputError: it is no folder and no zip file, or one that would give more than it holds, or lead elsewhere.
    """
    if place.is_dir():
        yield _Folder(place)
        return
    if not place.is_file():
        raise NotFoundError(f"There is no folder and no file {place}. `shipworthy export` writes one.")
    try:
        archive = ZipFile(place)
    except _DAMAGED as error:
        raise InvalidInputError(f"{place} is no parcel that shipworthy wrote: {error}. It is not used.") from error
    with archive:
        _refuse_bad(archive.infolist(), place)
        yield _Zip(archive, str(place))


def _refuse_bad(found: list[ZipInfo], place: Path) -> None:
    names = [one.filename for one in found]
    wrong = [name for name in names if not _NAME.fullmatch(name)]
    if wrong or len(set(names)) < len(names):
        raise InvalidInputError(f"{place} holds a file named {(wrong or names)[0]!r} that it may not. It is not used.")
    if any(one.compress_type != ZIP_STORED or one.file_size != one.compress_size for one in found):
        raise InvalidInputError(
            f"{place} is compressed, which no parcel is. Unpack it into a folder, and take that in."
        )
    size = place.stat().st_size
    if len(found) > MOST_FILES or sum(one.file_size for one in found) > size:
        raise InvalidInputError(f"{place} promises more than its {size:,} bytes hold. It is not used.")


def _inside(path: str, parcel: str) -> str:
    if not _NAME.fullmatch(path):
        raise InvalidInputError(f"{parcel} names a file {path!r}, which it may not. It is not used.")
    return path
