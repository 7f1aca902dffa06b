"""The board in a real browser, with people of three roles: what they see, what they may, and what its gates answer."""

from __future__ import annotations

import re
from typing import Any

import pytest

from shipworthy.analysis.decision import Decision
from shipworthy.analysis.override import ask_override
from shipworthy.ideas.edit import edit_idea
from shipworthy.ideas.register import begin_idea
from tests.board.site import REACHES_OUT

expect = pytest.importorskip("playwright.sync_api").expect

pytestmark = pytest.mark.browser

EXPECTED_FAULT = "Failed to load resource: the server responded with a status of"
"""What a browser says of every refusal that a page asked for."""


def in_column(page, stage, title):
    """The card of a title in a column."""
    return page.locator(f'.column[data-stage="{stage}"] .idea', has_text=title)


def test_pages_are_accessible_in_light_and_dark_and_as_narrow_as_a_phone(site):
    """No page has a serious finding of axe, a word too much on its console, or anything wider than itself."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    pages = ["/", "/projects/bakery/", "/projects/crowd/", "/projects/crowd/?stage=data", "/projects/empty/",
             "/projects/bakery/ideas/1", "/projects/bakery/ideas/2", "/projects/bakery/ideas/2/edit",
             "/projects/crowd/ideas/new", "/projects/crowd/ideas/1", "/projects/nowhere/"]  # fmt: skip
    found = {}
    with site.opened("/") as page:
        for path in pages:
            page.set_viewport_size({"width": 375, "height": 800})
            page.goto(site.url + path)
            if path == "/projects/bakery/ideas/1":
                page.locator(".plots svg:visible").first.wait_for()
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
            assert page.evaluate(REACHES_OUT) == [], path
            page.set_viewport_size({"width": 1280, "height": 900})
            assert page.evaluate(REACHES_OUT) == [], path
            for look in ("light", "dark"):
                page.evaluate(f"document.documentElement.dataset.look = '{look}'")
                violations = axe.run(page).response["violations"]
                grave = [
                    (one["id"], [node["html"][:120] for node in one["nodes"]][:3])
                    for one in violations
                    if one["impact"] in ("serious", "critical")
                ]
                if grave:
                    found[path, look] = grave
    assert found == {}
    assert [fault for fault in site.faults if EXPECTED_FAULT not in fault] == []


def test_first_page_is_light_however_many_ideas_there_are(site):
    """Columns show the newest ten ideas, everything together weighs less than 150 kB, and the rest is one press away."""
    answers: list[Any] = []
    with site.opened("/static/mark.svg") as page:
        page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - a bound method cannot be marked
        page.goto(site.url + "/projects/crowd/", wait_until="load")
        weights = {answer.url: len(answer.body()) for answer in answers if "/feed" not in answer.url}
        assert len(weights) >= 5
        assert sum(weights.values()) <= 150_000
        column = page.locator('.column[data-stage="data"]')
        assert column.locator(".idea").count() == 10
        assert column.locator(".count").inner_text() == "50"
        column.get_by_role("link", name="More: 40 older").click()
        expect(column.locator(".idea")).to_have_count(50)
        assert page.get_by_role("heading", name='<script>alert("x")</script> & co').count() == 1


def test_pages_are_printed_light_without_what_is_pressed(site):
    """Whatever the look on the screen, paper is white; the board fits its width, and no form or button stands there."""
    with site.opened("/projects/bakery/", color_scheme="dark", viewport={"width": 794, "height": 1123}) as page:
        for path in ("/projects/bakery/", "/projects/bakery/ideas/1"):
            page.goto(site.url + path)
            page.evaluate("document.documentElement.dataset.look = 'dark'")
            page.emulate_media(media="print")
            assert (
                page.locator(".card").first.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"
            )
            assert page.locator("main :is(form, button):visible").count() == 0
            wide = "[...document.querySelectorAll('main, .board')].every(one => one.scrollWidth <= one.clientWidth)"
            assert page.evaluate(wide), path
            page.emulate_media(media="screen")


def test_card_page_and_verdict_say_the_same_money(site):
    """One gain is rounded once: the card, the page's figures, its lead and the reason on record all say it alike."""
    with site.opened("/projects/bakery/") as page:
        amount = in_column(page, "analysis", "Bake for the weekday").locator(".worth strong").inner_text()
        assert re.fullmatch(r"[\d,]+\sEUR", amount)
        page.goto(f"{site.url}/projects/bakery/ideas/1")
        verdict = page.locator('[data-part="verdict"]')
        assert verdict.locator(".tile dd").first.inner_text() == amount
        assert amount in verdict.locator(".lead").inner_text()
        told = page.locator('[data-part="happened"]').inner_text()
        assert f"earns {amount} a year".replace("\xa0", " ") in told
        hoped = page.locator('[data-part="idea"]').inner_text()
        assert "20\xa0EUR a period, from 5 to 60" in hoped


def test_a_page_has_a_button_or_says_whom_it_waits_for_and_never_what_to_type(site):
    """Where a gate waits, whoever may act finds the button beside it; who may not reads who may."""
    with site.opened("/projects/bakery/ideas/1", "ann") as page:
        due = page.locator('[data-part="next"]')
        assert due.get_by_role("button", name="Sign the verdict as product manager").is_visible()
        assert "shipworthy" not in due.inner_text()
    with site.opened("/projects/crowd/ideas/2", "ann") as page:
        due = page.locator('[data-part="next"]')
        assert due.get_by_role("button").count() == 0
        who = "an analyst, data scientist, ML engineer or software engineer"
        assert f"It waits for {who} to examine the data." in due.inner_text()
        assert "shipworthy" not in due.inner_text()


def test_a_project_without_ideas_says_what_a_problem_is_and_how_to_begin(site):
    """The page of its problems names those that its code declares, and the way to the first idea."""
    with site.opened("/projects/empty/problems", "ann") as page:
        said = page.locator("main").inner_text()
        assert "No idea is about a problem yet" in said
        assert "This project declares bakery" in said
        page.get_by_role("link", name="Write the first idea").click()
        page.get_by_role("heading", name="New idea").wait_for()


def test_filters_stay_in_the_address_and_count(site):
    """What is typed filters at once, the address can be sent to others, and without a script the form does the same."""
    with site.opened("/projects/crowd/") as page:
        page.get_by_label("Words in an idea").fill("vans twice")
        page.wait_for_url("**/?text=vans+twice")
        expect(page.locator(".idea")).to_have_count(1)
        page.get_by_label("Words in an idea").fill("zzz")
        page.get_by_text("No idea matches").wait_for()
        assert page.get_by_role("link", name="Show everything").is_visible()
        page.get_by_label("Words in an idea").fill("")
        page.get_by_label("Owner").select_option("ben")
        page.wait_for_url("**/?owner=ben")
    with site.opened("/projects/crowd/", java_script_enabled=False) as page:
        page.get_by_label("Words in an idea").fill("vans")
        page.get_by_role("button", name="Show").click()
        assert page.url.endswith("?text=vans&owner=&problem=")
        assert page.locator(".idea h3").all_inner_texts() == ["🚚 Vans 🥐 twice"]


def test_dropping_a_card_asks_the_gate_which_says_what_it_misses(site):
    """A card that is dropped on the next column stays where it is and shows every gap; nothing passes two gates at once."""
    with site.opened("/projects/bakery/") as page:
        card = in_column(page, "idea", "Bake by the weather")
        card.drag_to(page.locator('.column[data-stage="data"]'))
        answer = card.locator(".answer-of-gate")
        answer.wait_for()
        assert "The gate to data is closed." in answer.inner_text()
        assert "The idea has no challenger." in answer.inner_text()
        assert "gate to data is closed" in page.locator("#news").inner_text()
        assert page.locator('.column[data-stage="data"] .idea', has_text="Bake by the weather").count() == 0

        card.drag_to(page.locator('.column[data-stage="ship"]'))
        card.get_by_text("Ideas pass one gate at a time").wait_for()


def test_dropping_a_card_starts_the_work_and_the_card_moves_by_itself(site):
    """Who may not examine data is told so; for who may, the verb runs, and the card moves in every open browser."""
    with site.opened("/projects/bakery/", "eve") as page:
        in_column(page, "data", "Bake by the weekday").drag_to(page.locator('.column[data-stage="research"]'))
        page.get_by_text("eve may not examine").first.wait_for()
    with site.opened("/projects/bakery/", "ben") as mine, site.opened("/projects/bakery/", "ann") as theirs:
        theirs.evaluate("window.isTheSame = true")
        in_column(mine, "data", "Bake by the weekday").drag_to(mine.locator('.column[data-stage="research"]'))
        for page in (mine, theirs):
            in_column(page, "research", "Bake by the weekday").wait_for()
        expect(theirs.locator("#news")).to_contain_text("testable, in research")
        assert theirs.evaluate("window.isTheSame")
        assert theirs.locator('.column[data-stage="research"] .count').inner_text() == "1"


def test_keyboard_walks_the_board_and_asks(site):
    """Arrow keys go from card to card and from column to column; the button that asks is the next stop, and focus stays."""
    with site.opened("/projects/bakery/") as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
        in_column(page, "idea", "Bake by the weather").locator("h3 a").focus()
        page.keyboard.press("ArrowRight")
        titles = "document.activeElement.closest('.idea').querySelector('h3').textContent.trim()"
        assert page.evaluate(titles) != "Bake by the weather"
        page.keyboard.press("ArrowLeft")
        assert page.evaluate(titles) == "Bake by the weather"
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        in_column(page, "idea", "Bake by the weather").locator(".answer-of-gate").wait_for()
        assert page.evaluate("document.activeElement.matches('.ask')")


def test_new_idea_is_written_with_advice_while_one_types(site):
    """What is missing and what was tried before stand beside the form, and what was written becomes a card everywhere."""
    with site.opened("/projects/bakery/") as board, site.opened("/projects/bakery/ideas/new") as page:
        advice = page.locator("#advice")
        assert advice.inner_text() == "It begins with what you type."
        page.get_by_label("Title").fill("Bake by the weekdays")
        advice.get_by_text("It does not say what would be worth shipping.").wait_for()
        advice.get_by_role("link", name="Idea 3").wait_for()
        assert "says nearly the same" in advice.inner_text()
        page.get_by_label("Worth shipping from").fill("much")
        advice.get_by_text("Worth shipping from must be").wait_for()
        page.get_by_role("button", name="Write it down").click()
        page.get_by_role("alert").wait_for()
        assert page.get_by_label("Title").input_value() == "Bake by the weekdays"

        page.get_by_label("Worth shipping from").fill("2,000")
        page.get_by_role("button", name="Write it down").click()
        page.get_by_role("heading", name="Bake by the weekdays").wait_for()
        assert re.search(r"Idea \d+ is written down", page.locator("#said").inner_text())
        in_column(board, "idea", "Bake by the weekdays").wait_for()


def test_two_people_who_edit_at_once_lose_nothing(site):
    """Who comes second is shown both, keeps what was typed, and can write it down knowing what it replaces."""
    path = "/projects/bakery/ideas/2"
    with site.opened(path, "ann") as page, site.opened(path, "ben") as theirs:
        page.get_by_role("link", name="Edit").click()
        page.get_by_label("Change").fill("Bake less when it rains")
        edit_idea(site.workspace.project("bakery").acting("ben"), 2, {"change": "Bake more when it shines"})
        theirs.locator(".said-so", has_text="Bake more when it shines").wait_for()
        page.get_by_role("button", name="Write it down").click()

        page.get_by_role("alert").wait_for()
        assert page.get_by_label("Change").input_value() == "Bake less when it rains"
        assert page.get_by_text("It says now: Bake more when it shines").is_visible()
        page.get_by_role("button", name="Write it down").click()
        page.locator(".said-so", has_text="Bake less when it rains").wait_for()
        theirs.locator(".said-so", has_text="Bake less when it rains").wait_for()


def test_idea_tells_its_whole_story_and_a_signature_opens_its_gate(site):
    """Verdict, plots, data, lock and history stand on one page; the product manager signs there, and what follows is shipping."""
    with site.opened("/projects/bakery/ideas/1", "ann") as page:
        for name in ("Ship it", "Data", "Locked before research", "The idea", "What happened", "What people say"):
            assert page.get_by_role("heading", name=name, exact=True).is_visible(), name
        page.locator(".plots svg:visible").nth(2).wait_for()
        assert page.get_by_text("The product manager has not signed the verdict.").is_visible()
        page.goto(f"{site.url}/projects/bakery/?mine=1&stage=analysis")
        page.locator(".idea h3 a").click()
        page.get_by_label("Say something").fill("Let us begin with one shop.")
        page.get_by_role("button", name="Say it").click()
        page.locator(".comments", has_text="Let us begin with one shop.").wait_for()
        page.get_by_role("button", name="Sign the verdict as product manager").click()
        page.get_by_text("signed as product manager, for ship").wait_for()
        assert page.locator(".walk .now").inner_text().split() == ["Ship", "ready", "to", "try", "live"]
        assert page.get_by_role("heading", name="Ready to be tried live").is_visible()

        page.goto(f"{site.url}/projects/bakery/ideas/1/report")
        assert page.get_by_role("heading", name="Ship it").is_visible()


def test_a_second_person_agrees_to_an_override_where_it_is_due_and_the_idea_is_stopped(site):
    """What waits for the second person stands on top with its button; from then on the verdict is what the replay said."""
    bakery = site.workspace.project("bakery")
    ask_override(bakery.acting("ben"), 1, Decision.STOP, "The oven is sold")
    with site.opened("/projects/bakery/ideas/1", "eve") as page:
        assert "It waits for" in page.locator('[data-part="next"]').inner_text()
        assert page.get_by_role("button", name="Agree, as the second person").count() == 0
    with site.opened("/projects/bakery/ideas/1", "ann") as page:
        due = page.locator('[data-part="next"]')
        assert "ben asked to stop instead" in due.inner_text()
        due.get_by_role("button", name="Agree, as the second person").click()
        page.get_by_role("heading", name="Stopped").wait_for()
        assert page.get_by_role("heading", name="The replay said: ship it").is_visible()
        assert "What is different next time needs a new idea." in due.inner_text()
        assert page.locator("main").inner_text().count("ann agreed on") == 1


def test_what_happened_in_one_instant_is_told_newest_first(site, monkeypatch, tmp_path):
    """Records of the same instant stand in the order in which they were written, the last one on top."""
    (tmp_path / "clock").write_text("2026-01-05T12:00:00Z")
    monkeypatch.setenv("SHIPWORTHY_CLOCK", str(tmp_path / "clock"))
    empty = site.workspace.project("empty").acting("ann")
    idea = begin_idea(empty, {"title": "Bake at night"})
    edit_idea(empty, idea.number, {"because": "Ovens are free"})
    monkeypatch.delenv("SHIPWORTHY_CLOCK")
    with site.opened(f"/projects/empty/ideas/{idea.number}") as page:
        told = page.locator(".happened li > p:first-child").all_inner_texts()
        assert told == ["ann edited it", "ann began it"]


def test_everything_can_be_read_and_posted_without_a_script(site):
    """A browser without scripts writes an idea, reads its advice, asks a gate and chooses the dark, by forms alone."""
    with site.opened("/projects/empty/ideas/new", java_script_enabled=False) as page:
        page.get_by_label("Title").fill("Bake twice")
        page.get_by_role("button", name="Look at the advice").click()
        assert page.get_by_text("The idea names no problem.").is_visible()
        page.get_by_role("button", name="Write it down").click()
        assert page.get_by_role("heading", name="Bake twice").is_visible()
        page.goto(f"{site.url}/projects/empty/")
        page.get_by_role("button", name="Ask to move idea 1 on").click()
        assert "The gate to data is closed." in page.locator("#said").inner_text()
        page.get_by_role("button", name="Turn the page dark").click()
        assert page.evaluate("document.documentElement.dataset.look") == "dark"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/projects/bakery/ideas/999", 404),
        ("/projects/bakery/ideas/999/report", 404),
        ("/projects/bakery/jobs/none", 404),
        ("/nowhere", 404),
        ("/projects/bakery/?stage=elsewhere&text=%00&mine=x", 200),
    ],
)
def test_what_is_not_there_is_said_on_a_page(site, path, status):
    """An address that there is not, or that says nonsense, gives a page in the frame with what to do next."""
    with site.opened("/projects/empty/") as page:
        answer = page.goto(site.url + path)
        assert answer.status == status
        assert page.get_by_role("link", name="shipworthy").is_visible()
