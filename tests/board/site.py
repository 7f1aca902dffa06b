"""A workspace of a squad at work, its server as it really runs, and browsers in which people of it have signed in."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import uvicorn

import shipworthy
from shipworthy.analysis.analyse import analyse_idea
from shipworthy.analysis.report.write import write_report
from shipworthy.data.examine import examine_data
from shipworthy.ideas.register import begin_idea
from shipworthy.project import Project
from shipworthy.research.research import research_idea
from shipworthy.server.app import make_app
from shipworthy.workspace.account import new_account, read_account
from shipworthy.workspace.role import read_roles
from shipworthy.workspace.session import begin_session
from shipworthy.workspace.workspace import Workspace, open_workspace

STARTER = Path(shipworthy.__file__).parent / "starter"
PEOPLE = {
    "ann": ["food:product-manager"],
    "ben": ["food:analyst", "food:ml-engineer"],
    "eve": ["food:stakeholder"],
}
WHOLE = {
    "problem": "bakery",
    "challenger": "same_weekday",
    "change": "Bake by the mean of the weekday",
    "because": "Saturdays sell half as much again, which yesterday does not know of",
    "smallest_gain": 1.0,
    "expected_gain": [1.0, 2.0, 3.0],
}
ODD = (
    "Let every shop learn from every other one's Fridays, holidays and football evenings before it decides what to bake",
    "خبز أقل صباحًا b",
    "🚚 Vans 🥐 twice",
    "Donaudampfschifffahrtsgesellschaftskapitaensmuetzenabzeichenverleihung",
    '<script>alert("x")</script> & co',
)


def lay(folder: Path) -> Workspace:
    """The bakery, whose first idea has a verdict to ship that the product manager has to sign, a crowd of ideas, and nobody's."""
    for name, signoffs in (("bakery", "[signoffs]\nship = ['product manager']\n"), ("crowd", ""), ("empty", "")):
        shutil.copytree(STARTER, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        with (folder / name / "shipworthy.toml").open("a") as file:
            file.write(f"\n[research]\nworkers = 1\n{signoffs}")
        text = (folder / name / "shipworthy.toml").read_text()
        (folder / name / "shipworthy.toml").write_text(text.replace("[project]", "[project]\nsquad = 'food'", 1))
    for name in ("crowd", "empty"):
        shutil.rmtree(folder / name / "ideas")
    (folder / "workspace.toml").write_text("[workspace]\nname = 'Town'\nprojects = ['*']\n")
    workspace = open_workspace(folder)
    for login, roles in PEOPLE.items():
        account = new_account(workspace.records, login, roles=read_roles(roles))
        workspace.records.add(account.change(), by="tester")
    _work(workspace.project("bakery").acting("ben"))
    crowd = workspace.project("crowd").acting("ann")
    for i, title in enumerate([*ODD, *(f"Bake later, number {number}" for number in range(70))]):
        money = {"expected_gain": [1.0, 10.0**i, 10.0 ** (i + 1)]} if i < 11 else {}
        begin_idea(crowd, {"title": title, "owner": "ann" if i % 2 else "ben", **(WHOLE if i % 3 else {}), **money})
    return workspace


def _work(project: Project) -> None:
    examine_data(project, 1)
    research_idea(project, 1)
    analyse_idea(project, 1)
    write_report(project, 1)
    begin_idea(project, {"title": "Bake by the weather", "owner": "ann", "problem": "bakery"})
    begin_idea(project, {"title": "Bake by the weekday", "owner": "ben", **WHOLE})


REACHES_OUT = """() => [...document.querySelectorAll("main :is(button, .button, .pill, input, select, textarea)")]
  .filter((one) => !one.closest(".scroll, .board, [popover]") && one.getBoundingClientRect().width)
  .filter((one) => {
    const box = one.getBoundingClientRect(), around = (one.closest(".card") ?? document.body).getBoundingClientRect();
    return box.left < around.left - 1 || box.right > around.right + 1;
  }).map((one) => one.outerHTML.slice(0, 120))"""
"""What is wider than the card that it stands in."""


@dataclass
class Site:
    """A server that runs, and a browser.

    Attributes:
        url: Where the server answers.
        workspace: What it serves.
        browser: The browser.
        faults: What the consoles of all pages said.
    """

    url: str
    workspace: Workspace
    browser: Any
    faults: list[str] = field(default_factory=list)

    @contextmanager
    def opened(self, path: str, login: str = "ann", **context: Any) -> Iterator[Any]:
        """A page of somebody who signed in; a browser of their own."""
        account = read_account(self.workspace.records, login)
        value = begin_session(self.workspace.records, account, address="test", via="password")
        mine = self.browser.new_context(**context)
        mine.set_default_timeout(20_000)
        mine.add_cookies([{"name": "shipworthy", "value": value, "url": self.url}])
        page = mine.new_page()
        page.on("console", lambda message: self.faults.append(f"{page.url}: {message.text}"))
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.goto(self.url + path)
        yield page
        mine.close()


@contextmanager
def serving(workspace: Workspace) -> Iterator[str]:
    """The address of the server of a workspace, which runs in a thread of this process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    config = uvicorn.Config(
        make_app(workspace), port=port, log_level="error", proxy_headers=False, timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
