"""The service as a web application (ASGI): it reads, lets decide, and renders; nothing is decided here."""

from __future__ import annotations

import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import parent_process
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from shipworthy.errors import ShipworthyError, UnavailableError
from shipworthy.live import metrics
from shipworthy.live.answering import Answered, Answering, Ask
from shipworthy.live.claims import Claims
from shipworthy.live.fields import read_key
from shipworthy.live.json_lines import write_json_lines
from shipworthy.live.openapi import describe
from shipworthy.live.outcomes import archive_of
from shipworthy.live.overrides import OverrideLog
from shipworthy.live.refusals import MEDIA_TYPE, RefusedError, unavailable
from shipworthy.live.serving import Serving, Watch
from shipworthy.live.settings import Settings
from shipworthy.live.trace import open_traces
from shipworthy.live.turns import Turns
from shipworthy.project import Project, open_project

MAX_BODY = 16 * 2**20
"""How many bytes a request may have; more are refused before they are read."""

_DECIDE = "/v1/decide"
_DOORS = (_DECIDE, "/v1/outcomes", "/v1/overrides", "/v1/health", "/v1/alive", "/metrics", "/openapi.json")
_JSON = "application/json"
_TRACE = "shipworthy.trace"
_LOG = logging.getLogger("shipworthy.live")
Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(settings: Settings | None = None) -> ASGIApp:
    """The application that one worker runs; a server that calls it without settings finds those `serve` left for it."""
    settings = settings or Settings.from_environment()
    write_json_lines()
    return Service(open_project(Path(settings.root)), settings)


class Service:
    """One worker: what it serves, where it logs, and its doors; itself an ASGI application."""

    def __init__(self, project: Project, settings: Settings) -> None:
        """Opens what is to be served; where that fails, the doors say so, and it is tried again."""
        self._problem = settings.problem
        self._watch = Watch(project, settings.problem, settings.release)
        archive = archive_of(project, settings.problem, settings.folder)
        self._answering = Answering(settings.problem, settings.folder, archive)
        self._overrides = OverrideLog(settings.problem, settings.folder)
        self._claims = Claims(settings.folder / ".claims")
        self._turns = Turns(self._answer_all, self._may_share)
        self._parent = os.getppid()
        self._version = _version()
        self._traces = open_traces(settings.problem, self._version, wanted=settings.traces)
        routes = [
            Route("/v1/outcomes", partial(self._counted, "/v1/outcomes", self._outcomes), methods=["POST"]),
            Route("/v1/overrides", partial(self._counted, "/v1/overrides", self._overridden), methods=["POST"]),
            Route("/v1/health", self._health, methods=["GET"]),
            Route("/v1/alive", self._alive, methods=["GET"]),
            Route("/metrics", self._metrics, methods=["GET"]),
            Route("/openapi.json", self._openapi, methods=["GET"]),
            Route(_DECIDE, partial(self._counted, _DECIDE, self._decide), methods=["POST"]),
        ]
        self._others = Starlette(
            routes=routes, exception_handlers={HTTPException: _no_such_door}, lifespan=self._lifespan
        )
        self._others.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request. Those to decide, which are nearly all, take the short way past everything else."""
        if scope["type"] == "http" and scope["path"] == _DECIDE and scope["method"] == "POST":
            response = await self._counted(_DECIDE, self._decide, Request(scope, receive))
            await response(scope, receive, send)
        else:
            await self._others(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        del app
        gc.collect()
        gc.freeze()  # what is there now stays: the collector need not look through it while requests wait
        self._watch.start(self._follow_parent, self._catch_up)
        yield
        self._watch.stop()
        self._turns.close()
        self._answering.close()
        self._overrides.close()
        self._traces.close()

    def _catch_up(self) -> None:
        """Reads the logs now and then, so that whoever looks back has little to read."""
        if self._watch.serving is not None:
            with suppress(OSError):  # a disk that does not answer is met, and told, by the requests that need it
                self._answering.catch_up(self._watch.serving)

    def _follow_parent(self) -> None:
        """Ends a worker that was started by another process when that is gone, so that none is left behind on the port."""
        if parent_process() is not None and os.getppid() != self._parent:
            os.kill(os.getpid(), signal.SIGTERM)

    async def _decide(self, request: Request) -> Response:
        key = read_key(request.headers.get("idempotency-key"))
        arrived, trace = perf_counter(), request.scope[_TRACE]
        trace.enter("read")
        body = await _body(request)
        trace.enter("wait")
        if key is None:
            return _decided(await self._turns.ask(Ask(body, None, arrived, trace)))
        async with self._claims.hold(key):
            return _decided(await self._turns.ask(Ask(body, key, arrived, trace)))

    def _answer_all(self, asks: Sequence[Ask], decided: Callable[[], None]) -> Sequence[Answered | Exception]:
        return self._answering.decide_all(self._serving(), asks, decided)

    def _may_share(self) -> bool:
        serving = self._watch.serving
        return serving is not None and serving.takes_together and monotonic() >= self._answering.apart_until

    async def _outcomes(self, request: Request) -> Response:
        body = await _body(request)
        noted = await self._turns.run(lambda: self._answering.note(self._serving(), body), len(body))
        metrics.OUTCOMES.inc(noted)
        return _json({"accepted": noted})

    async def _overridden(self, request: Request) -> Response:
        body = await _body(request)
        noted = await self._turns.run(lambda: self._overrides.note(self._serving().champion, body), len(body))
        return _json({"accepted": noted})

    async def _alive(self, request: Request) -> Response:
        del request
        return _json({"alive": True})

    async def _health(self, request: Request) -> Response:
        del request
        watch, serving = self._watch, self._watch.serving
        rollout = serving.rollout if serving else None
        content = {
            "version": self._version,
            "problem": self._problem,
            "phase": rollout and str(rollout.phase),
            "rollout": rollout and rollout.version,
            "releases": serving.releases if serving else {},
            "rollout_age": watch.age,
            "record_store_answers": watch.answers,
            "trouble": watch.trouble,
            "shadow": await self._turns.tell(lambda: self._waiting(serving)),
        }
        return _json(content, 200 if serving else 503)

    async def _metrics(self, request: Request) -> Response:
        del request
        return Response(await self._turns.tell(metrics.exposition), media_type=metrics.MEDIA_TYPE)

    async def _openapi(self, request: Request) -> Response:
        del request
        serving = self._watch.serving
        return _json(describe(self._problem, self._version, serving.champion.contract if serving else None))

    def _waiting(self, serving: Serving | None) -> int | None:
        """How many decisions wait for the shadow; None where that cannot be told."""
        try:
            return None if serving is None else self._answering.waiting(serving)
        except (ShipworthyError, OSError):
            return None

    def _serving(self) -> Serving:
        serving = self._watch.serving
        if serving is None:
            raise unavailable(self._watch.trouble or f"Problem {self._problem!r} is not served yet.")
        return serving

    async def _counted(self, path: str, door: Endpoint, request: Request) -> Response:
        started = perf_counter()
        trace = request.scope[_TRACE] = self._traces.begin(path, request.headers)
        response = await _behind(door, request)
        trace.end(response.status_code)
        metrics.count_request(path, response.status_code, perf_counter() - started)
        return response


async def _behind(door: Endpoint, request: Request) -> Response:
    try:
        return await door(request)
    except (UnavailableError, OSError) as error:
        refusal = unavailable(str(error))
    except RefusedError as error:
        refusal = error
    except Exception:  # noqa: BLE001  (a defect of ours: the caller gets no traceback, the service's own log does)
        _LOG.exception("%s %s failed", request.method, request.url.path)
        refusal = unavailable("The service has a defect that keeps it from answering this; its own log says more.")
    if refusal.status >= 500:
        told = {"path": request.url.path, "status": refusal.status, "detail": str(refusal)}
        _LOG.warning("a request failed", extra={**told, "id": refusal.document.get("id")})
    return _refused(refusal)


async def _body(request: Request) -> bytes:
    """Reads a JSON body, and stops reading where it is too long."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _JSON and not media_type.endswith("+json"):
        raise RefusedError(
            415, f"The body must be sent as {_JSON}, not {media_type[:60] or 'nothing'}: set the header Content-Type."
        )
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > MAX_BODY:
        raise _too_long()
    parts, length = [], 0
    try:
        async for part in request.stream():
            parts.append(part)
            length += len(part)
            if length > MAX_BODY:
                raise _too_long()
    except ClientDisconnect:
        raise RefusedError(400, "The body ended before it was complete.") from None
    return b"".join(parts)


def _too_long() -> RefusedError:
    return RefusedError(
        413, f"The body is longer than {MAX_BODY >> 20} MB: send several requests.", headers={"Connection": "close"}
    )


def _decided(answered: Answered) -> Response:
    if answered.repeated:
        return _json(answered.document, headers={"Idempotency-Replayed": "true"})
    metrics.count_answers(answered.entry["answers"])
    return _json(answered.document)


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(content), status, headers, _JSON)


def _refused(refusal: RefusedError) -> Response:
    return Response(msgspec.json.encode(refusal.document), refusal.status, refusal.headers, MEDIA_TYPE)


async def _no_such_door(request: Request, error: Exception) -> Response:
    """An unknown path or method, in the shape of every other refusal."""
    assert isinstance(error, HTTPException)
    details = {
        404: f"There is no {request.url.path[:100]!r}. There is: {', '.join(_DOORS)}.",
        405: f"{request.method} is not for {request.url.path}; it takes {(error.headers or {}).get('Allow', 'another method')}.",
    }
    return _refused(
        RefusedError(error.status_code, details.get(error.status_code, error.detail), headers=error.headers)
    )


def _version() -> str:
    try:
        return version("shipworthy")
    except PackageNotFoundError:
        return "unknown"
