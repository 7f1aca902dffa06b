"""Named parts in one file: a zip archive without compression, so that opening it gives no more bytes than it has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import BytesIO
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from shipworthy.errors import InvalidInputError

MOST_PARTS = 100_000
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


def pack_parts(parts: Mapping[str, bytes]) -> bytes:
    """The parts as one file; the same parts in the same order give the same bytes.

    >>> read_parts(pack_parts({"state.json": b"null"}), "it")
    {'state.json': b'null'}
    """
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(ZipInfo(name), content)
    return buffer.getvalue()


def read_parts(content: bytes, file: str) -> dict[str, bytes]:
    """The parts of a file that `pack_parts` wrote; `file` is what messages call it.

    Raises:
        InvalidInputError: it is no such file, or one that would give more than it holds, or lead outside.
    """
    try:
        with ZipFile(BytesIO(content)) as archive:
            found = archive.infolist()
            _refuse_bad(found, len(content), file)
            return {one.filename: archive.read(one) for one in found}
    except (BadZipFile, EOFError, NotImplementedError, OSError, ValueError, RuntimeError) as error:
        raise InvalidInputError(f"{file} is no bundle that shipworthy wrote: {error}. It is not used.") from error


def _refuse_bad(found: list[ZipInfo], size: int, file: str) -> None:
    names = [one.filename for one in found]
    wrong = [name for name in names if not _NAME.fullmatch(name)]
    if wrong or len(set(names)) < len(names):
        raise InvalidInputError(f"{file} holds a part named {(wrong or names)[0]!r} that it may not. It is not used.")
    if any(one.compress_type != ZIP_STORED or one.file_size != one.compress_size for one in found):
        raise InvalidInputError(f"{file} is compressed, which no bundle of shipworthy is. It is not used.")
    if len(found) > MOST_PARTS or sum(one.file_size for one in found) > size:
        raise InvalidInputError(f"{file} promises more than its {size:,} bytes hold. It is not used.")
