"""What a balancer asks: whether this process runs, and whether it is ready: its projects read, their record stores answering."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from importlib.metadata import version

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shipworthy.errors import UnavailableError
from shipworthy.server.security import PROBES
from shipworthy.store import RecordStore
from shipworthy.workspace.desk import Desk

_PATIENCE_S = 2.0
"""How long a store may take to answer; a balancer's own patience is seldom longer than five seconds."""


class Health:
    """What one server process knows of its stores: one question at a time, on a thread that is no page's."""

    def __init__(self, desk: Desk) -> None:
        """Has asked nothing yet."""
        self._desk = desk
        self._asked: asyncio.Task[bool] | None = None

    def routes(self) -> list[Route]:
        """The two probes; they tell nothing that a stranger may not know."""
        alive, health = PROBES
        return [Route(alive, _alive), Route(health, self._health)]

    async def _health(self, _request: Request) -> JSONResponse:
        if self._asked is None or self._asked.done():
            self._asked = asyncio.create_task(to_thread.run_sync(_answer, self._desk, limiter=CapacityLimiter(1)))
        over, _ = await asyncio.wait([self._asked], timeout=_PATIENCE_S)
        answers = bool(over) and self._asked.result()
        is_warm = self._desk.is_warm.is_set()
        told = {"version": version("shipworthy"), "record_stores_answer": answers, "projects_read": is_warm}
        return JSONResponse(told, 200 if answers and is_warm else 503)


async def _alive(_request: Request) -> JSONResponse:
    return JSONResponse({"alive": True})


def _answer(desk: Desk) -> bool:
    try:
        for store in _stores(desk):
            store.head()
    except UnavailableError:
        return False
    return True


def _stores(desk: Desk) -> Iterable[RecordStore]:
    yield desk.workspace.records
    for project in desk.workspace.projects.values():
        yield project.records
