"""The application of one server process: the doors over one desk."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from shipworthy.api.door import MOST_BYTES
from shipworthy.api.table import routes as api_routes
from shipworthy.board.pages import routes as board_routes
from shipworthy.board.rendering import answer_defect, answer_http
from shipworthy.server.beside import follow_starter, notices_beside
from shipworthy.server.health import Health
from shipworthy.server.identity import Identity
from shipworthy.server.security import Security
from shipworthy.server.sign_in import SignIn
from shipworthy.server.warming import warming
from shipworthy.workspace.audit_log import AuditLog
from shipworthy.workspace.desk import Desk
from shipworthy.workspace.workspace import Workspace, open_workspace

_WORTH_ZIPPING = 1_000
_TURN_S = 0.0005
"""How long one thread computes before another gets its turn: a request that looks at files waits one turn for each of them while
something is reckoned behind it."""

ROOT_VARIABLE = "SHIPWORTHY_WORKSPACE"
"""Tells a worker which folder's workspace it serves."""


def make_app(workspace: Workspace | None = None) -> ASGIApp:
    """The application; a worker that calls it without a workspace opens the one that `shipworthy server` left for it."""
    workspace = workspace or open_workspace(Path(os.environ[ROOT_VARIABLE]))
    audit, desk = AuditLog(workspace.records), Desk(workspace)
    app = Starlette(
        routes=[*Health(desk).routes(), *SignIn(workspace, audit).routes(), *api_routes(), *board_routes()],
        middleware=[Middleware(GZipMiddleware, minimum_size=_WORTH_ZIPPING)],
        exception_handlers={HTTPException: answer_http, Exception: answer_defect},
        lifespan=partial(_lifespan, audit, desk),
    )
    app.state.desk = desk
    return Security(Identity(app, workspace, audit), workspace.settings, bodies={"/api/": MOST_BYTES})


@asynccontextmanager
async def _lifespan(audit: AuditLog, desk: Desk, _app: Starlette) -> AsyncIterator[None]:
    sys.setswitchinterval(_TURN_S)
    follow_starter()
    with warming(desk), notices_beside(desk.workspace):
        yield
    desk.close()
    audit.close()
