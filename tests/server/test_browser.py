"""A real browser: what it sends by itself, and what a foreign page makes it send, meet the real server."""

from __future__ import annotations

import shutil

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.server.town import PASSWORD, Running, free_port, serving

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine"),
]

FORM = (
    "<form method=post action='{url}/ship' target=answer></form><iframe name=answer></iframe>"
    "<script>document.forms[0].submit()</script>"
)
FETCH = (
    "<script>Promise.all(['GET', 'POST'].map(method => fetch('{url}/me', {{method, credentials: 'include'}})"
    ".then(answer => answer.text(), () => 'refused'))).then(said => document.title = said)</script>"
)


def test_a_browser_signs_in_acts_and_signs_out_and_no_foreign_page_acts_for_it(town: Running):
    """Own pages work with what browsers send. Forms and scripts of a page on another port come with the cookie, and fail."""
    playwright = pytest.importorskip("playwright.sync_api")

    async def evil(request: Request) -> Response:
        page = {"/form": FORM, "/fetch": FETCH}[request.url.path].format(url=town.url)
        return HTMLResponse(page)

    foreign = Starlette(routes=[Route("/form", evil), Route("/fetch", evil)])
    with serving(foreign, free_port()) as other, playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(f"{town.url}/me")
        page.fill("#login", "cat")
        page.fill("#password", PASSWORD)
        page.click("button")
        page.wait_for_url(f"{town.url}/me")
        assert '"name":"cat"' in page.content()
        assert page.evaluate("document.cookie") == ""
        assert page.evaluate("fetch('/ship', {method: 'POST'}).then(answer => answer.text())") == "shipped"
        for host in (other, other.replace("127.0.0.1", "localhost")):
            with page.expect_response(f"{town.url}/ship") as answer:
                page.goto(f"{host}/form")
            assert answer.value.status in (401, 403)
            page.goto(f"{host}/fetch")
            page.wait_for_function("document.title")
            assert page.title() == "refused,refused"
        page.goto(f"{town.url}/me")
        assert page.evaluate("fetch('/sign-out', {method: 'POST'}).then(answer => answer.url)").endswith("/sign-in")
        page.goto(f"{town.url}/me")
        assert page.url == f"{town.url}/sign-in?next=%2Fme"
        browser.close()
