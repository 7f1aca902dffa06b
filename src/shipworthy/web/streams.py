"""Where open streams ask: on a few threads of their own, so that pages never wait for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

_MOST = 4
_LIMITER: RunVar[CapacityLimiter] = RunVar("shipworthy.streams")
Found = TypeVar("Found")


async def ask_for_stream(question: Callable[[], Found]) -> Found:
    """What a question answers, asked beside the event loop and beside the threads of the pages."""
    limiter = _LIMITER.get(None)
    if limiter is None:
        limiter = CapacityLimiter(_MOST)
        _LIMITER.set(limiter)
    return await to_thread.run_sync(question, limiter=limiter)
