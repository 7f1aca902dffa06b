"""Admins who shut one another out at once, each seeing the others still there: somebody stays who keeps the accounts."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from shipworthy.errors import PreconditionError
from shipworthy.project.clock import now
from shipworthy.store import Change, Record, RecordStore
from shipworthy.store.address import open_records
from shipworthy.workspace.account import change_account, list_accounts, new_account, read_account, write_account
from shipworthy.workspace.role import read_roles

NAMES = ("ann", "ben", "cat")


class _Meeting:
    """A real store whose writers wait for one another, once each has read what it judges by."""

    def __init__(self, store: RecordStore, ready: Barrier) -> None:
        self._store, self._ready = store, ready

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def add(self, *changes: Change, by: str) -> list[Record]:
        self._ready.wait(30)
        return self._store.add(*changes, by=by)


@pytest.mark.parametrize("change", [{"disabled": True}, {"roles": ["*:analyst"]}], ids=["disable", "roles"])
@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("kind", ["file", "postgresql"])
def test_of_admins_who_shut_one_another_out_one_stays(
    kind: str, number: int, change: Mapping[str, Any], tmp_path: Path, request: pytest.FixtureRequest
):
    """Each takes the next one's place in the same instant, over a store of its own: not all succeed, and who loses is told."""
    address = request.getfixturevalue("empty_database") if kind == "postgresql" else "town.db"
    stores = [open_records(address, root=tmp_path, space="@workspace", clock=now) for _ in range(number)]
    names, ready = NAMES[:number], Barrier(number)
    for name in names:
        write_account(stores[0], new_account(stores[0], name, roles=read_roles(["admin"])), by="tester")

    def shut_out(place: int) -> str:
        whom: Any = _Meeting(stores[place], ready)
        try:
            change_account(whom, names[(place + 1) % number], by=names[place], squads=(), **change)
        except PreconditionError as error:
            return str(error)
        return "done"

    with ThreadPoolExecutor(number) as pool:
        said = list(pool.map(shut_out, range(number)))
    assert "done" in said
    assert all("somebody else moved it meanwhile" in one for one in said if one != "done")
    assert any(one.keeps_accounts for one in list_accounts(stores[0]))
    gone = [names[(place + 1) % number] for place, one in enumerate(said) if one == "done"]
    assert [name for name in names if not read_account(stores[0], name).keeps_accounts] == sorted(gone)
    for store in stores:
        store.close()
