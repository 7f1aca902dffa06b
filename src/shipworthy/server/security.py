"""The outermost layer: what no request may be, and what every answer says to the browser.

A page of somebody else may not act through a visitor's browser: a request that a browser says comes from another site is refused,
except to open a page. Programs that send a token name it themselves, which no foreign page can, so they are exempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shipworthy.server.caller import Caller, caller_of, hostname
from shipworthy.server.refusal import refusal
from shipworthy.workspace.settings import Settings, is_loopback

PROBES = ("/v1/alive", "/v1/health")
"""Paths that a balancer asks by whatever name it has for this machine."""

MAX_BODY = 2**20
"""How many bytes a request may have, where its path says no more."""

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # not less: without it a browser hides where a form was sent from
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer that does not say otherwise itself."""

_HSTS = "max-age=31536000"


class Security:
    """Refuses what is forged or too long, and sets the headers of every answer."""

    def __init__(self, app: ASGIApp, settings: Settings, bodies: Mapping[str, int] = MappingProxyType({})) -> None:
        """Stands before an application; `bodies` says which paths, by their beginning, take longer bodies."""
        self._app = app
        self._settings = settings
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, or hands on with `caller` in the request's state."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # no door speaks anything else
            await send({"type": "websocket.close", "code": 1008})
            return
        caller = caller_of(scope, self._settings.trusted_proxies)
        scope.setdefault("state", {})["caller"] = caller
        scope["scheme"] = "https" if caller.is_https else "http"
        answer = _with_headers(send, is_https=caller.is_https)
        headers, most = Headers(scope=scope), self._longest(scope["path"])
        why = self._foreign_host(scope, caller) or self._foreign_site(scope, caller, headers)
        if why:
            await refusal(403, why)(scope, receive, answer)
        elif int(_digits(headers.get("content-length", "0"))) > most:
            await refusal(413, _too_long(most), {"Connection": "close"})(scope, receive, answer)
        else:
            await self._app(scope, _bounded(receive, most), answer)

    def _longest(self, path: str) -> int:
        return next((most for start, most in self._bodies.items() if path.startswith(start)), MAX_BODY)

    def _foreign_host(self, scope: Scope, caller: Caller) -> str:
        """Why the name by which this server was asked is not its own: somebody may have pointed theirs at it."""
        own = urlsplit(self._settings.address).hostname
        asked = hostname(caller.host).strip("[]")
        if own is None or scope["path"] in PROBES or asked == own or (caller.is_here and is_loopback(asked)):
            return ""
        return f"This server is {self._settings.address}, and was asked as {asked[:100]!r}. Use its own address."

    def _foreign_site(self, scope: Scope, caller: Caller, headers: Headers) -> str:
        """Why a request seems to be made by a page of somebody else."""
        if "authorization" in headers:
            return ""
        site, origin = headers.get("sec-fetch-site", ""), headers.get("origin")
        opens = scope["method"] == "GET" and headers.get("sec-fetch-mode") == "navigate"
        if site in ("cross-site", "same-site") and not opens:
            return "A page of another site asked for this through your browser. Open the page of this server itself."
        if origin is not None and origin not in (caller.origin, self._settings.address):
            return (
                f"A page of {origin[:100]} asked for this, and this server is {self._settings.address or caller.origin}. Where "
                "a proxy of yours stands between, name it in [server] trusted_proxies, or set [server] address."
            )
        return ""


def _digits(text: str) -> str:
    return text if text.isascii() and text.isdigit() and len(text) < 20 else "9" * 19


def _too_long(most: int) -> str:
    return f"The body is longer than {most:,} bytes, which is the most that is taken here."


def _bounded(receive: Receive, most: int) -> Receive:
    """The body, of which more than was allowed is never read, whatever length it was said to have."""
    length = 0

    async def bounded() -> Message:
        nonlocal length
        message = await receive()
        length += len(message.get("body", b""))
        if length > most:
            raise HTTPException(413, _too_long(most))
        return message

    return bounded


def _with_headers(send: Send, *, is_https: bool) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if is_https:
                headers["Strict-Transport-Security"] = _HSTS
        await send(message)

    return answer
