"""What the server answers before any of its doors does: a problem document (RFC 9457), or the way to the sign-in."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from shipworthy.errors import UnavailableError

_LOG = logging.getLogger(__name__)
_GONE = "The record store does not answer."


def refusal(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal as a problem document."""
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(document, status, headers, "application/problem+json")


def unavailable(request: Request, error: UnavailableError) -> Response:
    """What anybody gets while a store is gone, a page in a browser: a stranger learns nothing of where it is, the log does."""
    _LOG.warning("%s %s: %s", request.method, request.url.path, error)
    if "text/html" in request.headers.get("accept", ""):
        page = f"<!doctype html><html lang=en><title>shipworthy</title><h1>{_GONE}</h1><p>Try again in a little while."
        return HTMLResponse(page, 503, wait(1.0))
    return refusal(503, _GONE, wait(1.0))


def wait(seconds: float) -> Mapping[str, str]:
    """The header that says when to ask again.

    >>> wait(12.3)
    {'Retry-After': '13'}
    """
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


def sign_in_first(request: Request, detail: str) -> Response:
    """What somebody gets whom nobody knows: a browser that opens a page is led to the sign-in, all else is refused."""
    if "hx-request" in request.headers:
        return refusal(401, detail, {"HX-Redirect": "/sign-in"})
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?{urlencode({'next': back})}", 303)
    return refusal(401, detail, {"WWW-Authenticate": "Bearer"})
