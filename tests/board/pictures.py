"""Takes the pictures of docs/board.md from a server and a browser: `python -m tests.board.pictures`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.board.conftest import ARGS, CHROMIUM
from tests.board.site import Site, lay, serving

DOCS = Path(__file__).parents[2] / "docs"
WIDE, PHONE = {"width": 1180, "height": 640}, {"width": 375, "height": 640}


def take() -> None:
    """A board with what its gate answers, an idea in the dark, and the board on a phone."""
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        serving(workspace := lay(Path(folder))) as url,
    ):
        site = Site(url, workspace, playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS.split()))
        with site.opened("/projects/bakery/", viewport=WIDE, reduced_motion="reduce") as page:
            page.get_by_role("button", name="Ask to move idea 2 on").click()
            page.locator(".answer-of-gate").wait_for()
            page.mouse.move(0, 0)
            page.screenshot(path=DOCS / "board.png")
        look: Any = {"viewport": WIDE, "color_scheme": "dark", "reduced_motion": "reduce"}
        with site.opened("/projects/bakery/ideas/1", **look) as page:
            page.screenshot(path=DOCS / "board-idea.png")
        with site.opened("/projects/bakery/", viewport=PHONE, reduced_motion="reduce") as page:
            page.screenshot(path=DOCS / "board-phone.png")
        site.browser.close()


if __name__ == "__main__":
    take()
