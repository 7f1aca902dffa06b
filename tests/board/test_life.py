"""The whole life of an idea, clicked through in a real browser by people of three roles, on both kinds of stores."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest

import shipworthy
from shipworthy.project import Project
from shipworthy.ship.rollout import Phase, rollout_history
from shipworthy.ship.spare_server import SpareServer, spare_server
from shipworthy.workspace.workspace import Workspace, open_workspace
from tests.board.conftest import ARGS, CHROMIUM
from tests.server.test_command import served
from tests.server.town import PASSWORD, add_people
from tests.store.buckets import use
from tests.walks.examples import full

expect = pytest.importorskip("playwright.sync_api").expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine"),
]

STARTER = Path(shipworthy.__file__).parent / "starter"
PEOPLE: dict[str, Sequence[str]] = {
    "ada": ["admin"],
    "ann": ["food:product-manager"],
    "ben": ["food:ml-engineer", "food:product-manager"],
    "cat": ["food:data-scientist"],
    "eve": ["food:stakeholder"],
}
STEP = 7
"""Live periods that each step of the rollout lasts at least."""
PROOF = 28
"""Live periods with outcomes before a gain in money can be proven."""
SETTINGS = f"""
[research]
workers = 1

[rollout]
periods = {STEP}

[signoffs]
research = ["product manager"]
ship = ["product manager"]
live = ["product manager"]
four_eyes = true
"""
TITLE = "Bake by the weekday instead of yesterday"
IDEA = "/projects/bakery/ideas/2"
ROLLOUT = "/projects/bakery/rollouts/bakery"
FIRST = date(2026, 2, 5)
BUSY = {5: 1.5, 6: 1.8}
BREADS = {"rye": 40, "spelt": 25, "white": 60}
EXPECTED_FAULT = re.compile("the server responded with a status of 40[13]")
"""What a browser says of every refusal: of a page before the sign-in, and of what somebody may not."""


@dataclass
class Town:
    """A workspace, its server, and the browser of each of its people.

    Attributes:
        url: Where the server answers.
        workspace: What it serves.
        pages: Each one's own browser, signed in, by login.
        faults: What the consoles of all pages said.
        days: The live days that were lived.
    """

    url: str
    workspace: Workspace
    pages: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    days: int = 0

    @property
    def project(self) -> Project:
        """The bakery."""
        return self.workspace.project("bakery")

    def to(self, login: str, path: str) -> Any:
        """Somebody's page, at an address."""
        page = self.pages[login]
        page.goto(self.url + path)
        return page


@pytest.fixture(params=["SQLite and a folder", pytest.param("PostgreSQL and S3", marks=full)])
def town(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """The server as it is typed, and a browser for each of its people, in which they have signed in."""
    stores, records = "", ""
    if request.param == "PostgreSQL and S3":
        monkeypatch.setenv("TOWN_RECORDS", request.getfixturevalue("empty_database"))
        monkeypatch.setenv("TOWN_OBJECTS", use(request.getfixturevalue("object_store"), monkeypatch))
        stores = '[store]\nrecords = "$TOWN_RECORDS"\nobjects = "$TOWN_OBJECTS"\n'
        records = 'records = "$TOWN_RECORDS"\n'
    with opened(lay(tmp_path, records, stores)) as found:
        yield found


def lay(folder: Path, records: str = "", stores: str = "") -> Workspace:
    """The starter's bakery in a workspace, with its people."""
    shutil.copytree(STARTER, folder / "bakery", ignore=shutil.ignore_patterns("__pycache__"))
    settings = folder / "bakery" / "shipworthy.toml"
    text = settings.read_text().replace("[project]", "[project]\nsquad = 'food'", 1)
    settings.write_text(f"{text}\n{stores}{SETTINGS}")
    (folder / "workspace.toml").write_text(f"[workspace]\nname = 'Town'\nprojects = ['*']\n{records}")
    workspace = open_workspace(folder)
    add_people(workspace, PEOPLE)
    return workspace


@contextmanager
def opened(workspace: Workspace) -> Iterator[Town]:
    """The server of a workspace, and its people in front of it."""
    sync_api = pytest.importorskip("playwright.sync_api")
    project = workspace.project("bakery")
    with served(project) as (url, _), sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS.split())
        town = Town(url, workspace)
        for login in PEOPLE:
            town.pages[login] = sign_in(town, browser, login)
        yield town
        browser.close()
    project.records.close()
    workspace.records.close()


def sign_in(town: Town, browser: Any, login: str) -> Any:
    """A browser of one's own, in which somebody comes to the door and signs in."""
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.on("console", lambda message: town.faults.append(f"{login} at {page.url}: {message.text}"))
    page.on("pageerror", lambda error: town.faults.append(f"{login} at {page.url}: {error}"))
    page.goto(f"{town.url}/projects/bakery/")
    assert "/sign-in?next=" in page.url
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{town.url}/**/" if login == "ada" else f"{town.url}/projects/bakery/")
    return page


def test_an_idea_lives_its_whole_life_on_the_board(town: Town):
    """From the form to the rollback: each step by whoever may take it, closed before and open after what its gate asks for."""
    an_idea_is_written(town)
    its_data_is_examined(town)
    what_counts_as_success_is_signed_and_research_runs(town)
    the_evidence_is_judged_and_everybody_reads_the_verdict(town)
    a_stakeholder_sees_everything_and_can_do_nothing(town)
    it_ships_once_the_verdict_is_signed(town)
    with spare_server(town.project, "bakery") as service:
        it_goes_into_canary_when_the_shadow_has_lasted(town, service)
        it_goes_live_on_proof_and_before_four_eyes(town, service)
        it_is_rolled_back_with_a_reason(town, service)
    ledger_standup_and_audit_tell_it(town)
    assert [fault for fault in town.faults if not EXPECTED_FAULT.search(fault)] == []


def an_idea_is_written(town: Town) -> None:
    """The product manager writes it with advice beside the form, and is told of an idea that says nearly the same."""
    ann = town.to("ann", "/projects/bakery/")
    ann.get_by_role("link", name="New idea").click()
    ann.get_by_label("Title").fill("Bake for the weekday and not for yesterday")
    advice = ann.locator("#advice")
    advice.get_by_role("link", name="Idea 1").wait_for()
    expect(advice).to_contain_text("It does not say what would be worth shipping.")
    ann.get_by_label("Title").fill(TITLE)
    ann.get_by_label("Change").fill("Bake the mean of the last four same weekdays and a tenth more.")
    ann.get_by_label("Because", exact=True).fill("Weekends sell half as much again, which yesterday does not know.")
    ann.get_by_label("Problem").fill("bakery")
    ann.get_by_label("Challenger").fill("same_weekday")
    ann.get_by_label("Worth shipping from").fill("5")
    ann.get_by_label("Counted per").select_option("period")
    expect(advice).to_contain_text("Idea 1 is carried by the same challenger")
    expect(advice).not_to_contain_text("what would be worth shipping")
    ann.get_by_role("button", name="Write it down").click()
    ann.get_by_role("heading", name=TITLE).wait_for()
    assert ann.url == town.url + IDEA
    say(ann, "Who knows of a street market on Saturdays?")


def its_data_is_examined(town: Town) -> None:
    """The product manager may not; the data scientist drops the card on the next column, and every browser sees the answer."""
    ann, cat = town.to("ann", "/projects/bakery/"), town.to("cat", "/projects/bakery/")
    drop(ann, "data", "research")
    ann.get_by_text("ann may not examine").first.wait_for()
    drop(cat, "data", "research")
    for page in (ann, cat):
        expect(card(page, "data")).to_contain_text("testable, to be signed", timeout=30_000)
        expect(card(page, "data").locator(".runs")).to_have_count(
            0, timeout=30_000
        )  # its process ends after its record


def what_counts_as_success_is_signed_and_research_runs(town: Town) -> None:
    """Nothing is replayed before the product manager has signed what counts as success; then the card moves by itself."""
    cat = town.pages["cat"]
    drop(cat, "data", "research")
    answer = card(cat, "data").locator(".answer-of-gate")
    expect(answer).to_contain_text("The gate to research is closed.")
    expect(answer).to_contain_text("The product manager has not signed what counts as success.")
    ann = town.to("ann", "/projects/bakery/?mine=1")
    card(ann, "data").get_by_role("link").first.click()
    ann.get_by_role("button", name="Sign what counts as success as product manager").click()
    ann.get_by_text("Signed: what counts as success, as product manager.").wait_for()
    card(cat, "research").wait_for()
    drop(cat, "research", "analysis")
    card(cat, "analysis").wait_for(timeout=60_000)


def the_evidence_is_judged_and_everybody_reads_the_verdict(town: Town) -> None:
    """The data scientist judges it from its page; whoever has that page open sees the verdict with its interval appear."""
    ann, cat = town.to("ann", IDEA), town.to("cat", IDEA)
    cat.get_by_role("button", name="Judge the evidence").click()
    for page in (ann, cat):
        page.get_by_role("heading", name="Ship it", exact=True).wait_for()
        told = page.locator('[data-part="verdict"]').inner_text()
        assert re.search(r"Gain a year\s+[\d,]+\sEUR\s+[\d,]+\sto\s[\d,]+,\s95\s%", told), told
        expect(page.get_by_role("heading", name="Locked before research")).to_be_visible()
    page.locator(".plots svg:visible").first.wait_for()
    expect(card(town.pages["eve"], "analysis")).to_contain_text("to be signed")
    expect(card(town.pages["eve"], "analysis").locator(".runs")).to_have_count(0, timeout=30_000)
    say(cat, "None that I found in four hundred days.")
    expect(ann.locator(".comments")).to_contain_text("None that I found")


def a_stakeholder_sees_everything_and_can_do_nothing(town: Town) -> None:
    """The story is there to read; not one button would change it, and what is sent by hand is refused."""
    eve = town.to("eve", IDEA)
    for name in ("Ship it", "Data", "Locked before research", "Sign-offs", "What people say", "What happened"):
        expect(eve.get_by_role("heading", name=name, exact=True)).to_be_visible()
    assert eve.locator("main").get_by_role("button").all_inner_texts() == []
    assert eve.locator("main form").count() == 0
    forged = "one => fetch(one.at, {method: 'POST', body: new URLSearchParams(one.says)}).then(answer => answer.status)"
    before = town.project.records.head()
    for path, says in (
        ("comment", {"text": "Ship it at once"}),
        ("sign", {"gate": "ship", "role": "product manager"}),
        ("edit", {"title": "Mine"}),
        ("run/ship", {}),
        ("override", {"to": "stop", "why": "no"}),
    ):
        answered = eve.evaluate(forged, {"at": f"{town.url}{IDEA}/{path}", "says": says})
        assert answered == 403, path
    assert town.project.records.head() == before


def it_ships_once_the_verdict_is_signed(town: Town) -> None:
    """The gate names who has not signed; after the signature the engineer takes it into shadow."""
    ben = town.to("ben", "/projects/bakery/")
    drop(ben, "analysis", "ship")
    answer = card(ben, "analysis").locator(".answer-of-gate")
    expect(answer).to_contain_text("The gate to ship is closed.")
    expect(answer).to_contain_text("The product manager has not signed the verdict.")
    ann = town.to("ann", IDEA)
    ann.get_by_role("button", name="Sign the verdict as product manager").click()
    ann.get_by_text("Signed: the verdict, as product manager.").wait_for()
    ben.goto(town.url + IDEA)
    ben.get_by_role("button", name="Try it in the shadow").click()
    ben.get_by_role("heading", name="In shadow").wait_for(timeout=60_000)
    expect(ben.get_by_role("heading", name="The replay said: ship it")).to_be_visible()


def it_goes_into_canary_when_the_shadow_has_lasted(town: Town, service: SpareServer) -> None:
    """Too few live days keep the gate closed; after enough of them the engineer takes the step on the rollout's page."""
    live(town, service, STEP - 2)
    ben = read_out(town.to("ben", ROLLOUT))
    expect(ben.get_by_role("button", name="Take idea 2 to canary")).to_be_disabled()
    live(town, service, 2)
    read_out(town.to("ben", ROLLOUT)).get_by_role("button", name="Take idea 2 to canary").click()
    ben.locator(".track .now", has_text="canary").wait_for(timeout=60_000)
    wait_for(service, rollout=rollout_history(town.project, "bakery")[-1].version)


def it_goes_live_on_proof_and_before_four_eyes(town: Town, service: SpareServer) -> None:
    """A proven gain is not enough, nor is the signature of whoever takes the step: another person has to sign."""
    live(town, service, PROOF - STEP)
    ben = read_out(town.to("ben", ROLLOUT))
    expect(ben.locator("main")).to_contain_text("The product manager has not signed that it goes live.")
    sign = "Sign that it goes live as product manager"
    ben.goto(town.url + IDEA)
    ben.get_by_role("button", name=sign).click()
    ben.get_by_text("Signed: that it goes live").wait_for()
    ben.goto(town.url + ROLLOUT)
    read_out(ben).get_by_role("button", name="Take idea 2 to live").click()
    expect(ben.locator(".said-by-job")).to_contain_text("nobody else has signed", timeout=60_000)
    ann = town.to("ann", IDEA)
    ann.get_by_role("button", name=sign).click()
    ann.get_by_text("Signed: that it goes live").wait_for()
    ben.goto(town.url + ROLLOUT)
    read_out(ben).get_by_role("button", name="Take idea 2 to live").click()
    ben.locator(".track .now", has_text="live").wait_for(timeout=60_000)
    wait_for(service, rollout=rollout_history(town.project, "bakery")[-1].version)


def it_is_rolled_back_with_a_reason(town: Town, service: SpareServer) -> None:
    """The release answers until the product manager takes it back; the baseline answers from then on."""
    moves = rollout_history(town.project, "bakery")
    assert live(town, service, 1) == moves[-1].champion != moves[0].champion
    ann = read_out(town.to("ann", ROLLOUT))
    assert ann.get_by_role("button", name="Pause").count() == 0
    ann.get_by_role("button", name="Roll back").click()
    asked = ann.get_by_role("dialog", name="Roll back?")
    asked.get_by_label("Why").fill("The oven is broken")
    asked.get_by_role("button", name="Roll back").click()
    expect(ann.locator(".moved li").first).to_contain_text("The oven is broken", timeout=60_000)
    serves = rollout_history(town.project, "bakery")[-1]
    assert (serves.phase, serves.by, serves.champion) == (Phase.ROLLED_BACK, "ann", moves[0].champion)
    wait_for(service, rollout=serves.version)
    assert live(town, service, 1) == moves[0].champion


def ledger_standup_and_audit_tell_it(town: Town) -> None:
    """What it earned, what moved and why, and who did each step."""
    eve = read_out(town.to("eve", "/projects/bakery/ledger"))
    expect(eve.get_by_role("row", name=TITLE)).to_contain_text("rolled back")
    eve = read_out(town.to("eve", "/projects/bakery/standup"))
    expect(eve.locator("main")).to_contain_text("The oven is broken", timeout=30_000)
    ada = town.to("ada", "/admin/audit")
    rows = [row.split("\t") for row in ada.locator("tbody tr").all_inner_texts()]
    told = {(who.strip(), kind) for _, who, _, _, says, _ in rows for kind in KINDS if says.startswith(kind)}
    assert told >= STEPS, STEPS - told
    ada.get_by_label("Who").fill("eve")
    ada.get_by_role("button", name="Narrow").click()
    ada.wait_for_url("**/admin/audit?by=eve&**")
    expect(ada.locator("tbody")).to_contain_text("eve signed in by password")
    expect(ada.locator("tbody")).to_contain_text("denied to eve from 127.0.0.1: POST /projects/bakery/ideas/2/sign")


KINDS = ("idea", "data", "research", "verdict", "signoff", "comment", "release", "rollout")
STEPS = {
    *(("ann", kind) for kind in ("idea", "comment", "signoff", "rollout")),
    *(("ben", kind) for kind in ("signoff", "release", "rollout")),
    *(("cat", kind) for kind in ("comment", "data", "research", "verdict")),
}


def card(page: Any, stage: str) -> Any:
    """The idea's card in a column."""
    return page.locator(f'.column[data-stage="{stage}"] .idea', has_text=TITLE)


def drop(page: Any, stage: str, onto: str) -> None:
    """Drops the idea's card on a column."""
    card(page, stage).drag_to(page.locator(f'.column[data-stage="{onto}"]'))


def say(page: Any, text: str) -> None:
    """Says something on the page of an idea."""
    page.get_by_label("Say something").fill(text)
    page.get_by_role("button", name="Say it").click()
    page.locator(".comments", has_text=text).wait_for()


def read_out(page: Any) -> Any:
    """Waits until everything that is read behind a page is there."""
    page.locator("#reading[hx-get]").wait_for(state="detached", timeout=60_000)
    return page


def live(town: Town, service: SpareServer, days: int) -> str:
    """So many days are decided by the service, and told what was asked for; gives the release that answered last."""
    answer: dict[str, Any] = {}
    for _ in range(days):
        day = FIRST + timedelta(days=town.days)
        draws = np.random.default_rng(town.days)
        status, answer = service.post("/v1/decide", {"period": day, "rows": [{"bread": bread} for bread in BREADS]})
        assert status == 200, answer
        wait_for(service, shadow=0)
        told = [
            {"day": day, "bread": bread, "demand": int(draws.poisson(mean * BUSY.get(day.weekday(), 1.0)))}
            for bread, mean in BREADS.items()
        ]
        assert service.post("/v1/outcomes", {"rows": told})[0] == 200
        town.days += 1
    return str(answer["release"])


def wait_for(service: SpareServer, **state: object) -> None:
    """Waits until the service has looked at the rollout, or its shadow has caught up."""
    until = monotonic() + 60
    while not state.items() <= service.get("/v1/health")[1].items():
        assert monotonic() < until, f"it did not come to {state}"
        sleep(0.01)
