"""Takes the clock out of an Office file, so that the same content is the same bytes."""

from __future__ import annotations

import re
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_FIRST = (1980, 1, 1, 0, 0, 0)  # no archive knows an earlier moment
_INSTANT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_WORKBOOK, _PROPERTIES = ".xlsx", "docProps/core.xml"


def frozen(archive: bytes, *, is_inner: bool = False) -> bytes:
    """Returns the same archive without the time at which it was packed; workbooks in it, the data of charts, likewise.

    Args:
        archive: What was written, as a zip file.
        is_inner: Whether it lies in another one, and so has no date of its own to tell.
    """
    packed = BytesIO()
    with ZipFile(BytesIO(archive)) as before, ZipFile(packed, "w", ZIP_DEFLATED) as after:
        for name in before.namelist():
            content = before.read(name)
            if name.endswith(_WORKBOOK):
                content = frozen(content, is_inner=True)
            if is_inner and name == _PROPERTIES:
                content = _INSTANT.sub(b"1980-01-01T00:00:00Z", content)
            member = ZipInfo(name, date_time=_FIRST)
            member.compress_type = ZIP_DEFLATED
            after.writestr(member, content)
    return packed.getvalue()
