"""What the watch learns from the running service itself: whether it is there, and what it refuses."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from shipworthy.live.watch import service
from shipworthy.live.watch.service import check_disk, check_service
from tests.live.stall import Server, Stall, free_port


def test_refused_requests_are_counted_by_the_service(stall: Stall, serve: Callable[..., Server]):
    """A service that refuses many requests is told with how many of how many; one that answers all is not; gone, it is down."""
    stall.move("mean_of_three_days")
    server = serve()
    address = f"http://127.0.0.1:{server.port}"
    for _ in range(6):
        assert server.decide().status == 200
    assert check_service(address) == []
    for _ in range(6):
        assert server.decide(rows=[]).status == 422
    [alert] = check_service(address)
    assert (alert.kind, alert.money_at_risk) == ("refused-requests", None)
    assert "6 of 12 requests" in alert.what
    assert "422" in alert.what
    server.end(signal.SIGKILL)
    assert [alert.kind for alert in check_service(address)] == ["service-down"]


def test_a_service_that_has_nothing_to_serve_is_down(stall: Stall, serve: Callable[..., Server]):
    """Where nothing is rolled out the service says so with 503, and that is told."""
    server = serve()
    [alert] = check_service(f"http://127.0.0.1:{server.port}")
    assert alert.kind == "service-down"
    assert "shipworthy ship" in alert.what


@pytest.mark.parametrize("address", ["file:///etc/passwd", "http://127.0.0.1:PORT", "nonsense"])
def test_what_is_no_service_is_down(address: str):
    """An address where nobody listens, or that is none, is an alert and no error; nothing but HTTP is opened."""
    [alert] = check_service(address.replace("PORT", str(free_port())))
    assert alert.kind == "service-down"


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Where less is free than is asked for, the alert says how much is left; the folder need not be there yet."""
    assert [alert.kind for alert in check_disk(tmp_path / "log")] == []
    monkeypatch.setattr(service, "_ROOM", 1.1)
    [alert] = check_disk(tmp_path / "log")
    assert alert.kind == "disk-full"
    assert "GiB are left" in alert.what


@contextmanager
def _saying(health: dict[str, Any]) -> Iterator[str]:
    """The address of something that tells this of its health, and has no counts yet."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"" if self.path == "/metrics" else json.dumps(health).encode())

        def log_message(self, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Door) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(("age", "kinds"), [(0.4, []), (31.0, ["record-store-gone"])])
def test_a_worker_that_follows_no_rollout_is_told(age: float, kinds: list[str]):
    """Where a worker has not looked at the rollout for half a minute it is told, whatever the last look gave."""
    health = {"releases": {"champion": "r"}, "record_store_answers": True, "rollout_age": age, "trouble": None}
    with _saying(health) as address:
        assert [alert.kind for alert in check_service(address)] == kinds
