"""One at a time per Idempotency-Key, over all workers of a service."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import blake2b
from pathlib import Path
from time import monotonic

from shipworthy.live.refusals import RefusedError

_POLL_S = 0.005
_PATIENCE_S = 60.0


class Claims:
    """Holds a key while its request is being decided, so that the same request sent twice at once is decided once.

    Across processes a key is one byte of a file that nobody reads, locked with `lockf`: the kernel frees it when its holder
    dies, however that went. Within a process, where such locks do not exclude, an `asyncio.Lock` does.
    """

    def __init__(self, path: Path) -> None:
        """Names the file, which is made at the first claim."""
        self._path = path
        self._file: int | None = None
        self._held: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Waits until nobody else decides under this key.

        Raises:
            RefusedError: somebody still does after a minute.
            OSError: the disk does not answer.
        """
        lock, waiting = self._held.get(key, (asyncio.Lock(), 0))
        self._held[key] = (lock, waiting + 1)
        try:
            async with lock:
                byte = int.from_bytes(blake2b(key.encode(), digest_size=7).digest())
                file = await self._lock(byte)
                try:
                    yield
                finally:
                    fcntl.lockf(file, fcntl.LOCK_UN, 1, byte)
        finally:
            lock, waiting = self._held.pop(key)
            if waiting > 1:
                self._held[key] = (lock, waiting - 1)

    async def _lock(self, byte: int) -> int:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        until = monotonic() + _PATIENCE_S
        while True:
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
                return self._file
            except (BlockingIOError, PermissionError):  # what another holder looks like, system by system
                if monotonic() > until:
                    detail = "A request with the same Idempotency-Key is still being decided. Ask again."
                    raise RefusedError(409, detail, headers={"Retry-After": "1"}) from None
            await asyncio.sleep(_POLL_S)
