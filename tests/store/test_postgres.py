"""A real PostgreSQL passes the conformance suite, keeps projects apart, and is clear about what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shipworthy.store.conformance import RecordStoreConformance
from shipworthy.store.postgres import PostgresRecordStore

Open = Callable[..., PostgresRecordStore]


@pytest.fixture
def open_store(empty_database: str, tmp_path: Path) -> Iterator[Open]:
    """Opens the same database each time, in the space of the squad's kitchen unless another is named."""
    opened = []

    def open_(space: str = "food/kitchen") -> PostgresRecordStore:
        opened.append(PostgresRecordStore(empty_database, space=space, backups=tmp_path / "backups"))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


class TestPostgres(RecordStoreConformance):
    """PostgreSQL passes the suite."""
