"""`shipworthy server`: the board and the API of this folder's workspace."""

from __future__ import annotations

import os
import resource
import socket
import threading
import time
import webbrowser
from contextlib import suppress

import click
import uvicorn

from shipworthy.live.bounded_http import BoundedHttp
from shipworthy.live.server import KEEP_ALIVE_S, STUCK_S, refuse_taken
from shipworthy.server.app import ROOT_VARIABLE
from shipworthy.server.identity import require_accounts
from shipworthy.workspace.workspace import open_workspace

_MOST_FILES = 65_536
_DRAIN_S = 5
"""How long what was begun may take when the server is told to end; pages that follow the feed never end by themselves."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8600, show_default=True, help="The port to listen on.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="How many processes answer.")
@click.option("--open", "open_", is_flag=True, help="Open the board in a browser.")
def server(host: str, port: int, workers: int, open_: bool) -> None:
    """Open the board and the API of this folder's workspace.

    On a laptop nobody has to sign in, and nobody else reaches it. To listen on another address it wants accounts.
    """
    workspace = open_workspace()
    require_accounts(workspace, host)
    refuse_taken(host, port)
    _allow_many_files()
    os.environ[ROOT_VARIABLE] = str(workspace.root)
    address = workspace.settings.address or f"http://{f'[{host}]' if ':' in host else host}:{port}"
    click.echo(
        f"The board of {workspace.name}: {address} (its API: {address}/api/openapi.json). Ctrl-C ends it.", err=True
    )
    if open_:
        threading.Thread(target=_open_soon, args=(host, port, address), daemon=True).start()
    uvicorn.run(
        "shipworthy.server.app:make_app",
        factory=True,
        http=BoundedHttp,
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # whose word counts says [server] trusted_proxies
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=_DRAIN_S,
        timeout_worker_healthcheck=STUCK_S,
    )


def _allow_many_files() -> None:
    """Every open page is a connection, and most systems give a process 1,024 files unless it asks for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _open_soon(host: str, port: int, address: str) -> None:
    """Opens the board as soon as somebody answers there."""
    for _ in range(100):
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            webbrowser.open(address)
            return
        time.sleep(0.2)
