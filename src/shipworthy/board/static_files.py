"""The files beside the pages: style, scripts and the mark, kept by browsers as long as their address stays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_FOR_EVER = "public, max-age=31536000, immutable"
_KINDS = (".css", ".js", ".svg")


class KeptFiles(StaticFiles):
    """Style, scripts and pictures of some folders; one asked for with the digest of its content never changes there."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Names the folders; a file of the first counts before one of the next."""
        super().__init__(directory=folders[0])
        self.all_directories = list(folders)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, and how long it may be kept."""
        if not path.endswith(_KINDS):
            raise HTTPException(status_code=404)
        response = await super().get_response(path, scope)
        if b"v=" in scope.get("query_string", b"") and response.status_code in (200, 304):
            response.headers["cache-control"] = _FOR_EVER
        return response
