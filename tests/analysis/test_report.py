"""The report: every figure is the verdict's, nothing in it can run or load, and it says what to do."""

from __future__ import annotations

import contextlib
import itertools
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from shipworthy.analysis import Criteria
from shipworthy.analysis.analyse import read_analysis
from shipworthy.analysis.decision import Decision
from shipworthy.analysis.gain import Gain
from shipworthy.analysis.money import figure, step_for, step_of
from shipworthy.analysis.override import ask_override, second_override
from shipworthy.analysis.report import assumed, data_facts
from shipworthy.analysis.report.data_page import write_data_page
from shipworthy.analysis.report.page import render_report
from shipworthy.analysis.report.story import tell_story
from shipworthy.analysis.report.write import write_report
from shipworthy.analysis.wording import amount
from shipworthy.errors import GateClosedError, UnavailableError
from shipworthy.project import open_project
from shipworthy.research.regret import Regret
from shipworthy.store import Change
from tests.series import clear_gain, evidence

YEARLY = Criteria(units_per_year=1460.0)
NOISE = np.random.default_rng(11).normal(0.1, 4.0, size=(90, 4))
SHORT = clear_gain(periods=12)
FRAMES = {
    "ship": (clear_gain(), YEARLY, "Ship it"),
    "stop": (-clear_gain(), YEARLY, "Do not ship it"),
    "disproved": (clear_gain(), Criteria(min_effect=5.0, units_per_year=1460.0), "Do not ship it"),
    "inconclusive": (NOISE, Criteria(min_effect=0.05, units_per_year=1460.0), "Not decided yet"),
    "one unit": (clear_gain(units=1), YEARLY, "Ship it"),
    "200 units": (clear_gain(units=200), YEARLY, "Ship it"),
    "no interval": (SHORT, YEARLY, "Not decided yet"),
    "numbered periods": (clear_gain(), YEARLY, "Ship it"),
    "nothing but zeros": (np.zeros((60, 2)), YEARLY, "Not decided yet"),
}


def text_of(page: str) -> str:
    """Returns what a reader sees: no tags, no style, blanks as blanks."""
    body = re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


class Outline(HTMLParser):
    """The tags of a page, in order, with their attributes."""

    def __init__(self, page: str) -> None:
        """Reads the page."""
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps a tag."""
        self.tags.append((tag, dict(attrs)))

    def count(self, tag: str) -> int:
        """Counts a tag."""
        return sum(name == tag for name, _ in self.tags)


@pytest.fixture(scope="module")
def page(walked_once, tmp_path_factory):
    """The page of the walked bakery, as it stands in its file."""
    project = open_project(Path(shutil.copytree(walked_once, tmp_path_factory.mktemp("page") / "bakery")))
    [path] = write_report(project, 1)
    project.records.close()
    return path.read_text(encoding="utf-8")


@pytest.fixture
def page_file(page, tmp_path):
    """A file of that page which the test may change."""
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    return path


REGRET = {
    "champion": Regret(
        oracle="known", periods=100, unpriced=0, earned=80_000.0, prediction=15_000.0, optimisation=6_000.0,
        infeasibility=-1_000.0,
    ),
    "challenger": Regret(
        oracle="known", periods=100, unpriced=0, earned=80_000.0, prediction=9_000.0, optimisation=0.0, infeasibility=0.0,
    ),
}  # fmt: skip


def hold_against_foresight(project, regret=REGRET):
    """Puts a regret on record, as if the problem had an oracle."""
    record = project.records.get("research", "0001")
    found = {role: one.to_dict() for role, one in regret.items()}
    project.records.add(Change(kind="research", key="0001", body={**record.body, "regret": found}), by="tester")


def test_regret_is_told_in_shares_and_by_what_it_was_lost_to(walked):
    """What each policy keeps of the oracle's money, the three parts per period, and a word about one below zero."""
    hold_against_foresight(walked)
    says = text_of(render_report(tell_story(walked, 1))).replace("\N{NO-BREAK SPACE}", " ")

    assert "Of the 800 EUR a day that perfect foresight would have earned, what runs today earned 75.0 %" in says
    assert "Champion: 150 EUR a day because what would happen was not known, 60 EUR a day because the optimiser" in says
    assert "Challenger: 90.0 EUR a day because what would happen was not known. A part below zero is luck" in says
    assert "champion 200.00 150.00 60.00 \N{MINUS SIGN}10.00 25.0 % 100" in says
    assert "challenger 90.00 90.00 0.00 0.00 11.2 % 100" in says


def test_regret_to_an_oracle_that_earned_nothing_is_a_table_alone(walked):
    """There is no share of nothing, and no plot of it."""
    hold_against_foresight(walked, {role: replace(one, earned=0.0) for role, one in REGRET.items()})
    page = render_report(tell_story(walked, 1))
    assert "that perfect foresight would have earned" not in page
    assert "no gain" in text_of(page)


SOLVER = {
    "solver": "HiGHS 1.14.0", "decisions": 250, "periods": 267, "optimal": 0.96, "limit_kind": "time",
    "median_gap": 0.0012, "worst_gap": 0.034, "median_seconds": 0.2,
}  # fmt: skip
NOISE_FOUND = {
    "champion": 0.0, "challenger": 5.4, "difference": 5.4, "share": 0.41, "narrowing": 0.23, "advice": "More would help.",
}  # fmt: skip


HOLDOUT = {
    "holdout": {"first": "2026-01-01", "last": "2026-02-04", "periods": 35},
    "explored": {
        "first": "2025-05-14", "last": "2025-12-24", "periods": 225, "champion": 200.0, "challenger": 250.5,
        "difference": 50.5, "currency": "EUR",
    },
}  # fmt: skip


def replayed_with(project, **found):
    """Puts more on record of the replay, as if another problem had been replayed."""
    record = project.records.get("research", "0001")
    project.records.add(Change(kind="research", key="0001", body={**record.body, **found}), by="tester")


def test_a_plain_replay_grows_no_empty_sections(page):
    """Without a solver, repetitions, a search or a holdout, the page does not speak of them."""
    says = text_of(page)
    for heading in ("solvers", "windows"):
        assert f'id="{heading}"' not in page
    for word in ("seeds", "Candidates", "holdout", "sealed"):
        assert word not in says


def test_solvers_are_told_with_gap_limit_and_seconds(walked):
    """A row for each policy that has one, the champion first, whatever order the record has."""
    replayed_with(walked, solvers={"challenger": SOLVER, "champion": {**SOLVER, "median_gap": None, "worst_gap": None}})
    says = text_of(render_report(tell_story(walked, 1)))
    row = "HiGHS 1.14.0 250; 267 96%"
    assert f"champion {row} none none time 0.2 challenger {row} 0.12% 3.40% time 0.2 " in says
    replayed_with(walked, solvers={"champion": None, "challenger": SOLVER})
    assert f"champion {row}" not in text_of(render_report(tell_story(walked, 1)))


def test_solver_noise_stands_on_the_first_screen_with_its_advice(walked):
    """The product manager reads how much is chance, the engineer how far each policy's money moves."""
    replayed_with(walked, noise=NOISE_FOUND, repetitions=5, looks={"champion": 0, "challenger": 1200})
    says = text_of(render_report(tell_story(walked, 1))).replace("\N{NO-BREAK SPACE}", " ")
    sentence = (
        "Replayed under 5 seeds: 41.0 % of what makes the mean gain uncertain is the solvers' chance. More would help."
    )
    assert says.index(sentence) < says.index("What the history shows")
    assert "over 5 repetitions Champion 0 EUR a day Challenger 5.40 EUR a day Difference between them 5.40 EUR" in says
    assert "Candidates that the challenger tried 1,200" in says
    assert "Candidates that the champion" not in says


def test_the_report_and_the_data_page_say_the_same_of_the_data(walked, page):
    """Coverage, contract, proof and power: the very same facts in both."""
    report, data = text_of(page), text_of(write_data_page(walked, 1).read_text(encoding="utf-8"))
    story = tell_story(walked, 1)
    facts = [
        *data_facts.contract(story.data, story.problem),
        *data_facts.leaks(story.data),
        *data_facts.power(story.data),
    ]
    assert len(facts) == 8
    for name, fact in facts:
        assert f"{name} {fact}" in report
        assert f"{name} {fact}" in data


def test_every_figure_is_the_one_of_the_verdict(walked, page):
    """Gain, interval, guardrails, digests: what the page says is what the records hold."""
    record = walked.records.get("verdict", "0001")
    found = read_analysis(record)
    says = text_of(page)

    for gain in (found.verdict.per_period(), found.verdict.per_year()):
        assert f"{gain.gain:,.2f} {gain.low:,.2f} {gain.high:,.2f}" in says
    for rail in found.verdict.guardrails:
        assert f"{rail.name.replace('_', ' ')} {rail.state} " in says
    for reason in (*found.verdict.reasons, *found.verdict.notes, found.verdict.exposure.sentence):
        assert reason in says
    for address in (found.evidence, found.code, walked.records.get("idea", "0001").body["lock"]["digest"]):
        assert address in says
    assert all(f"shipworthy {verb} 1" in says for verb in ("data", "research", "analyse"))


def test_headline_is_the_rounded_gain_of_a_year(walked, page):
    """What the product manager reads first lies within one rounding step of the verdict."""
    found = read_analysis(walked.records.get("verdict", "0001")).verdict.per_year()
    says = text_of(page)
    gain, low, high = re.search(r"Gain a year ([\d,]+) EUR ([\d,]+) to ([\d,]+), 95 % interval", says).groups()
    step = step_for(found, 0.0, 1825.0)

    for shown, exact in ((gain, found.gain), (low, found.low), (high, found.high)):
        assert float(shown.replace(",", "")) == pytest.approx(exact, abs=step / 2.0)


def test_sums_of_the_plots_add_up_to_the_verdict(walked, page):
    """The line ends at, and the units sum to, the mean gain times the pairs."""
    story = tell_story(walked, 1)
    total = story.verdict.gain * story.verdict.exposure.pairs

    assert story.course["total"][-1] == pytest.approx(total)
    assert story.units["total"].sum() == pytest.approx(total)
    assert story.course.height == story.verdict.exposure.periods
    assert f"{figure(total, 100.0)}\N{NO-BREAK SPACE}EUR in {story.course.height} days" in page


@pytest.mark.parametrize("case", FRAMES)
def test_every_kind_of_verdict_has_a_page(walked, judge, case):
    """Whatever the evidence shows, the page says so, and has a word, an icon and a colour for it."""
    differences, criteria, headline = FRAMES[case]
    periods = range(60) if case == "numbered periods" else None
    found = judge(evidence(differences, periods), criteria)
    page = render_report(tell_story(walked, 1))

    assert re.search(rf'class="answer"[^>]*><svg class="icon".*?</svg>\s*{headline}', page, flags=re.DOTALL)
    assert f'class="verdict {found.verdict.decision}"' in page
    assert "nan" not in text_of(page).lower().split()
    assert "inf" not in text_of(page).lower().split()
    assert ("Gain a year unknown" in text_of(page)) == (found.verdict.probability_of_harm is None)
    assert len(page) < 300_000


def test_inconclusive_page_tells_what_waiting_costs(walked, judge):
    """How many more days would decide, and the money forgone meanwhile."""
    found = judge(evidence(NOISE), FRAMES["inconclusive"][1]).verdict
    forgone = found.per_period().gain * found.periods_still_needed
    says = text_of(render_report(tell_story(walked, 1)))
    days, money = re.search(r"About ([\d,]+) days more would .*?waiting that long forgoes ([\d,.]+) EUR", says).groups()

    assert int(days.replace(",", "")) == found.periods_still_needed
    assert float(money.replace(",", "")) == pytest.approx(forgone, rel=0.05)


def test_invalid_evidence_has_a_page_without_plots(walked, judge):
    """Evidence that contradicts itself is not drawn; the page says why."""
    frame = evidence(clear_gain())
    twice = frame.vstack(frame.head(1).with_columns(value_challenger=99.0))
    found = judge(twice, YEARLY)
    page = render_report(tell_story(walked, 1))

    assert "The evidence is invalid" in text_of(page)
    assert found.verdict.reasons[0] in text_of(page)
    assert Outline(page).count("figure") == 0


def test_many_units_are_cut_to_the_best_and_the_worst_ten_and_the_page_says_so(walked, judge):
    """Of 200 units twenty stand in the table, and nobody takes them for all."""
    judge(evidence(clear_gain(units=200)), YEARLY)
    story = tell_story(walked, 1)
    says = text_of(render_report(story))
    shown = [unit for unit in story.units["unit"] if f" {unit} 60 " in says]

    assert shown == [*story.units["unit"][:10], *story.units["unit"][-10:]]
    assert "Of 200, only the 10 that gained most and the 10 that gained least are shown." in says


def test_what_people_wrote_cannot_run(walked, judge):
    """A script in a title, and one in a unit's name, are shown as text."""
    attack = "<script>alert('1')</script>"
    frame = evidence(clear_gain(units=2))
    judge(frame.with_columns(unit=frame["unit"].replace({"shop-001": attack})), YEARLY)
    file = next((walked.root / "ideas").glob("0001-*.toml"))
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("Bake for the weekday", attack), encoding="utf-8")
    page = render_report(tell_story(walked, 1))

    scripts = [found for tag, found in Outline(page).tags if tag == "script"]
    assert [found.get("type") for found in scripts].count(None) == 1
    assert {found.get("type") for found in scripts} == {None, "application/json"}
    assert text_of(page).count(attack) >= 3
    assert "default-src 'none'" in page


def test_page_loads_nothing(page):
    """No address, no stylesheet, no picture, no font from anywhere else."""
    addresses = set(re.findall(r"https?://[^\s\"'<]+", page))
    loading = [(tag, name) for tag, found in Outline(page).tags for name in found if name in ("src", "srcset", "data")]

    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert set(re.findall(r'xmlns[:\w]*="([^"]+)"', page)) == addresses
    assert loading == []
    assert "url(" not in page
    assert "@import" not in page


def test_page_is_built_for_screen_readers(page):
    """Headings go down one level at a time, tables have captions and scopes, plots say their message."""
    tags = Outline(page).tags
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch(r"h\d", tag)]
    names = [tag for tag, _ in tags]
    labels = [found.get("aria-label") for _, found in tags if found.get("role") == "img"]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert names.count("caption") == names.count("table") > 5
    assert all(found.get("scope") for tag, found in tags if tag == "th")
    assert len(labels) == names.count("figure") > 4
    assert all(labels)
    assert sum("EUR" in (label or "") for label in labels) >= 4


def test_deviations_stand_on_the_first_screen(walked):
    """An idea that asks for less after research started is told on, and judged by what was locked."""
    file = next((walked.root / "ideas").glob("0001-*.toml"))
    file.write_text(file.read_text(encoding="utf-8").replace("smallest_gain = 5.0", "smallest_gain = 1.0"))
    says = text_of(render_report(tell_story(walked, 1)))

    assert says.index("smallest_gain was 5.0 when research started") < says.index("What the history shows")
    assert "Worth shipping from 1,825 EUR" in says


def test_changed_code_is_told(walked):
    """A report written after the code was changed says that the verdict is about the code as it was."""
    file = walked.root / "problem.py"
    file.write_text(file.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")

    assert tell_story(walked, 1).is_code_changed
    assert "The code has changed" in text_of(render_report(tell_story(walked, 1)))


def test_no_report_without_a_verdict_about_this_evidence(walked):
    """Evidence that nobody judged yet has no report, and the refusal says what to run."""
    record = walked.records.get("research", "0001")
    walked.records.add(Change(kind="research", key="0001", body={**record.body, "evidence": "evidence/other"}), by="me")

    with pytest.raises(GateClosedError, match="shipworthy analyse 1"):
        write_report(walked, 1)
    assert not (walked.root / "reports").exists()


def test_report_is_written_whole_and_the_same_again(walked, page):
    """One file with the idea's name, byte for byte the same from the same records, and nothing beside it."""
    [path] = write_report(walked, 1)

    assert path == walked.root / "reports" / "0001-same-weekday.html"
    assert path.read_bytes() == page.encode()
    assert list(path.parent.iterdir()) == [path]


def test_folder_that_cannot_be_written_is_unavailable(walked):
    """A file where the folder should be is told with its name."""
    (walked.root / "reports").write_text("in the way")

    with pytest.raises(UnavailableError, match="reports"):
        write_report(walked, 1)


@pytest.mark.parametrize("name", ["altair", "jinja2", "vl_convert"])
def test_missing_library_is_told_with_the_line_that_installs_it(walked, monkeypatch, name):
    """Without the extra the refusal says which line to type."""
    monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(UnavailableError, match=rf"{name}.*pip install 'shipworthy\[report\]'"):
        write_report(walked, 1)


def test_drawing_libraries_are_loaded_only_to_draw():
    """The command line's module for the verdict costs no drawing library."""
    asks = "import sys, shipworthy.analysis.report.write; print({'altair', 'jinja2', 'vl_convert'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "set()"


@pytest.mark.parametrize("seed", range(20))
def test_rounding_never_changes_sides(seed):
    """What lies above a mark is shown above it, however close."""
    rng = np.random.default_rng(seed)
    mark = float(rng.uniform(-100.0, 100.0))
    low = mark + float(rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-2.0, 2.0))
    gain = Gain(gain=low + 60.0, low=low, high=low + 120.0)
    step = step_for(gain, 0.0, mark)
    shown = [float(figure(end, step).replace(",", "").replace("\N{MINUS SIGN}", "-")) for end in (low, mark)]

    assert (shown[0] > shown[1]) == (low > mark)
    assert shown[0] != shown[1]


CHROMIUM = shutil.which("chromium")
ARGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
LOWEST_CONTRAST = """() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = rgb => rgb.slice(0, 3).map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parts(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let lowest = 99;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    if (style.strokeWidth === "5px") continue;
    const pair = [light(parts(element.closest("svg") ? style.fill : style.color)), light(behind(element))];
    lowest = Math.min(lowest, (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05));
  }
  return lowest;
}"""


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")
def test_page_reads_well_in_a_browser(walked):
    """Offline, light and dark, wide and narrow: nothing fails, nothing overflows, everything has contrast."""
    sync_api = pytest.importorskip("playwright.sync_api")
    hold_against_foresight(walked)
    replayed_with(walked, solvers={"challenger": SOLVER}, noise=NOISE_FOUND, repetitions=5, **HOLDOUT)
    address = write_report(walked, 1)[0].as_uri()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS.split())
        for scheme, width in itertools.product(("light", "dark"), (1280, 360)):
            viewport = {"width": width, "height": 860}
            context = browser.new_context(viewport=viewport, color_scheme=scheme, offline=True)
            page = context.new_page()
            faults: list[str] = []
            page.on("console", lambda message, faults=faults: faults.append(message.text))
            page.on("pageerror", lambda error, faults=faults: faults.append(str(error)))
            page.goto(address)
            background = "getComputedStyle(document.body).backgroundColor"
            before = page.evaluate(background)

            assert page.evaluate("document.documentElement.scrollWidth") == width
            answer = page.get_by_role("heading", name="Ship it").bounding_box()
            assert answer["y"] + answer["height"] < 860
            assert page.locator(".drawn svg:visible").count() == page.locator("figure").count() > 4
            assert page.evaluate(LOWEST_CONTRAST) >= 4.5

            page.get_by_role("switch", name="Light" if scheme == "dark" else "Dark").check()
            assert page.evaluate(background) != before
            assert page.evaluate(LOWEST_CONTRAST) >= 4.5
            assert faults == []
            context.close()
        browser.close()


@contextlib.contextmanager
def opened(address, **context):
    """A page in a browser, with what it complained of and what it asked for."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS.split())
        page = browser.new_context(offline=True, **context).new_page()
        faults, asked = [], []
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        yield page, faults, asked
        browser.close()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")
def test_plots_are_read_by_pointing_and_by_arrow_keys(walked, page_file):
    """A day's gain and the gain so far, a unit's values: what is told is what the findings hold, and nothing is asked for."""
    story = tell_story(walked, 1)
    day = story.course.row(1, named=True)
    with opened(page_file.as_uri(), viewport={"width": 900, "height": 800}) as (page, faults, asked):
        course = page.get_by_role("slider", name=re.compile("The gain grew|It came to"))
        course.focus()
        for key in ("Home", "ArrowRight"):
            course.press(key)
        told = course.get_attribute("aria-valuetext")
        assert told.startswith(f"{day['period'].day} {day['period']:%b %Y}, ")
        assert course.get_attribute("aria-valuenow") == "1"
        assert course.locator(".told").is_visible()
        assert course.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"

        box = course.bounding_box()
        page.mouse.move(box["x"] + box["width"] - 5, box["y"] + 40)
        total = figure(story.course["total"][-1], step_of(story.course["total"].to_list()))
        assert f"{total}\N{NO-BREAK SPACE}EUR so far" in course.locator(".told").inner_text()
        course.press("Escape")
        assert not course.locator(".told").is_visible()

        names = story.units["unit"]
        says = rf"Gain by bread: .* per decision \({names[0]}\) to .* \({names[-1]}\)"
        units = page.get_by_role("slider", name=re.compile(says))
        units.focus()
        units.press("End")
        assert units.get_attribute("aria-valuetext").startswith(f"{story.units['unit'][-1]}, ")
        assert f"{story.units['decisions'][-1]:,} decisions" in units.get_attribute("aria-valuetext")
        assert faults == []
        assert len(asked) == 1


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")
def test_the_policy_of_the_page_stops_every_other_script(page_file):
    """A script that somebody put into the page does not run, while our own does."""
    text = page_file.read_text(encoding="utf-8")
    page_file.write_text(text.replace("<h1>", "<script>document.title = 'taken'</script><h1>"), encoding="utf-8")
    with opened(page_file.as_uri()) as (page, faults, _):
        assert page.title() != "taken"
        assert page.get_by_role("slider").count() > 2
        assert any("Content Security Policy" in fault for fault in faults)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")
def test_the_page_is_whole_without_its_script(page_file):
    """Where scripts are off, plots are pictures with their message, and no hint speaks of reading them."""
    with opened(page_file.as_uri(), java_script_enabled=False) as (page, faults, _):
        assert page.get_by_role("slider").count() == 0
        assert page.get_by_role("img", name=re.compile("EUR")).count() > 2
        assert not page.locator(".hint").is_visible()
        assert faults == []


def test_an_override_that_counts_cannot_be_missed(walked, judge):
    """Two people who set a verdict aside stand above it, with their reason."""
    judge(evidence(-clear_gain()), YEARLY)
    object.__setattr__(walked, "who", "ann")
    ask_override(walked, 1, Decision.SHIP, "a contract")
    object.__setattr__(walked, "who", "bob")
    second_override(walked, 1)
    page = render_report(tell_story(walked, 1))
    assert "Overridden: ship" in text_of(page)
    assert page.index('class="overridden"') < page.index('class="verdict stop"')
    assert "a contract" in text_of(page)


def test_assumptions_and_segments_are_drawn(walked, page):
    """Each assumption has its curve with where the verdict turns, and segments say that they are not for deciding."""
    story = tell_story(walked, 1)
    for one in assumed.varied(story):
        assert f"stated as {amount(one.stated)}: " in text_of(page)
        assert page.count(f'"{one.name.replace("_", " ")} ') >= len(one.curve)
    assert assumed.varied(story)
    assert "Gain a year by" in text_of(page)
    assert "For reading, not for deciding: to decide on a segment" in text_of(page)
