"""Connections to one PostgreSQL, kept for whoever asks next: for many threads, and through the death of the server.

Ours, because a pool with threads of its own waits its whole time-out where a server refuses at once, and loses them in a fork.
"""

from __future__ import annotations

import os
import re
import select
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import isinf
from threading import BoundedSemaphore, Lock
from time import monotonic
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import ConnectionTimeout, _WaitTimeout

from shipworthy.errors import InvalidInputError, UnavailableError

WAIT_S = 10
"""The longest that one statement, or waiting for those who write before, may take."""

_MOST = 16
_CONNECT_S = 5
_SILENT_S = 3.0
_DEFAULTS: Mapping[str, Any] = {
    "connect_timeout": _CONNECT_S,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": WAIT_S * 1000,
    "application_name": "shipworthy",
}
"""What an address need not say, but may; a server that fell silent is given up instead of waited for."""

_SESSION = f"SET statement_timeout = '{WAIT_S}s'; SET idle_in_transaction_session_timeout = '60s'; SET timezone = 'UTC'"


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that is given up once the server says nothing for too long: one that hangs keeps no limit of its own.

    Attributes:
        patience_s: How long that is, in seconds.
        is_silent: Whether it was given up so.
    """

    patience_s: float = WAIT_S + 2.0
    is_silent: bool = False

    def wait(self, gen: PQGen[RV], *how: Any, **more: Any) -> RV:
        """Waits for an answer.

        Raises:
            psycopg.OperationalError: none came.
        """
        more.setdefault("timeout", None if isinf(self.patience_s) else self.patience_s)
        try:
            return super().wait(gen, *how, **more)
        except _WaitTimeout:
            self.is_silent = True
            self.close()
            raise psycopg.OperationalError(f"the server said nothing for {self.patience_s:g} seconds") from None


class Connections:
    """Up to sixteen connections, each made when it is first needed and checked before it is used again."""

    _silent_until: float
    _heard_at: float

    def __init__(self, address: str) -> None:
        """Reads the address; nothing is connected yet.

        Raises:
            InvalidInputError: it is none.
        """
        self._parameters = _parameters(address)
        self._begin()
        _OPEN.add(self)

    @property
    def place(self) -> str:
        """Which server it is, in words; never with a password."""
        host = self._parameters.get("host") or self._parameters.get("hostaddr") or "this machine"
        return f"{host}, port {self._parameters['port']}" if self._parameters.get("port") else str(host)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of one's own, in autocommit.

        Raises:
            psycopg.OperationalError: the server does not answer.
            UnavailableError: all connections are in use for too long.
        """
        self._refuse_silent()
        room, idle = self._room, self._idle
        self._wait_for(room)
        try:
            connection = self._take()
            try:
                yield connection
            finally:
                self._note(is_silent=connection.is_silent)
                if connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE:
                    idle.append(connection)
                else:  # broken, or left in the middle of something
                    connection.close()
        finally:
            room.release()

    def _refuse_silent(self) -> None:
        """While a server hangs, one alone asks it every few seconds, and nobody else waits until that one has heard."""
        with self._lock:
            now = monotonic()
            is_refused = now < self._silent_until
            if self._silent_until and not is_refused:
                self._silent_until = now + WAIT_S
        if is_refused:
            raise UnavailableError(
                f"The record store on {self.place} said nothing lately. Nothing was changed; try again."
            )

    def _wait_for(self, room: BoundedSemaphore) -> None:
        """Waits for a connection, as long as others hear from the server meanwhile."""
        until = monotonic() + WAIT_S
        while not room.acquire(timeout=_SILENT_S):
            if is_silent := monotonic() - self._heard_at > _SILENT_S:
                self._note(is_silent=True)
            if is_silent or monotonic() > until:
                raise UnavailableError(
                    f"All {_MOST} connections to {self.place} are in use. Nothing was changed; try again."
                )

    def _note(self, *, is_silent: bool) -> None:
        with self._lock:
            now = monotonic()
            self._silent_until = now + _SILENT_S if is_silent else 0.0
            self._heard_at = self._heard_at if is_silent else now

    def close(self) -> None:
        """Closes what nobody uses."""
        _close(self._idle)

    def _begin(self) -> None:
        self._idle: list[Connection] = []
        self._room = BoundedSemaphore(_MOST)
        self._silent_until = self._heard_at = 0.0
        self._lock = Lock()
        weakref.finalize(self, _close, self._idle)

    def _take(self) -> Connection:
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if _is_alive(connection):
                    return connection
                connection.close()
        return self._connect()

    def _connect(self) -> Connection:
        made: Connection | None = None
        try:
            made = Connection.connect(**self._parameters, autocommit=True, prepare_threshold=None)
            made.execute(_SESSION)
        except psycopg.Error as error:
            self._note(is_silent=made.is_silent if made else isinstance(error, ConnectionTimeout))
            raise
        made.isolation_level = psycopg.IsolationLevel.READ_COMMITTED  # who waited for others sees what they wrote
        return made


_OPEN: weakref.WeakSet[Connections] = weakref.WeakSet()


def _forked() -> None:
    """A process that was forked begins without connections; closing those of its parent must not reach the server."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for connections in list(_OPEN):
        for connection in connections._idle:
            os.dup2(nowhere, connection.pgconn.socket)
        _close(connections._idle)
        connections._begin()
    os.close(nowhere)


os.register_at_fork(after_in_child=_forked)


def _close(idle: list[Connection]) -> None:
    with suppress(IndexError):
        while True:
            idle.pop().close()


def _is_alive(connection: Connection) -> bool:
    """Whether nothing came from the server while nobody asked: it speaks unasked only to say that it ends."""
    asked = select.poll()
    asked.register(connection.pgconn.socket, select.POLLIN)
    return not asked.poll(0)


def _parameters(address: str) -> dict[str, Any]:
    """What the address says, where it is whole; it is never quoted, because it may hold a password."""
    try:
        said = conninfo_to_dict(address)
    except psycopg.Error:
        raise _unreadable() from None
    if not re.fullmatch(r"[\d,]*", str(said.get("port", ""))) or "@" in str(said.get("host", "")):
        raise _unreadable()
    own = {} if os.environ.get("PGCONNECT_TIMEOUT") else {"connect_timeout": _CONNECT_S}
    return {**{name: value for name, value in _DEFAULTS.items() if name != "connect_timeout"}, **own, **said}


def _unreadable() -> InvalidInputError:
    return InvalidInputError(
        "The address of the record store begins like that of a PostgreSQL and cannot be read. Write it as "
        "postgresql://user:password@host:5432/database, and signs such as @, /, : or % of a user name or password as %40, %2F, "
        "%3A or %25."
    )
