"""The pages with figures, in a real browser: what they tell, what they let people do, and that nobody waits for them."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterator
from io import StringIO

import pytest

from shipworthy.analysis.gain import Gain
from shipworthy.analysis.money import with_interval
from shipworthy.ideas.register import begin_idea
from tests.board.conftest import ARGS, CHROMIUM
from tests.board.lived import DAYS, lay_lived, live_on
from tests.board.site import REACHES_OUT, Site, serving

expect = pytest.importorskip("playwright.sync_api").expect

pytestmark = pytest.mark.browser

EXPECTED_FAULT = "Failed to load resource: the server responded with a status of"
PAGES = (
    *("problems", "problems/bakery", "rollouts", "rollouts/bakery", "ledger", "programme", "backlog", "standup", "ask"),
    "ask?sql=select+idea,+gain_a_year+from+verdicts&kind=bar",
    "ask?sql=select+1+from+nowhere",
)
EMPTY = ("ledger", "programme", "backlog", "standup")
DARK = tuple(f"/projects/bakery/{path}" for path in ("problems/bakery", "rollouts/bakery", "standup", PAGES[-1]))
WHOLE = ("/programme", "/standup", "/account", "/admin/accounts", "/admin/audit?kind=session")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The lived bakery's server, and chromium."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api")
    folder = tmp_path_factory.mktemp("lived")
    workspace = lay_lived(folder)
    with serving(workspace) as url, sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS.split())
        yield Site(url, workspace, browser)
        browser.close()
    for project in workspace.projects.values():
        project.records.close()
    workspace.records.close()
    shutil.rmtree(folder, ignore_errors=True)


TAB_IN_VIEW = """() => {
    const box = document.querySelector(".places [aria-current]")?.getBoundingClientRect();
    return !box || (box.left >= 0 && box.right <= innerWidth);
}"""


def read_out(page):
    """Waits until everything that is read behind the page is there."""
    page.locator("#reading[hx-get]").wait_for(state="detached", timeout=40_000)


def test_money_that_was_not_read_yet_is_not_called_nothing(site):
    """Before the ledger was read for the first time, pages say of money that it is being read."""
    with site.opened("/static/mark.svg") as page:
        for path in ("problems/bakery", "ledger", "programme/reading", "programme"):
            said = page.request.get(f"{site.url}/projects/bakery/{path}").text()
            assert "nothing yet" not in said, path
            assert "no idea was shipped" not in said, path
        page.goto(f"{site.url}/projects/bakery/programme")
        read_out(page)
        assert page.get_by_text("by 1 shipped idea", exact=True).is_visible()


def test_problem_shows_what_it_knows_at_once_and_the_rest_when_it_was_read(site):
    """What records tell stands there at once; live figures follow by themselves, with plots, tables and findings."""
    with site.opened("/projects/bakery/problems/bakery") as page:
        assert page.get_by_role("heading", name="What the history still grants").is_visible()
        assert page.get_by_text("19 more ideas can be judged on this history").is_visible()
        page.get_by_text("What that rests on").click()
        assert page.get_by_text("1 of 20 planned ideas opened it").is_visible()
        read_out(page)
        assert page.get_by_role("slider", name="Baseline has answered since").is_visible()
        assert page.get_by_role("heading", name="The one idea judged is to ship").is_visible()
        page.get_by_text("The last periods as a table").click()
        row = page.get_by_role("row", name=re.compile("^5 Feb 2026"))
        assert row.inner_text().split("\t")[1:] == ["the release from before", "240.00", "240.00", "282.00"]
        assert page.locator("#h-health").locator("..").locator(".alert").count() >= 1
        assert "shipworthy " not in page.locator(".alerts").inner_text()
        assert page.request.get(page.url + "/health").url == page.url


def test_a_new_outcome_makes_figures_stale_and_old_ones_stay_until_newer_are_there(site):
    """After more days the page still shows the last figures, says that newer ones come, and shows them without being asked."""
    bakery = site.workspace.project("bakery")
    with site.opened("/projects/bakery/rollouts/bakery") as page:
        read_out(page)
        tile = page.locator(".tile", has_text="Live periods").locator("dd").first
        assert tile.inner_text() == str(DAYS)
        assert page.get_by_text(f"too early to say: {DAYS} of at least 28 live periods").is_visible()
        assert page.get_by_role(
            "slider", name=f"A gain so far, too early to call it beyond doubt after {DAYS} live periods"
        ).is_visible()
        live_on(bakery, range(DAYS, DAYS + 7))
        page.reload()
        assert tile.inner_text() == str(DAYS)
        assert page.get_by_text("newer ones are being read").is_visible()
        read_out(page)
        assert tile.inner_text() == str(DAYS + 7)
        enough = f"A gain worth having, beyond doubt after {DAYS + 7} live periods"
        assert page.get_by_role("slider", name=enough).is_visible()
        assert page.locator(".rails, .pairs").count() == 2


def test_pages_are_accessible_in_light_and_dark_and_as_narrow_as_a_phone(site):
    """No page has a serious finding of axe, a word too much on its console, or anything wider than itself."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    paths = [f"/projects/bakery/{path}" for path in PAGES] + [f"/projects/empty/{path}" for path in EMPTY]
    people = [("ben", path) for path in paths] + [("ada", path) for path in WHOLE]
    found = {}
    for login in ("ben", "ada"):
        with site.opened("/static/mark.svg", login) as page:
            for path in (path for who, path in people if who == login):
                page.set_viewport_size({"width": 375, "height": 800})
                page.goto(site.url + path)
                read_out(page)
                assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), (
                    path
                )
                assert page.evaluate(TAB_IN_VIEW), path
                assert page.evaluate(REACHES_OUT) == [], path
                page.set_viewport_size({"width": 1280, "height": 900})
                for look in ("light", "dark") if path in DARK else ("light",):
                    page.evaluate(f"document.documentElement.dataset.look = '{look}'")
                    rules = {} if look == "light" else {"runOnly": ["color-contrast"]}
                    grave = [
                        (one["id"], [node["html"][:160] for node in one["nodes"]][:3])
                        for one in axe.run(page, options=rules).response["violations"]
                        if one["impact"] in ("serious", "critical")
                    ]
                    if grave:
                        found[path, look] = grave
    assert found == {}
    assert [fault for fault in site.faults if EXPECTED_FAULT not in fault] == []


def test_pages_stay_light_and_are_read_without_a_script(site):
    """A page with all its plots weighs less than 150 kB, nothing of it moves while it loads, and no script is needed."""
    moved = (
        "new Promise((done) => { let sum = 0; new PerformanceObserver((seen) => seen.getEntries().forEach((one) => "
        "{ sum += one.value; })).observe({ type: 'layout-shift', buffered: true }); setTimeout(() => done(sum), 500); })"
    )
    with site.opened("/static/mark.svg") as page:
        for path in ("problems/bakery", "rollouts/bakery", "ledger", "programme"):
            answer = page.goto(f"{site.url}/projects/bakery/{path}")
            read_out(page)
            assert len(answer.body()) < 150_000, path
            page.reload()
            assert page.evaluate(moved) < 0.02, path
    with site.opened("/projects/bakery/ledger", java_script_enabled=False) as page:
        assert page.locator("figure svg").count() >= 2
        assert page.get_by_role("heading", name="Idea 1 has earned nothing yet").is_visible()


def test_standup_and_backlog_lead_to_each_idea_and_say_why(site):
    """What waits and what moved is a link, a problem that nobody watches is named, and a reason opens below its idea."""
    with site.opened("/projects/bakery/standup") as page:
        read_out(page)
        assert page.get_by_role("heading", name="Moved in the last day").is_visible()
        risk = page.get_by_role("region", name="At risk")
        assert "No watch runs yet on bakery" in risk.inner_text()
        assert risk.get_by_role("link", name="bakery").get_attribute("href") == "/projects/bakery/problems/bakery"
        waits = page.get_by_role("region", name="Waits for somebody")
        assert waits.get_by_role("heading", name="ML engineer").is_visible()
        assert waits.get_by_role("link", name="Idea 1 (").get_attribute("href") == "/projects/bakery/ideas/1"
        page.goto(f"{site.url}/projects/bakery/backlog?all=1")
        read_out(page)
        reason = page.get_by_text("of ideas at this stage ship and stay").first
        assert not reason.is_visible()
        page.get_by_text("Why here").first.click()
        assert reason.is_visible()


def test_a_project_without_ideas_says_so_once_and_how_to_begin(site):
    """Whoever may write begins from there; whoever only reads is told the same, and offered nothing."""
    for login, offers in (("ben", 1), ("eve", 0)):
        with site.opened("/static/mark.svg", login) as page:
            for path in EMPTY:
                page.goto(f"{site.url}/projects/empty/{path}")
                read_out(page)
                assert page.locator(".empty").count() == 1, path
                assert page.locator("main .card").count() == 0, path
                assert page.get_by_role("link", name="Write the first idea").count() == offers, path


def test_ledger_is_taken_along(site):
    """As CSV, as JSON and as the page that stakeholders read, all with the figures of the page."""
    with site.opened("/projects/bakery/ledger", "eve") as page:
        read_out(page)
        told = page.request.get(f"{site.url}/projects/bakery/ledger.csv").text()
        [row] = csv.DictReader(StringIO(told))
        [line] = page.request.get(f"{site.url}/projects/bakery/ledger.json").json()
        assert float(row["realised_gain"]) == line["realised"]["gain"]
        amount, ends = with_interval(Gain(**line["realised"]), "EUR", 0.0)
        shown = page.get_by_role("table").first.inner_text()
        assert amount in shown
        assert ends in shown
        assert "Forecast against" not in told
        assert "<h2>All lines</h2>" in page.request.get(f"{site.url}/projects/bakery/ledger.html").text()


def test_questions_are_asked_drawn_saved_and_refused_with_their_place(site):
    """Ctrl+Enter asks; the answer is a table, a plot and CSV; a mistake is shown where it is; saved questions stay."""
    with site.opened("/projects/bakery/ask", "ben") as page:
        page.get_by_label("Your question, in SQL").fill("select idea, gain_a_year from verdicts where newest")
        page.get_by_label("Show as").select_option("bar")
        page.keyboard.press("Tab")
        page.get_by_label("Your question, in SQL").press("Control+Enter")
        page.get_by_role("heading", name="1 row").wait_for()
        assert page.locator("td").first.evaluate("cell => getComputedStyle(cell).textAlign") == "right"
        page.get_by_role("slider", name="gain_a_year by idea").wait_for()
        page.goto(
            f"{site.url}/projects/bakery/ask?kind=points&sql=select+unit,+period,+value_champion+from+evidence+limit+9"
        )
        page.get_by_role("slider", name="value_champion by period").wait_for()
        page.goto(f"{site.url}/projects/bakery/ask?kind=line&sql=select+decision+from+verdicts")
        assert page.get_by_text("it cannot be drawn upwards").is_visible()
        assert page.get_by_role("cell", name="ship").first.is_visible()
        page.goto(f"{site.url}/projects/bakery/ask?sql=select+idea,+gain_a_year+from+verdicts+where+newest")
        taken = page.request.get(site.url + page.get_by_role("link", name="CSV").get_attribute("href")).text()
        assert taken.splitlines()[0] == "idea,gain_a_year"

        page.get_by_role("button", name="Save the question").click()
        page.get_by_label("Name", exact=True).fill("gains")
        page.get_by_label("What it tells").fill("What each idea gains.")
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("link", name="gains", exact=True).wait_for()

        page.get_by_label("Your question, in SQL").fill("select idea,\n gian_a_year from verdicts")
        page.get_by_role("button", name="Ask", exact=True).click()
        assert "LINE 2" in page.get_by_role("alert").inner_text()
        assert "gian_a_year" in page.get_by_label("Your question, in SQL").input_value()
    with site.opened("/projects/bakery/ask", "eve") as page:
        assert page.get_by_text("eve may not ask").is_visible()


def test_wide_answers_stay_low_and_lists_fit_a_phone(site):
    """A long text in an answer folds; on a phone the figures of a list stand below one another, and none beside the page."""
    wide = "ask?sql=select+repeat('long+',+400)+as+words,+repeat('x',+400)+as+word,+1+as+number"
    with site.opened(f"/projects/bakery/{wide}", "ben") as page:
        assert page.locator("tbody tr").first.bounding_box()["height"] < 200
        page.locator("tbody summary").first.click()
        assert "long long" in page.locator("tbody details[open]").inner_text()
    for path in ("projects/bakery/backlog", "projects/bakery/ledger", "admin/audit"):
        with site.opened(f"/{path}", "ada" if path.startswith("admin") else "ann") as page:
            page.set_viewport_size({"width": 375, "height": 800})
            read_out(page)
            assert page.locator(".stacks td[data-label]").count() > 0, path
            assert page.evaluate(
                "[...document.querySelectorAll('.scroll')].every(e => e.scrollWidth <= e.clientWidth)"
            ), path


def test_admins_keep_accounts_and_read_the_audit(site):
    """An admin gives roles, shuts somebody out and lets them in, and finds all of it in the audit; nobody else gets there."""
    with site.opened("/account", "ben") as page:
        assert page.goto(f"{site.url}/admin/accounts").status == 403
    with site.opened("/admin/accounts", "ada") as page:
        eve = page.locator(".accounts li", has=page.get_by_text("eve", exact=True))
        eve.get_by_text("Roles and password").click()
        eve.get_by_role("group", name="food").get_by_label("analyst").check()
        eve.get_by_role("button", name="Keep these roles").click()
        assert "analyst, stakeholder" in eve.inner_text()
        eve.get_by_role("button", name="Shut out").click()
        eve.get_by_role("dialog").get_by_role("button", name="Shut out").click()
        assert "disabled" in eve.inner_text()
        eve.get_by_role("button", name="Let in again").click()
        page.goto(f"{site.url}/admin/audit")
        page.get_by_label("Kind of record").select_option("account")
        page.get_by_label("Who").fill("ada")
        page.get_by_role("button", name="Narrow").click()
        assert page.locator("tbody tr").count() == 3
        taken = page.request.get(site.url + page.get_by_role("link", name="Export").get_attribute("href")).text()
        assert len(taken.splitlines()) == 3


def test_an_idea_in_a_trial_says_where_it_stands_and_leads_to_its_evidence(site):
    """Nothing is called open that is not known to be; the verdict is quiet, and why it was moved is said once."""
    with site.opened("/projects/bakery/ideas/1", "ben") as page:
        assert "gate is open" not in page.locator("main").inner_text()
        due = page.locator('[data-part="next"]')
        assert due.get_by_role("heading").inner_text() == "In shadow"
        assert due.get_by_role("button", name="Ask for the next step").is_visible()
        assert page.get_by_role("heading", name="The replay said: ship it").is_visible()
        assert page.locator('[data-part="override"]').count() == 0
        assert page.locator("main").inner_text().count("The release decides as the replay did on 10 periods.") == 1
        due.get_by_role("link", name="Open the rollout").click()
        page.wait_for_url("**/rollouts/bakery")


def test_a_rollback_says_what_will_happen_wants_a_reason_and_is_told_of(site):
    """Who only reads has no buttons; the product manager is told what happens, says why, and the page and the standup tell it."""
    with site.opened("/projects/bakery/rollouts/bakery", "eve") as page:
        assert page.locator(".buttons button").count() == 0
    with site.opened("/projects/bakery/rollouts/bakery", "ann") as page:
        read_out(page)
        assert page.get_by_role("button", name="Pause").count() == 0
        page.get_by_role("button", name="Roll back").click()
        dialog = page.get_by_role("dialog", name="Roll back?")
        assert "The baseline answers again" in dialog.inner_text()
        dialog.get_by_label("Why").fill("The baker is ill")
        dialog.get_by_role("button", name="Roll back").click()
        page.get_by_text("Rollback").first.wait_for()
        expect(page.locator(".strip")).to_have_count(0, timeout=30_000)
        expect(page.locator(".track .now")).to_have_count(0)
        expect(page.locator(".track .done")).to_have_count(0)
        assert page.locator(".track .over").inner_text() == "rolled back"
        assert "The baker is ill" in page.locator(".moved li").first.inner_text()
        assert "by ann" in page.locator(".moved li").first.inner_text()
        page.goto(f"{site.url}/projects/bakery/standup")
        page.get_by_text("was rolled back for bakery. The baker is ill").wait_for(timeout=20_000)
        page.goto(f"{site.url}/projects/bakery/")
        expect(page.locator("#card-1")).to_be_visible()
        expect(page.locator("#card-1 .ask")).to_have_count(0)
        page.goto(f"{site.url}/projects/bakery/ideas/1")
        assert "The baker is ill" in page.locator('[data-part="next"]').inner_text()
        assert page.locator(".walk .over").inner_text().split("\n") == ["Ship", "rolled back"]
        assert page.get_by_role("heading", name="The replay said: ship it").count() == 0
        page.get_by_text("What the replay said, before it was tried live").click()
        assert page.get_by_role("heading", name="The replay said: ship it").is_visible()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nowhere", 404),
        ("problems/none", 404),
        ("rollouts/none", 404),
        ("ledger.pdf", 404),
        ("standup?since=ever", 404),
        ("ask?saved=none", 404),
        ("problems/bakery/reading?seen=%00", 200),
    ],
)
def test_what_is_not_there_is_said_on_a_page(site, path, status):
    """An address that there is not, or that says nonsense, gives a page with what to do next."""
    with site.opened("/static/mark.svg", "ben") as page:
        answer = page.goto(f"{site.url}/projects/bakery/{path}")
        assert answer.status == status
        if "reading" not in path:
            assert "bakery" in page.locator(".switcher summary").inner_text()


def test_ideas_that_name_no_problem_are_counted_beside_the_problems(site):
    """They make no card of a problem without a name, and no name among those that there are."""
    begin_idea(site.workspace.project("bakery").acting("ann"), {"title": "Bake for whoever comes late"})
    with site.opened("/projects/bakery/problems", "ben") as page:
        assert page.locator(".card.project").count() == 1
        assert page.get_by_role("link", name="1 idea names no problem yet").is_visible()
        page.goto(f"{site.url}/projects/bakery/problems/nowhere")
        assert page.get_by_text("There is: bakery.").is_visible()
