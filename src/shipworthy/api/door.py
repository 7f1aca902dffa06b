"""How a request comes in and an answer goes out: read strictly, answered beside the event loop, refused as a document."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any
from uuid import uuid4

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from shipworthy.api.endpoint import Answer, Call, Endpoint, Page, tag_of, tags_in
from shipworthy.api.jobs import Started, answer_to
from shipworthy.api.refusing import refuse
from shipworthy.errors import InvalidInputError, ShipworthyError
from shipworthy.live.refusals import RefusedError
from shipworthy.store.digest import digest

MOST_BYTES = 16 * 2**20
_LOOK_S = 0.1
_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_LOG = logging.getLogger("shipworthy.api")


def door(endpoint: Endpoint) -> Callable[[Request], Any]:
    """What answers requests to an endpoint."""

    async def answered(request: Request) -> Response:
        return await _guarded(request, lambda: _answered(endpoint, request))

    return answered


def refusing(refusal: Callable[[Request], ShipworthyError]) -> Callable[[Request], Any]:
    """What answers requests that are refused whatever they hold."""

    async def refused(request: Request) -> Response:
        async def raised() -> Response:
            raise refusal(request)

        return await _guarded(request, raised)

    return refused


async def _guarded(request: Request, work: Callable[[], Any]) -> Response:
    said = request.headers.get("x-request-id", "")
    name = said if _ID.fullmatch(said) else uuid4().hex
    try:
        response: Response = await work()
    except ShipworthyError as error:
        response = refuse(error)
    except HTTPException as error:  # what stands before the doors says so while the body is read
        response = refuse(RefusedError(error.status_code, error.detail))
    except ClientDisconnect:
        response = Response(status_code=499)
    except Exception:  # noqa: BLE001  (the last door: it is logged, and nobody is shown a traceback)
        _LOG.exception("A request to %s failed; its id is %s", request.url.path, name)
        said = f"This is a defect of shipworthy, not of yours. The server's log has it under the id {name}."
        response = refuse(RefusedError(500, said, error="ShipworthyError"))
    response.headers["x-request-id"] = name
    response.headers.setdefault("cache-control", "no-cache")
    return response


async def _answered(endpoint: Endpoint, request: Request) -> Response:
    _require_acceptable(endpoint, request)
    call = Call(
        desk=request.app.state.desk,
        principal=request.state.principal,
        path=request.path_params,
        query=None,
        body=None,
        headers=request.headers,
        permission=endpoint.permission,
    )
    await run_in_threadpool(call.require)
    content = await _content(request) if endpoint.body is not None else b""
    call = _read(endpoint, call, request, content)
    found = await run_in_threadpool(endpoint.handler, call)
    if isinstance(found, Response):
        return found
    if isinstance(found, Started):
        found = await _waited(call, found)
    return _response(
        endpoint, request, found if isinstance(found, Answer) else Answer(value=found, status=endpoint.status)
    )


async def _waited(call: Call, started: Started) -> Answer:
    """The answer to who asked for a job: how it ended, or that it goes on."""
    until = monotonic() + started.seconds
    job = started.job
    while not job.state.is_over and monotonic() < until:
        await asyncio.sleep(_LOOK_S)
        job = await run_in_threadpool(call.jobs.get, job.id)
    return await run_in_threadpool(answer_to, call, job)


async def _content(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "Send the body as JSON, with Content-Type: application/json.")
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MOST_BYTES:
            raise RefusedError(413, f"The body is larger than {MOST_BYTES:,} bytes. Send less at once.")
    return bytes(content)


def _read(endpoint: Endpoint, call: Call, request: Request, content: bytes) -> Call:
    asked = request.query_params
    given: Mapping[str, Any] = {
        name: values[0] if len(values := asked.getlist(name)) == 1 else values for name in asked
    }
    try:
        query = msgspec.convert(given, endpoint.query, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInputError(f"The query is wrong: {error}.") from error
    body = None
    if endpoint.body is not None:
        body = _body(endpoint, content)
    return Call(
        desk=call.desk,
        principal=call.principal,
        path=call.path,
        query=query,
        body=body,
        headers=call.headers,
        permission=call.permission,
    )


def _body(endpoint: Endpoint, content: bytes) -> Any:
    try:
        return msgspec.json.decode(content or b"{}", type=endpoint.body)
    except msgspec.ValidationError as error:
        raise InvalidInputError(f"The body is wrong: {error}.") from error
    except (ValueError, RecursionError) as error:  # msgspec.DecodeError is a ValueError
        raise RefusedError(400, f"The body is not JSON: {error}.") from error


def _require_acceptable(endpoint: Endpoint, request: Request) -> None:
    """Refuses who accepts nothing that the endpoint could answer with."""
    accepted = [kind.partition(";")[0].strip().lower() for kind in request.headers.get("accept", "*/*").split(",")]
    family = endpoint.media.partition("/")[0]
    if not {"", "*/*", f"{family}/*", endpoint.media, "application/json", "text/event-stream"} & {*accepted}:
        raise RefusedError(406, f"This answers with {endpoint.media}, which Accept does not name.")


def _response(endpoint: Endpoint, request: Request, answer: Answer) -> Response:
    headers = dict(answer.headers)
    if isinstance(answer.value, Page) and answer.value.next:
        following = request.url.include_query_params(cursor=answer.value.next)
        headers["link"] = f'<{following.path}?{following.query}>; rel="next"'
    if answer.value is None and endpoint.answer is None:
        return Response(status_code=204, headers=headers)
    content = msgspec.json.encode(answer.value, enc_hook=str)
    if request.method in ("GET", "HEAD"):
        headers["etag"] = tag_of(answer.edition or digest(content)[:32])
        if headers["etag"] in tags_in(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
    elif answer.edition:
        headers["etag"] = tag_of(answer.edition)
    return Response(content, answer.status, headers, "application/json")
