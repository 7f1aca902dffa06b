"""A town with its server, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.town import Running, add_people, lay, running


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Ann is an admin, ben an analyst and cat an engineer of the squad food."""
    workspace = lay(tmp_path_factory.mktemp("town"))
    add_people(workspace, {"ann": ["admin"], "ben": ["food:analyst"], "cat": ["food:ml-engineer"]})
    with running(workspace) as server:
        yield server
    workspace.records.close()
