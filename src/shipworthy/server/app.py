"""The application of one server process: the doors over one desk."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from shipworthy.board.pages import routes as board_routes
from shipworthy.board.rendering import answer_http
from shipworthy.project.project import user_of_the_machine
from shipworthy.workspace.desk import Desk
from shipworthy.workspace.principal import local
from shipworthy.workspace.workspace import Workspace, open_workspace

_WORTH_ZIPPING = 1_000
ROOT_VARIABLE = "SHIPWORTHY_WORKSPACE"
"""Tells a worker which folder's workspace it serves."""


def make_app(workspace: Workspace | None = None) -> ASGIApp:
    """The application; a worker that calls it without a workspace opens the one that `shipworthy server` left for it."""
    workspace = workspace or open_workspace(Path(os.environ[ROOT_VARIABLE]))
    app = Starlette(
        routes=[*board_routes()],
        middleware=[Middleware(GZipMiddleware, minimum_size=_WORTH_ZIPPING)],
        exception_handlers={HTTPException: answer_http},
    )
    app.state.desk = Desk(workspace)
    return _Local(app)


class _Local:
    """Everybody is the one user of this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {})["principal"] = local(user_of_the_machine())
        await self._app(scope, receive, send)
