"""The files beside the pages: style, scripts and the mark, kept by browsers as long as their address stays."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_FOR_EVER = "public, max-age=31536000, immutable"
_KINDS = (".css", ".js", ".svg")


class _File(NamedTuple):
    content: bytes
    media: str | None
    tag: str


class KeptFiles:
    """Style, scripts and pictures of some folders, read once, so that they wait for no thread where all are waiting themselves.

    One asked for with the digest of its content never changes there.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        """Reads the folders; a file of the first counts before one of the next."""
        paths = [path for folder in reversed(folders) for path in folder.iterdir() if path.suffix in _KINDS]
        self._files = {path.name: _read(path) for path in paths}

    async def answer(self, request: Request) -> Response:
        """The file, and how long it may be kept."""
        found = self._files.get(request.path_params["name"])
        if found is None:
            raise HTTPException(status_code=404)
        headers = {"etag": found.tag}
        if "v" in request.query_params:
            headers["cache-control"] = _FOR_EVER
        if found.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(found.content, headers=headers, media_type=found.media)


def _read(path: Path) -> _File:
    content = path.read_bytes()
    return _File(content, guess_type(path.name)[0], f'"{sha256(content).hexdigest()[:32]}"')
