"""The whole application: what is badly asked is refused, and a defect is a page with an id that the log has too."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import httpx2
import pytest

from shipworthy.api.door import MOST_BYTES
from shipworthy.server.app import make_app
from shipworthy.store import Record, RecordStore
from shipworthy.workspace.cards import Cards
from tests.server.town import free_port, lay, serving

_NINES = "9" * 5000


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """The one user of a machine, before a workspace without accounts."""
    workspace = lay(tmp_path_factory.mktemp("town"))
    with serving(make_app(workspace), free_port()) as url, httpx2.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.mark.parametrize("rest", ["", "/edit", "/pictures", "/report"])
@pytest.mark.parametrize("said", [_NINES, "-1", "x"])
def test_what_is_no_number_names_no_idea(client: httpx2.Client, said: str, rest: str):
    """An address with a number as long as one likes, or with none, is that of no idea."""
    answer = client.get(f"/projects/kitchen/ideas/{said}{rest}")
    assert (answer.status_code, "is no number of an idea" in answer.text) == (404, True)


def test_a_feed_from_nowhere_begins_now(client: httpx2.Client):
    """A place in the feed that cannot be is taken for none."""
    with client.stream("GET", f"/projects/kitchen/feed?since={_NINES}") as answer:
        assert (answer.status_code, next(answer.iter_text())) == (200, "retry: 2000\n\n")


def test_a_body_without_a_length_is_bounded_too(client: httpx2.Client):
    """A body that is sent in pieces is refused as too long as soon as it is."""

    def pieces() -> Iterator[bytes]:
        for _ in range(MOST_BYTES // 2**20):
            yield b" " * 2**20
        yield b" "

    json = {"content-type": "application/json"}
    answer = client.post("/api/v1/projects/kitchen/ideas", content=pieces(), headers=json)
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


def test_what_leaves_for_a_spreadsheet_is_no_formula(client: httpx2.Client):
    """An answer as CSV runs nothing where it is opened, whoever wrote the texts or the question; numbers stay as they are."""
    sql = """select '=cmd()' as "@a", -5 as n, 'rye' as unit"""
    answer = client.get("/projects/kitchen/ask.csv", params={"sql": sql})
    assert (answer.status_code, answer.text) == (200, "'@a,n,unit\n'=cmd(),-5,rye\n")


def test_a_defect_is_a_page_with_an_id_that_the_log_has(
    client: httpx2.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """Nobody is shown a traceback: the page is in its frame, and names the id under which the log tells more."""

    def broken(_cards: Cards) -> None:
        raise RuntimeError("secret inner life")

    monkeypatch.setattr(Cards, "all", broken)
    with caplog.at_level(logging.ERROR, "shipworthy.board"):
        answer = client.get("/projects/kitchen/")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert "secret inner life" not in answer.text
    found = re.search(r"under the id ([0-9a-f]{32})", answer.text)
    assert found is not None
    assert found[1] in caplog.text
    assert "secret inner life" in caplog.text


def test_it_is_ready_once_its_projects_were_read(tmp_path: Path):
    """Health says no while projects are being read, and yes from then on; whoever asks meanwhile is answered."""
    workspace = lay(tmp_path / "town")
    held, read = Event(), workspace.project("kitchen").records
    workspace.project("kitchen").__dict__["records"] = Slow(read, held)
    with serving(make_app(workspace), free_port()) as url, httpx2.Client(base_url=url, timeout=60) as client:
        health = client.get("/v1/health")
        assert (health.status_code, health.json()["projects_read"]) == (503, False)
        assert client.get("/api/v1/projects").status_code == 200
        held.set()
        while client.get("/v1/health").status_code != 200:
            sleep(0.05)
        assert client.get("/v1/health").json()["projects_read"]


class Slow:
    """A record store whose feed is silent until it may speak."""

    def __init__(self, store: RecordStore, may_speak: Event) -> None:
        self._store, self._may_speak = store, may_speak

    def since(self, seq: int, limit: int = 1000) -> Sequence[Record]:
        """Nothing, until it may speak."""
        self._may_speak.wait(60)
        return self._store.since(seq, limit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
