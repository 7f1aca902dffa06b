"""The feed: what was recorded after a place, as a list or as a stream of events; without what the records hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from starlette.responses import StreamingResponse

from shipworthy.api.endpoint import Call, Endpoint
from shipworthy.errors import ShipworthyError
from shipworthy.project import Project
from shipworthy.store import Record
from shipworthy.web.streams import ask_for_stream
from shipworthy.workspace.role import Permission

_LOOK_S = 1.0
_ALIVE_S = 15.0
_LASTS_S = 3600.0
_AT_ONCE = 500


class FeedQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    """From where on."""

    after: Annotated[int, Meta(ge=0, le=2**62)] = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class Event(Struct, kw_only=True):
    """One record: what was written, when and by whom; `chain` is the digest over it and all before it."""

    seq: int
    kind: str
    key: str
    version: int
    at: datetime
    by: str
    chain: str


class Feed(Struct, kw_only=True):
    """The records after a place, in their order; `after` is where to go on, `head` how far the feed has come."""

    items: list[Event]
    after: int
    head: int


def read_feed(call: Call) -> Any:
    """The feed as a list, or as a stream for who accepts `text/event-stream`."""
    project, asked = call.project, call.query
    if "text/event-stream" in call.headers.get("accept", ""):
        last = call.headers.get("last-event-id", "")
        is_place = last.isascii() and last.isdigit() and len(last) < 19
        after = int(last) if is_place else asked.after
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(_stream(project, after), media_type="text/event-stream", headers=headers)
    found = project.records.since(asked.after, asked.limit)
    return Feed(
        items=[_event(record) for record in found],
        after=found[-1].seq if found else asked.after,
        head=project.records.head().seq,
    )


async def _stream(project: Project, after: int) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    begun = told = monotonic()
    while monotonic() - begun < _LASTS_S:
        found = await ask_for_stream(partial(_since, project, after))
        for record in found:
            after, told = record.seq, monotonic()
            yield b"id: %d\nevent: record\ndata: %s\n\n" % (after, msgspec.json.encode(_event(record)))
        if monotonic() - told > _ALIVE_S:
            told = monotonic()
            yield b": alive\n\n"
        if len(found) < _AT_ONCE:
            await asyncio.sleep(_LOOK_S)


def _since(project: Project, after: int) -> Sequence[Record]:
    try:
        return project.records.since(after, _AT_ONCE)
    except ShipworthyError:  # the store is silent: whoever listens hears of it once it answers again
        return ()


def _event(record: Record) -> Event:
    return Event(
        seq=record.seq,
        kind=record.kind,
        key=record.key,
        version=record.version,
        at=record.at,
        by=record.by,
        chain=record.chain,
    )


ENDPOINTS = (
    Endpoint(
        name="feed",
        method="GET",
        path="/projects/{project}/feed",
        permission=Permission.READ,
        says="What was recorded after a place: a list, or a stream of events for who accepts text/event-stream.",
        handler=read_feed,
        query=FeedQuery,
        answer=Feed,
    ),
)
