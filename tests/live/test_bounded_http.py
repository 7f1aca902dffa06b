"""What a stranger sends before a body comes to an end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from shipworthy.live import bounded_http
from tests.server.town import free_port, serving


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server that is well."""

    async def well(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("well")

    with serving(Starlette(routes=[Route("/v1/health", well)]), free_port()) as url:
        yield url


def _connected(url: str) -> socket.socket:
    address = urlsplit(url)
    assert address.hostname
    assert address.port
    return socket.create_connection((address.hostname, address.port), timeout=10)


def _rest(connection: socket.socket) -> bytes:
    """All that comes until the other side closes; it fails where that does not."""
    said = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            said += part
    return said


@pytest.mark.parametrize("start", [b"GET /sign-in HTTP/1.1\r\nHost: a\r\nX: ", b"GET /"])
def test_lines_that_do_not_end_are_cut_off(url: str, start: bytes):
    """A header or an address that goes on and on is refused, and no more of it is read."""
    with _connected(url) as connection:
        connection.sendall(start)
        with suppress(ConnectionError):
            for _ in range(100):
                connection.sendall(b"a" * 100_000)
        assert _rest(connection)[:12] in (b"HTTP/1.1 400", b"")


def test_who_says_nothing_is_not_waited_for(url: str, monkeypatch: pytest.MonkeyPatch):
    """A connection on which no request comes, or only half of one, is closed; one that asks and pauses is not."""
    monkeypatch.setattr(bounded_http, "PATIENCE_S", 0.2)
    whole = b"GET /v1/health HTTP/1.1\r\nHost: a\r\n\r\n"
    with _connected(url) as silent, _connected(url) as half, _connected(url) as asking:
        half.sendall(whole[:20])
        asking.sendall(whole)
        assert asking.recv(65536).startswith(b"HTTP/1.1 200")
        assert (_rest(silent), _rest(half)) == (b"", b"")
        asking.sendall(whole)
        assert asking.recv(65536).startswith(b"HTTP/1.1 200")
