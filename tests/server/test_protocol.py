"""What a stranger sends before a body ends, and a caller who goes away is no defect."""

from __future__ import annotations

import logging
import socket
from contextlib import suppress
from time import sleep
from urllib.parse import urlsplit

import pytest

from shipworthy.server import protocol
from tests.server.town import Running


def _connected(town: Running) -> socket.socket:
    address = urlsplit(town.url)
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
def test_lines_that_do_not_end_are_cut_off(town: Running, start: bytes):
    """A header or an address that goes on and on is refused, and no more of it is read."""
    with _connected(town) as connection:
        connection.sendall(start)
        with suppress(ConnectionError):
            for _ in range(100):
                connection.sendall(b"a" * 100_000)
        assert _rest(connection)[:12] in (b"HTTP/1.1 400", b"")


def test_who_says_nothing_is_not_waited_for(town: Running, monkeypatch: pytest.MonkeyPatch):
    """A connection on which no request comes, or only half of one, is closed; one that asks and pauses is not."""
    monkeypatch.setattr(protocol, "PATIENCE_S", 0.2)
    whole = b"GET /v1/health HTTP/1.1\r\nHost: a\r\n\r\n"
    with _connected(town) as silent, _connected(town) as half, _connected(town) as asking:
        half.sendall(whole[:20])
        asking.sendall(whole)
        assert asking.recv(65536).startswith(b"HTTP/1.1 200")
        assert (_rest(silent), _rest(half)) == (b"", b"")
        asking.sendall(whole)
        assert asking.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_caller_who_goes_away_is_no_defect(town: Running, caplog: pytest.LogCaptureFixture):
    """A form of which only half was sent leaves nothing in the server's log."""
    form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nlogin=a"
    with caplog.at_level(logging.ERROR), _connected(town) as connection:
        connection.sendall(b"POST /sign-in HTTP/1.1\r\nHost: a\r\n" + form)
        sleep(0.1)
        connection.close()
        sleep(0.2)
    assert not caplog.records
