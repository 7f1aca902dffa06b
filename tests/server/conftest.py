"""A town with its server, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import argon2
import pytest

from shipworthy.workspace import password
from tests.server import town
from tests.server.town import Running, add_people, lay, running


@pytest.fixture(scope="module", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """Hashes that cost little: what they cost really is proved once, in tests/workspace/test_accounts.py."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        patch.setattr(password, "_hasher", lambda: cheap)
        town._hashed.cache_clear()
        password._nobodys.cache_clear()
        yield
    town._hashed.cache_clear()
    password._nobodys.cache_clear()


@pytest.fixture(scope="module", name="town")
def a_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Ann is an admin, ben an analyst and cat an engineer of the squad food."""
    workspace = lay(tmp_path_factory.mktemp("town"))
    add_people(workspace, {"ann": ["admin"], "ben": ["food:analyst"], "cat": ["food:ml-engineer"]})
    with running(workspace) as server:
        yield server
    workspace.records.close()
