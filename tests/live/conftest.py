"""Stalls and running services for the tests of the live service."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shipworthy.ship.rollout import Phase
from tests.live.stall import Server, Stall, build_stall, open_copy, start_server

collect_ignore_glob = ["project/*"]  # a user's project, not a test


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stall with its releases, built once."""
    folder = tmp_path_factory.mktemp("built") / "stall"
    build_stall(folder).project.records.close()
    return folder


@pytest.fixture
def stall(built: Path, tmp_path: Path) -> Iterator[Stall]:
    """A stall of the test's own, with nothing rolled out."""
    laid = open_copy(built, tmp_path / "stall")
    yield laid
    laid.project.records.close()


@pytest.fixture
def serve(stall: Stall) -> Iterator[Callable[..., Server]]:
    """Starts services on the test's stall, and ends them."""
    started: list[Server] = []

    def start(**options: Any) -> Server:
        started.append(start_server(stall.project, **options))
        return started[-1]

    yield start
    for server in started:
        server.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def shadowed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with two workers that runs for all tests of a module: the mean answers, one more shadows it."""
    laid = open_copy(built, tmp_path_factory.mktemp("shadowed") / "stall")
    laid.move("mean_of_three_days", "one_more", phase=Phase.SHADOW)
    server = start_server(laid.project)
    server.wait_for_all_workers()
    yield server
    server.end(signal.SIGKILL)
    laid.project.records.close()
