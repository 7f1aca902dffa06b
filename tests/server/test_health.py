"""What everybody may see waits for no store."""

from __future__ import annotations

from pathlib import Path

import anyio
import httpx2
import pytest

from shipworthy.server import health
from shipworthy.server.app import make_app
from shipworthy.store import SqliteRecordStore
from tests.server.town import free_port, lay, serving

PAGES = 60


def test_probes_and_files_wait_for_no_store_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With every thread of the pages at a store that hangs, health says so, and files come; pages come once it answers."""
    monkeypatch.setattr(health, "_PATIENCE_S", 0.2)
    workspace = lay(tmp_path)
    assert isinstance(workspace.records, SqliteRecordStore)
    held = workspace.records._lock

    async def walk(url: str) -> tuple[list[tuple[str, int]], list[int]]:
        limits, pages = httpx2.Limits(max_connections=2 * PAGES), []
        async with httpx2.AsyncClient(base_url=url, timeout=20, limits=limits) as client:

            async def open_page() -> None:
                pages.append((await client.get("/projects/kitchen/")).status_code)

            async with anyio.create_task_group() as readers:
                held.acquire()
                try:
                    for _ in range(PAGES):
                        readers.start_soon(open_page)
                    await anyio.sleep(0.3)
                    with anyio.fail_after(5):
                        asked = ("/v1/health", "/v1/alive", "/static/board.css", "/sign-in/sign_in.css", "/v1/health")
                        seen = [(path, (await client.get(path)).status_code) for path in asked]
                    assert not pages
                finally:
                    held.release()
            seen.append(("/v1/health", (await client.get("/v1/health")).status_code))
        return seen, pages

    with serving(make_app(workspace), free_port()) as url:
        seen, pages = anyio.run(walk, url)
    assert [status for _, status in seen] == [503, 200, 200, 200, 503, 200], seen
    assert pages == [200] * PAGES


def test_a_file_that_was_seen_is_not_sent_again(tmp_path: Path):
    """A file comes with a tag, is kept for ever where it is asked for by its digest, and what is no file is not there."""
    with serving(make_app(lay(tmp_path)), free_port()) as url, httpx2.Client(base_url=url) as client:
        first = client.get("/static/board.css?v=1")
        assert first.headers["content-type"].startswith("text/css")
        assert "immutable" in first.headers["cache-control"]
        again = client.get("/static/board.css", headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        gone = ("/static/", "/static/page.py", "/static/..%2fboard.css", "/static/templates/page.html.jinja")
        assert [client.get(path).status_code for path in gone] == [404] * len(gone)
