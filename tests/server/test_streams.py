"""Open streams and pages do not wait for one another."""

from __future__ import annotations

from threading import Event

import anyio
from anyio import to_thread

from shipworthy.web.streams import ask_for_stream


def test_streams_that_hang_leave_every_thread_to_the_pages():
    """With a hundred streams whose store hangs, a page is still answered."""
    hangs = Event()

    async def walk() -> bool:
        async with anyio.create_task_group() as streams:
            for _ in range(100):
                streams.start_soon(ask_for_stream, hangs.wait)
            await anyio.sleep(0.05)
            with anyio.fail_after(10):
                answered = await to_thread.run_sync(lambda: True)
            hangs.set()
        return answered

    assert anyio.run(walk)
