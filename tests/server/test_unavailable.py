"""What a stranger learns while the record store is gone: that it is, and not where."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.errors import UnavailableError
from tests.server.town import add_people, lay, running


@pytest.mark.parametrize("path", ["/sign-in", "/me"])
def test_a_stranger_does_not_learn_where_the_store_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str):
    """The host is in no answer to who is not signed in; a browser gets a page, a program a problem document."""
    workspace = lay(tmp_path / "town")
    add_people(workspace, {"ann": ["admin"]})

    def gone(*_: object, **__: object) -> None:
        raise UnavailableError("The record store on db.secret.example, port 5432 does not answer.")

    with running(workspace) as town, town.client() as client:
        for name in ("find", "get"):
            monkeypatch.setattr(workspace.records, name, gone)
        page, document = (client.get(path, headers={"accept": kind}) for kind in ("text/html", "application/json"))
    assert (page.status_code, document.status_code) == (503, 503)
    assert "db.secret" not in page.text + document.text
    assert page.headers["content-type"].startswith("text/html")
    assert document.json()["detail"] == "The record store does not answer."
