"""What changes, as it changes: which ideas have new records, told to every open page over one connection each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from shipworthy.errors import ShipworthyError
from shipworthy.web.asked import Asked
from shipworthy.web.streams import ask_for_stream
from shipworthy.workspace.cards import Cards
from shipworthy.workspace.role import Permission

_EVERY_S = 1.0
_ALIVE_S = 15.0
_LASTS_S = 300.0
"""After so long the browser connects anew, which asks again whether it may read."""

_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
_DIGITS = 18
_MOST = 50
"""More ideas than that at once are told as "many": the page then asks for everything."""


def show_feed(asked: Asked) -> Response:
    """The stream of events of one project, from the record on that a page has seen."""
    asked.project(Permission.READ)
    query, headers = asked.request.query_params, asked.request.headers
    since = headers.get("last-event-id") or query.get("since", "")
    seq = int(since) if since.isdecimal() and len(since) <= _DIGITS else asked.cards.seq
    stream = _events(asked.request, asked.cards, seq)
    return StreamingResponse(stream, media_type="text/event-stream", headers=_HEADERS)


async def _events(request: Request, cards: Cards, seq: int) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    began = told = monotonic()
    while monotonic() - began < _LASTS_S and not await request.is_disconnected():
        try:
            now, changed = await ask_for_stream(partial(cards.changed, seq))
        except ShipworthyError:  # the store does not answer: the page stays as it is, and hears of it later
            now, changed = seq, []
        if changed:
            numbers = sorted(card.number for card in changed)
            body = {"numbers": numbers[:_MOST], "many": len(numbers) > _MOST}
            yield f"event: change\nid: {now}\ndata: {json.dumps(body)}\n\n"
            told = monotonic()
        elif monotonic() - told > _ALIVE_S:
            yield ": alive\n\n"
            told = monotonic()
        seq = now
        await asyncio.sleep(_EVERY_S)
