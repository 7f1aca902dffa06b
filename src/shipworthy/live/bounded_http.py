"""HTTP as a server of ours reads it: what stands before a body comes to an end, in bytes and in time, whoever sends it."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES = 2**16
"""How long the lines before a body may be together; browsers and proxies stop far earlier."""

PATIENCE_S = 30.0
"""How long they may take to come."""


class BoundedHttp(HttpToolsProtocol):
    """One connection; it is closed where the lines before a body are too long, or take too long."""

    _bytes = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for the first request."""
        super().connection_made(transport)
        self._begin()

    def data_received(self, data: bytes) -> None:
        """Reads on."""
        super().data_received(data)
        if self._timer is not None:
            self._bytes += len(data)
            if self._bytes > MOST_BYTES and not self.transport.is_closing():
                self.send_400_response(f"The lines before the body are longer than {MOST_BYTES:,} bytes.")

    def on_message_begin(self) -> None:
        """Begins to count, and to wait for the end of the lines."""
        super().on_message_begin()
        self._begin()

    def on_headers_complete(self) -> None:
        """Counts and waits no more."""
        self._end()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the connection."""
        self._end()
        super().connection_lost(exc)

    def _begin(self) -> None:
        self._end()
        self._bytes = 0
        self._timer = self.loop.call_later(PATIENCE_S, self.transport.close)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
