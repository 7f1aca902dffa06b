"""One server and one browser for all tests of a module."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.board.site import Site, lay, serving

CHROMIUM = shutil.which("chromium")
ARGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The squad's server, and chromium."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api")
    workspace = lay(tmp_path_factory.mktemp("town"))
    with serving(workspace) as url, sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS.split())
        yield Site(url, workspace, browser)
        browser.close()
    for project in workspace.projects.values():
        project.records.close()
    workspace.records.close()
