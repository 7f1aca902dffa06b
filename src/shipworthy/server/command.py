"""`shipworthy server`: the board and the API of this folder's workspace."""

from __future__ import annotations

import os

import click
import uvicorn

from shipworthy.server.app import ROOT_VARIABLE
from shipworthy.server.identity import require_accounts
from shipworthy.workspace.workspace import open_workspace


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8600, show_default=True, help="The port to listen on.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="How many processes answer.")
def server(host: str, port: int, workers: int) -> None:
    """Open the board and the API of this folder's workspace."""
    workspace = open_workspace()
    require_accounts(workspace, host)
    os.environ[ROOT_VARIABLE] = str(workspace.root)
    click.echo(f"The board of {workspace.name}: http://{host}:{port}. Ctrl-C ends it.", err=True)
    uvicorn.run(
        "shipworthy.server.app:make_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # whose word counts says [server] trusted_proxies
    )
