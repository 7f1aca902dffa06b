"""The application of one server process: the doors over one desk."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.types import ASGIApp

from shipworthy.api.table import routes as api_routes
from shipworthy.board.pages import routes as board_routes
from shipworthy.server.identity import Identity
from shipworthy.server.security import Security
from shipworthy.server.sign_in import SignIn
from shipworthy.workspace.audit_log import AuditLog
from shipworthy.workspace.desk import Desk
from shipworthy.workspace.workspace import Workspace, open_workspace

ROOT_VARIABLE = "SHIPWORTHY_WORKSPACE"
"""Tells a worker which folder's workspace it serves."""


def make_app(workspace: Workspace | None = None) -> ASGIApp:
    """The application; a worker that calls it without a workspace opens the one that `shipworthy server` left for it."""
    workspace = workspace or open_workspace(Path(os.environ[ROOT_VARIABLE]))
    audit = AuditLog(workspace.records)
    app = Starlette(
        routes=[*SignIn(workspace, audit).routes(), *api_routes(), *board_routes()], lifespan=partial(_lifespan, audit)
    )
    app.state.desk = Desk(workspace)
    return Security(Identity(app, workspace, audit), workspace.settings)


@asynccontextmanager
async def _lifespan(audit: AuditLog, app: Starlette) -> AsyncIterator[None]:
    yield
    app.state.desk.close()
    audit.close()
