"""What every test may use: the starter project, laid fresh in a folder of its own, and real servers of records and objects."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import sleep
from urllib.error import URLError
from urllib.request import Request, urlopen

import psycopg
import pytest

import shipworthy
from shipworthy.project import Project, open_project
from tests.postgres_server import postgres_server

STARTER = Path(shipworthy.__file__).parent / "starter"


@pytest.fixture
def bakery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """The starter's bakery as `shipworthy init` lays it: three breads, 400 days, one idea that is worth shipping."""
    folder = tmp_path / "bakery"
    shutil.copytree(STARTER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("SHIPWORTHY_USER", "tester")
    project = open_project(folder)
    yield project
    project.records.close()


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """The address of a PostgreSQL server of one's own."""
    with postgres_server() as address:
        yield address


@pytest.fixture(scope="session")
def _records_database(database: str) -> str:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE DATABASE records")
    return database.replace("/postgres?", "/records?")


@pytest.fixture
def empty_database(_records_database: str) -> str:
    """The address of a database in which no records are yet."""
    with psycopg.connect(_records_database, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS shipworthy CASCADE")
    return _records_database


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """The address of an S3-compatible server with an empty bucket called `shop`.

    It is a process of its own: whatever else plays AWS in this one would empty it.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            with urlopen(Request(f"{address}/shop", method="PUT")):
                break
        except URLError:
            sleep(0.1)
    yield address
    server.terminate()
    server.wait(20)
