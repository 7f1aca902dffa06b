"""The files beside the pages: style, scripts and the mark, kept by browsers as long as their address stays."""

from __future__ import annotations

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_FOR_EVER = "public, max-age=31536000, immutable"


class KeptFiles(StaticFiles):
    """Static files; one that is asked for with the digest of its content never changes under that address."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, and how long it may be kept."""
        response = await super().get_response(path, scope)
        if b"v=" in scope.get("query_string", b"") and response.status_code in (200, 304):
            response.headers["cache-control"] = _FOR_EVER
        return response
