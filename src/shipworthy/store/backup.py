"""Backups of records: one compressed file of lines of JSON, which any record store takes back as they were.

The first line says what the file is, each of the next is a record, and the last is the head; a file without it was cut.
"""

from __future__ import annotations

import gzip
import json
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from shipworthy.errors import AlreadyExistsError, InvalidInputError, NotFoundError, TamperedError, UnavailableError
from shipworthy.store.chain import checked, plain
from shipworthy.store.digest import canonical
from shipworthy.store.records import START, Head, Record

_TITLE = "shipworthy records"
_FORMAT = 1


def write_backup(records: Iterable[Record], path: Path, *, space: str) -> Head:
    """Writes records into a new file, wholly or not at all, and gives the head that it reaches.

    Args:
        records: All of a store, in order; each is checked against the chain.
        path: The file.
        space: Whose records they are, for people who find the file.

    Raises:
        AlreadyExistsError: there is such a file.
        UnavailableError: it cannot be written.
        TamperedError: the chain does not hold.
    """
    if path.exists():
        raise _taken(path)
    partial = None
    try:
        handle, partial = tempfile.mkstemp(prefix=".partial-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=6) as lines:
                head = _write(records, lines, space)
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)
    except FileExistsError:
        raise _taken(path) from None
    except OSError as error:
        raise UnavailableError(
            f"{path} cannot be written: {error.strerror or error}. Check that the folder is there and may be written, and that "
            "the disk has room; nothing was written."
        ) from error
    finally:
        if partial is not None:
            Path(partial).unlink(missing_ok=True)
    return head


def read_backup(path: Path) -> Iterator[Record]:
    """The records of a file that `write_backup` wrote; whether they are a whole chain is for who takes them to check.

    Raises:
        NotFoundError: there is no such file.
        InvalidInputError: it is no backup, or one of a newer shipworthy.
        TamperedError: it is damaged, or cut short.
    """
    with _opened(path) as lines:
        _refuse_foreign(path, lines)
        head = START
        try:
            for line in lines:
                said = json.loads(line)
                if "head" in said:
                    if Head(*said["head"]) != head or lines.read(1):
                        raise _damaged(path, head, "what it says of its end is not so")
                    return
                record = _record(said)
                head = Head(record.seq, record.chain)
                yield record
        except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(path, head, str(error)) from error
    raise _damaged(path, head, "its last line is missing")


def _opened(path: Path) -> gzip.GzipFile:
    try:
        return gzip.open(path, "rb")
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {path}. `shipworthy store backup` writes one.") from None
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror}.") from error


def _write(records: Iterable[Record], lines: gzip.GzipFile, space: str) -> Head:
    lines.write(canonical({"title": _TITLE, "format": _FORMAT, "space": space}) + b"\n")
    head = START
    for record in checked(records):
        lines.write(canonical({**plain(record), "chain": record.chain}) + b"\n")
        head = Head(record.seq, record.chain)
    lines.write(canonical({"head": head}) + b"\n")
    return head


def _record(said: dict[str, Any]) -> Record:
    return Record(**{**said, "at": datetime.fromisoformat(said["at"])})


def _refuse_foreign(path: Path, lines: gzip.GzipFile) -> None:
    try:
        title = json.loads(lines.readline())
        known = title["title"] == _TITLE
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise InvalidInputError(f"{path} is no backup of records. `shipworthy store backup` writes one.")
    if title.get("format") != _FORMAT:
        raise InvalidInputError(
            f"{path} was written by a newer shipworthy (format {title.get('format')!r}, this one knows {_FORMAT}). Upgrade."
        )


def _damaged(path: Path, head: Head, why: str) -> TamperedError:
    return TamperedError(
        f"{path} is damaged or cut short after record {head.seq}: {why}. Nothing was taken from it; use another backup."
    )


def _taken(path: Path) -> AlreadyExistsError:
    return AlreadyExistsError(
        f"There is already a file {path}, and a backup is never written over. Choose another name."
    )
