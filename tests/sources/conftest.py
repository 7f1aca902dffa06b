"""A real part for the tests of sources: an S3-compatible server, started when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.request import Request, urlopen

import pytest
from moto.server import ThreadedMotoServer


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
