"""What a balancer asks: whether this process runs, and whether it is ready: its projects read, their record stores answering."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shipworthy.errors import UnavailableError
from shipworthy.server.security import PROBES
from shipworthy.store import RecordStore
from shipworthy.workspace.desk import Desk


def routes() -> list[Route]:
    """The two probes; they tell nothing that a stranger may not know."""
    alive, health = PROBES
    return [Route(alive, _alive), Route(health, _health)]


async def _alive(_request: Request) -> JSONResponse:
    return JSONResponse({"alive": True})


async def _health(request: Request) -> JSONResponse:
    desk: Desk = request.app.state.desk
    answers = await run_in_threadpool(_answer, desk)
    is_warm = desk.is_warm.is_set()
    told = {"version": version("shipworthy"), "record_stores_answer": answers, "projects_read": is_warm}
    return JSONResponse(told, 200 if answers and is_warm else 503)


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
