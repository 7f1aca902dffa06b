"""How the API says no: every error of the tree as an `application/problem+json` document (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from shipworthy.errors import ShipworthyError, SignInError
from shipworthy.live.refusals import MEDIA_TYPE, RefusedError
from shipworthy.web.status import status_of

_GAP = "  - "


def refuse(error: ShipworthyError) -> Response:
    """The answer to a request that is refused."""
    document, headers = document_of(error), dict(error.headers) if isinstance(error, RefusedError) else {}
    if isinstance(error, SignInError):
        headers["WWW-Authenticate"] = "Bearer"
    if document["status"] == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.setdefault("Retry-After", "1")
    return Response(msgspec.json.encode(document), document["status"], headers, MEDIA_TYPE)


def document_of(error: ShipworthyError) -> Mapping[str, Any]:
    """The document: with the name of the error in `error`, and what a closed gate misses in `gaps`.

    >>> from shipworthy.errors import NotFoundError
    >>> document_of(NotFoundError("No idea 9."))["status"], document_of(NotFoundError("No idea 9."))["error"]
    (404, 'NotFoundError')
    """
    if isinstance(error, RefusedError):
        return error.document
    status, said = status_of(error), str(error)
    gaps = [line.removeprefix(_GAP) for line in said.splitlines() if line.startswith(_GAP)]
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": said,
        "error": type(error).__name__,
        **({"gaps": gaps} if gaps else {}),
    }
