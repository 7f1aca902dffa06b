"""A workspace of two squads with its people, and its server as it really runs: uvicorn on a port of this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from shipworthy.live.bounded_http import BoundedHttp
from shipworthy.server.identity import Identity
from shipworthy.server.security import Security
from shipworthy.server.sign_in import SignIn
from shipworthy.store import Change
from shipworthy.workspace.account import new_account
from shipworthy.workspace.audit_log import AuditLog
from shipworthy.workspace.password import password_change
from shipworthy.workspace.role import Permission, read_roles
from shipworthy.workspace.workspace import Workspace, open_workspace

PASSWORD = "correct horse battery"


def lay(folder: Path, settings: str = "") -> Workspace:
    """Two projects of two squads in one workspace, with further sections of its file."""
    for name, squad in (("kitchen", "food"), ("battery", "energy")):
        (folder / name).mkdir(parents=True)
        (folder / name / "shipworthy.toml").write_text(f"[project]\nsquad = '{squad}'\n")
    (folder / "workspace.toml").write_text(f"[workspace]\nname = 'town'\nprojects = ['*']\n{settings}")
    return open_workspace(folder)


def add_people(workspace: Workspace, people: dict[str, Sequence[str]]) -> None:
    """Accounts with the one password of these tests."""
    for login, roles in people.items():
        account = new_account(workspace.records, login, roles=read_roles(roles))
        secret = Change(kind="password", key=login, body=_hashed())
        workspace.records.add(account.change(), secret, by="tester")


@cache
def _hashed() -> Mapping[str, Any]:
    """The hash of the one password, computed once for all tests."""
    return password_change("tester", PASSWORD).body


@dataclass(frozen=True)
class Running:
    """A server that runs."""

    url: str
    workspace: Workspace

    def client(self, **more: Any) -> httpx2.Client:
        """A browser without a page: it keeps cookies and follows nothing."""
        return httpx2.Client(base_url=self.url, **more)

    @contextmanager
    def signed_in(self, login: str, **more: Any) -> Iterator[httpx2.Client]:
        """The same, after a sign-in."""
        with self.client(**more) as client:
            answer = client.post("/sign-in", data={"login": login, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
            yield client


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(workspace: Workspace, port: int | None = None) -> Iterator[Running]:
    """The layers that stand before the doors, and one door that says who came in."""
    audit = AuditLog(workspace.records)
    routes = [*SignIn(workspace, audit).routes(), Route("/me", _me, methods=["GET", "POST"])]
    routes += [Route("/ship", _ship, methods=["POST"]), Route("/stream", _stream), Route("/v1/health", _health)]
    app = Security(Identity(Starlette(routes=routes), workspace, audit), workspace.settings, {"/me": 2000})
    with serving(app, port or free_port()) as url:
        yield Running(url, workspace)
    audit.close()


@contextmanager
def serving(app: ASGIApp, port: int, host: str = "127.0.0.1") -> Iterator[str]:
    """An application behind uvicorn, and its address."""
    config = uvicorn.Config(app, http=BoundedHttp, host=host, port=port, log_level="error", proxy_headers=False)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        sleep(0.01)
    try:
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join()


async def _me(request: Request) -> Response:
    body = await request.body()
    principal = request.state.principal
    scope = None if principal.scope is None else sorted(principal.scope)
    return JSONResponse({"name": principal.name, "scope": scope, "proved": principal.proved, "length": len(body)})


async def _ship(request: Request) -> Response:
    is_allowed = request.state.principal.may(Permission.SHIP, "food")
    return PlainTextResponse("shipped" if is_allowed else "no", 200 if is_allowed else 403)


async def _stream(request: Request) -> Response:
    async def ticks() -> Any:
        while not await request.is_disconnected():
            yield "data: tick\n\n"
            sleep(0.01)

    return StreamingResponse(ticks(), media_type="text/event-stream")


async def _health(request: Request) -> Response:
    return PlainTextResponse("well")
