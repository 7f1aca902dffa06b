"""The table of endpoints, and the routes that follow from it."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route

from shipworthy.api import accounts, export, feed, ideas, jobs, problems, programme, talk, tokens, workspace
from shipworthy.api.door import door, refusing
from shipworthy.api.endpoint import PREFIX, Endpoint
from shipworthy.api.openapi import describe
from shipworthy.errors import ShipworthyError
from shipworthy.live.refusals import RefusedError

ENDPOINTS: tuple[Endpoint, ...] = (
    *workspace.ENDPOINTS,
    *ideas.ENDPOINTS,
    *talk.ENDPOINTS,
    *problems.ENDPOINTS,
    *programme.ENDPOINTS,
    *feed.ENDPOINTS,
    *jobs.ENDPOINTS,
    *export.ENDPOINTS,
    *accounts.ENDPOINTS,
    *tokens.ENDPOINTS,
)
"""Every endpoint of the API."""

BY_NAME: Mapping[str, Endpoint] = {endpoint.name: endpoint for endpoint in ENDPOINTS}
"""The endpoints by what they are called."""

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def routes() -> list[BaseRoute]:
    """The API's routes; whatever else begins with /api is refused as the API refuses."""
    known = [Route(PREFIX + one.path, door(one), methods=[one.method]) for one in ENDPOINTS]

    def refusal(request: Request) -> ShipworthyError:
        allowed = {
            method
            for route in known
            if route.matches(request.scope)[0] is Match.PARTIAL
            for method in route.methods or ()
        }
        path = request.url.path[:200]
        if allowed:
            told = ", ".join(sorted(allowed))
            return RefusedError(405, f"{path} takes {told}, not {request.method[:20]}.", headers={"allow": told})
        return RefusedError(404, f"There is nothing at {path}. /api/openapi.json describes what there is.")

    description = Route("/api/openapi.json", _described, methods=["GET"])
    return [description, *known, Route("/api/{rest:path}", refusing(refusal), methods=_METHODS)]


def _described(_request: Request) -> Response:
    return JSONResponse(describe(ENDPOINTS))
