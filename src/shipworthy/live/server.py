"""Starting the service: one address, several worker processes, ended by a signal."""

from __future__ import annotations

import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from shipworthy.errors import UnavailableError
from shipworthy.live.beside import shadow_beside
from shipworthy.live.bounded_http import BoundedHttp
from shipworthy.live.settings import COUNTS_VARIABLE, VARIABLE, Settings
from shipworthy.live.trace import are_traces_wanted
from shipworthy.live.watch.loop import watch_beside
from shipworthy.project import Project
from shipworthy.project.environment import environment, one_thread_each

KEEP_ALIVE_S = 75
"""How long an idle connection is kept: longer than the 60 s after which most balancers give it up themselves."""

STUCK_S = 60
"""After how long without a sign of life a worker is replaced; a solver that does not share Python's lock gives none."""

DRAIN_S = 40
"""How long a worker may take to answer what it has begun when it is told to end; longer than any default time limit."""


def serve(
    project: Project,
    problem_name: str,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 2,
    release: str | None = None,
    log_folder: Path | None = None,
    watch: bool = False,
) -> None:
    """Serves one problem until SIGTERM or SIGINT, its shadow beside it; what was begun is answered first.

    Call it in the main thread, from a script that does nothing when it is imported: workers are spawned.

    Args:
        project: Where rollouts and releases are.
        problem_name: The problem to serve.
        host: The address to listen on; "0.0.0.0" for all of them.
        port: The port to listen on.
        workers: How many processes answer.
        release: Serves this release alone, without any rollout.
        log_folder: Where the logs go; None means where the project's configuration says.
        watch: Keeps the watch running beside it.

    Raises:
        UnavailableError: the address is taken, or traces are asked for and OpenTelemetry is not installed.
    """
    settings = Settings(
        root=str(project.root),
        problem=problem_name,
        log_folder=str(log_folder or project.log_folder),
        release=release,
        traces=are_traces_wanted(project),
    )
    refuse_taken(host, port)
    with _environment(settings), _ended_in_order(), shadow_beside(settings), watch_beside(settings, watch):
        uvicorn.run(
            "shipworthy.live.service:make_app",
            factory=True,
            http=BoundedHttp,
            host=host,
            port=port,
            workers=workers,
            lifespan="on",
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=DRAIN_S,
            timeout_worker_healthcheck=STUCK_S,
        )


def refuse_taken(host: str, port: int) -> None:
    """Says that the address is taken before workers start; theirs would share the port with whoever has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UnavailableError(
                f"Cannot listen on {host}:{port}: {error.strerror or error}. Choose another --port."
            ) from error


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Lets SIGTERM end this process as an exception does: what was begun beside it is ended too."""
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _environment(settings: Settings) -> Iterator[None]:
    """Leaves for the workers what they serve, and where they and the shadow count together; takes it away again at the end."""
    variables = one_thread_each() | {VARIABLE: settings.to_text()}
    with (
        tempfile.TemporaryDirectory(prefix="shipworthy-counts-") as counts,
        environment(variables | {COUNTS_VARIABLE: counts}),
    ):
        yield
