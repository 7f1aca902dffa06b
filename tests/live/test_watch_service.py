"""What the watch learns from the running service itself: whether it is there, and what it refuses."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

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
