"""The ledger: what came in is what the logs say, and its page says the same."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import shipworthy
import shipworthy.ship.parity
from shipworthy.analysis.analyse import analyse_idea, read_analysis
from shipworthy.cli.ledger import ledger
from shipworthy.data.examine import examine_data
from shipworthy.live.ledger.ledger import Line, read_calibration, read_ledger
from shipworthy.live.ledger.page import render_ledger, write_ledger
from shipworthy.live.ledger.sentences import calibrated, headline, ranges_title
from shipworthy.project import Project, open_project
from shipworthy.research.research import research_idea
from shipworthy.ship.parity import Parity
from shipworthy.ship.rollout import read_rollout, rollout_history
from shipworthy.ship.ship import ship_idea
from tests.ship import kiosk

STARTER = Path(shipworthy.__file__).parent / "starter"
BREADS = ("rye", "spelt", "white")
FIRST = date(2026, 2, 5)
DAYS = 20
ANSWERED = {13, 15, 17}
DEMAND = 50
HOURS = "datetime(2025, 1, 1) + timedelta(hours=i) for i in range(45 * 24)"


@pytest.fixture(scope="module")
def walked_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter's bakery with its verdict, walked once; to be copied, not changed."""
    folder = tmp_path_factory.mktemp("walked") / "bakery"
    shutil.copytree(STARTER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "shipworthy.toml").open("a", encoding="utf-8") as file:
        file.write("\n[research]\nworkers = 1\n")
    project = open_project(folder)
    for walk in (examine_data, research_idea, analyse_idea):
        walk(project, 1)
    project.records.close()
    return folder


@pytest.fixture
def walked(walked_once: Path, tmp_path: Path) -> Iterator[Project]:
    """A copy of that bakery which the test may change."""
    project = open_project(Path(shutil.copytree(walked_once, tmp_path / "bakery")))
    yield project
    project.records.close()


@pytest.fixture
def shipped(walked: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The bakery, its idea in shadow; that the real server decides alike is proved elsewhere."""
    holds = Parity(periods=10, equal=10, tied=0, broken=())
    monkeypatch.setattr(shipworthy.ship.parity, "prove_parity", lambda project, release: holds)
    ship_idea(walked, 1)
    return walked


@pytest.fixture
def lived(shipped: Project) -> Project:
    """Twenty days of it, three of them answered by the idea's release; the last two days have no outcome yet."""
    for i in range(DAYS):
        decide(shipped, i, _loaves(i), arm="challenger" if i in ANSWERED else "champion")
    settle(shipped, range(DAYS - 2))
    return shipped


def decide(project: Project, i: int, loaves: dict[str, float], *, arm: str = "champion") -> None:
    """Logs a day that both releases decided."""
    rollout = read_rollout(project, "bakery")
    releases = {"champion": rollout.champion, "challenger": rollout.challenger}
    _append(project, "decisions", kiosk.entry(_day(i), releases, loaves, breads=BREADS, arm=arm))


def settle(project: Project, days: Iterable[int], demand: int = DEMAND) -> None:
    """Logs the outcomes of days."""
    for i in days:
        _append(project, "outcomes", kiosk.outcome(_day(i), demand, BREADS))


def by_hand(loaves: Mapping[str, float], demand: int = DEMAND) -> float:
    """What the idea's release earned more in a day: a loaf costs 1 EUR, sells for 3, and three breads do alike."""
    profits = {role: 3 * min(baked, demand) - baked for role, baked in loaves.items()}
    return len(BREADS) * (profits["challenger"] - profits["champion"])


def text_of(page: str) -> str:
    """Returns what a reader sees."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


def _line(project: Project) -> Line:
    [line] = read_ledger(project)
    return line


def _page(project: Project, *lines: Line) -> str:
    return render_ledger(lines or read_ledger(project), {"bakery": rollout_history(project, "bakery")})


def _loaves(i: int) -> dict[str, float]:
    return {"champion": 40.0 + i % 3, "challenger": 47.0 + i % 5}


def _day(i: int) -> str:
    return str(FIRST + timedelta(days=i))


def _append(project: Project, stem: str, entry: dict[str, Any]) -> None:
    folder = project.log_folder / "bakery"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{stem}-x.jsonl").open("a", encoding="utf-8") as segment:
        segment.write(json.dumps({**entry, "problem": "bakery"}) + "\n")


def test_realised_is_what_the_logs_come_to(lived: Project):
    """The gain of each day with outcomes, and their mean, are those that one gets by hand; days without are left out."""
    line = _line(lived)
    gains = [by_hand(_loaves(i)) for i in range(DAYS - 2)]

    assert [one.gain for one in line.course] == pytest.approx(gains)
    assert [str(one.period) for one in line.course] == [_day(i) for i in range(DAYS - 2)]
    assert line.realised.gain == pytest.approx(sum(gains) / len(gains))
    assert line.realised.low < line.realised.gain < line.realised.high


def test_only_what_was_answered_was_earned(lived: Project):
    """A gain in the shadow is none: earned are the days that the idea's release answered."""
    line = _line(lived)

    assert line.earned == pytest.approx(sum(by_hand(_loaves(i)) for i in ANSWERED))
    assert (line.answered, line.periods) == (len(ANSWERED), DAYS - 2)
    assert {i for i, one in enumerate(line.course) if one.answered} == ANSWERED
    assert all(one.earned == (one.gain if one.answered else 0.0) for one in line.course)


def test_corrected_outcome_counts(lived: Project):
    """An outcome that is sent again takes the place of what was sent before, in the gain and in what was earned."""
    before = _line(lived)
    settle(lived, [15], demand=30)
    after = _line(lived)
    change = by_hand(_loaves(15), 30) - by_hand(_loaves(15))

    assert change < 0.0
    assert after.periods == before.periods
    assert after.earned - before.earned == pytest.approx(change)
    assert after.realised.gain - before.realised.gain == pytest.approx(change / after.periods)


def test_forecast_is_shrunk_and_the_raw_gain_stands_beside_it(shipped: Project):
    """The raw gain is the verdict's; the forecast is less, and above zero, with its interval around it."""
    line = _line(shipped)
    verdict = read_analysis(shipped.records.get("verdict", "0001")).verdict

    assert line.raw == pytest.approx(verdict.per_period().gain)
    assert 0.0 < line.forecast.gain < line.raw
    assert line.forecast.low < line.forecast.gain < line.forecast.high


def test_forecast_of_hours_is_told_by_the_hour(walked: Project, monkeypatch: pytest.MonkeyPatch):
    """Hours are judged by the day, whose money is 24 times that of an hour; the ledger speaks of what is decided."""
    code = walked.root / "problem.py"
    hourly = code.read_text(encoding="utf-8").replace("date(2025, 1, 1) + timedelta(days=i) for i in range(400)", HOURS)
    hourly = hourly.replace("import date,", "import datetime,").replace('"1d"', '"1h"')
    code.write_text(hourly.replace('currency="EUR"', "periods_per_year=8760.0"), encoding="utf-8")
    (walked.root / "contracts" / "bakery.toml").unlink()
    shutil.rmtree(walked.root / ".shipworthy")
    project = open_project(walked.root)
    for walk in (examine_data, research_idea, analyse_idea):
        walk(project, 1)
    verdict = read_analysis(project.records.get("verdict", "0001")).verdict
    holds = Parity(periods=10, equal=10, tied=0, broken=())
    monkeypatch.setattr(shipworthy.ship.parity, "prove_parity", lambda project, release: holds)
    ship_idea(project, 1)
    line = _line(project)
    project.records.close()

    assert line.cadence == "1h"
    assert line.raw == pytest.approx(verdict.per_year().gain / 8760)
    assert 0.0 < line.forecast.gain < line.raw


def test_idea_without_outcomes_says_so(shipped: Project, monkeypatch: pytest.MonkeyPatch):
    """Before the first outcome nothing is realised, on the page and in the terminal alike."""
    decide(shipped, 0, _loaves(0))
    line = _line(shipped)
    says = text_of(_page(shipped))
    monkeypatch.chdir(shipped.root)
    told = CliRunner().invoke(ledger)

    assert (line.realised, line.course, line.earned) == (None, (), 0.0)
    assert "Idea 1 has no outcome yet; forecast" in says
    assert says.count("no outcome yet") >= 3
    assert "no outcome yet" in told.output


def test_page_says_what_the_ledger_says(lived: Project):
    """Headline, table and history hold the ledger's own figures and moves."""
    line = _line(lived)
    page = _page(lived)
    says = text_of(page)
    ends = [f"{gain.gain:,.2f} {gain.low:,.2f} to {gain.high:,.2f}" for gain in (line.forecast, line.realised)]

    assert f"Idea 1 earned {line.earned:.0f} EUR in 3 days of deciding; forecast" in says
    assert f"{ends[0]} {line.raw:,.2f} {ends[1]} 3 of 18 {line.earned:,.2f} EUR" in says
    for move in rollout_history(lived, "bakery"):
        assert f"{move.why} {move.at:%Y-%m-%d %H:%M} UTC, by {move.by}" in says
    for words in ("Forecast:", "Realised:", "no gain", "in shadow", "answers", "in all 18 days", "earned in 3"):
        assert page.count(f">{words}") >= 2, f"{words} is drawn for wide and for narrow pages"


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"low": 50.0, "gain": 60.0, "high": 70.0}, "It earns more than was forecast: 50 EUR a day at least"),
        ({"low": 5.0, "gain": 10.0, "high": 15.0}, "It earns less than was forecast: 15 EUR a day at most"),
        (
            {"low": -30.0, "gain": -20.0, "high": -10.0},
            "It loses money beyond doubt: even the high end is \N{MINUS SIGN}10 EUR a day",
        ),
        ({"low": 10.0, "gain": 30.0, "high": 50.0}, "It earns beyond doubt, and, as far as 18 days can tell, as much"),
        ({"low": -10.0, "gain": 20.0, "high": 50.0}, "18 days cannot tell yet whether it earns"),
    ],
)
def test_finding_is_whether_the_forecast_holds(lived: Project, change: dict[str, float], finding: str):
    """Where the realised interval lies against forecast and zero is said in words."""
    line = _line(lived)
    moved = replace(
        line, forecast=replace(line.forecast, low=35.0, gain=40.0, high=45.0), realised=replace(line.realised, **change)
    )

    assert finding in ranges_title(moved).replace("\N{NO-BREAK SPACE}", " ")


def test_several_ideas_are_summed_by_currency(lived: Project):
    """The headline adds up what has one currency, and a loss is called one."""
    line = _line(lived)
    [loss] = [one for one in line.course if one.period == FIRST + timedelta(days=15)]
    lost = replace(line, idea=2, currency="USD", course=(replace(loss, gain=-5.0, earned=-5.0),))
    says = headline([line, replace(line, idea=3), lost]).replace("\N{NO-BREAK SPACE}", " ")

    assert says == f"Together, 3 ideas earned {2 * line.earned:.0f} EUR and lost 5.00 USD"


def test_headline_says_which_days_earned_and_which_days_the_rate_is_over(lived: Project):
    """What came in is of the days that the idea answered; the rate beside it is over all, and says so where they differ."""
    line = _line(lived)
    says = headline([line]).replace("\N{NO-BREAK SPACE}", " ")
    always = headline([replace(line, course=tuple(one for one in line.course if one.answered))])

    assert f"EUR in {line.answered} days of deciding; forecast" in says
    assert says.endswith(f") over all {line.periods} days, in the shadow too")
    assert re.search(r"realised [\d.]+ EUR \(", says)
    assert "shadow" not in always


def test_what_people_wrote_cannot_run_and_nothing_is_loaded(lived: Project):
    """A title full of tags is shown as text, and the page has no script of theirs and no address."""
    attack = "<script src=//evil.example>alert('1')</script>"
    page = _page(lived, replace(_line(lived), title=attack))
    addresses = set(re.findall(r"https?://[^\s\"'<]+", page))

    assert attack in text_of(page)
    assert set(re.findall(r"<script[^>]*>", page)) == {"<script>", '<script type="application/json">'}
    assert page.count("<script>") == 1
    assert not re.search(r"<(link(?! rel=\"icon\" href=\"data:,\")|img|iframe|object)\b", page)
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "default-src 'none'" in page
    assert "url(" not in page
    assert "@import" not in page


def test_page_is_written_whole_and_the_same_again(lived: Project, monkeypatch: pytest.MonkeyPatch):
    """The verb writes one file, prints its path, and gives the same bytes from the same records."""
    monkeypatch.chdir(lived.root)
    told = CliRunner().invoke(ledger, ["--html"])
    path = lived.root / "reports" / "ledger.html"
    first = path.read_bytes()

    assert told.output.strip() == "reports/ledger.html"
    assert write_ledger(lived) == path
    assert path.read_bytes() == first
    assert list(path.parent.iterdir()) == [path]


def test_table_fits_100_columns(lived: Project, monkeypatch: pytest.MonkeyPatch):
    """However long a title is, the terminal's table has it cut and every figure whole."""
    file = next((lived.root / "ideas").glob("0001-*.toml"))
    file.write_text(file.read_text(encoding="utf-8").replace("Bake for", "Bake, bake and bake again, every day, for"))
    monkeypatch.chdir(lived.root)
    head, row, *below = CliRunner().invoke(ledger).output.splitlines()

    assert max(len(line) for line in (head, row, *below)) <= 100
    assert "Bake, bake" in row
    assert row.endswith(f"3 of 18  {_line(lived).earned:.0f} EUR")


def test_project_that_shipped_nothing_has_a_page(walked: Project):
    """Before the first shipping the page says so, and which verb to type."""
    says = text_of(write_ledger(walked).read_text(encoding="utf-8"))

    assert "No idea has been shipped yet" in says
    assert "shipworthy ship" in says


def test_share_of_the_forecast_that_came_in_is_told_everywhere(lived: Project, monkeypatch: pytest.MonkeyPatch):
    """Realised over forecast stands with Fieller's interval on the page, in the terminal and in JSON."""
    monkeypatch.chdir(lived.root)
    line = _line(lived)
    shown, low, high = (f"{100 * share:.0f} %" for share in (line.ratio.ratio, line.ratio.low, line.ratio.high))

    assert line.ratio.ratio == pytest.approx(line.realised.gain / line.forecast.gain)
    assert line.ratio.low < line.ratio.ratio < line.ratio.high
    assert f"Realised of forecast {shown} {low} to {high}" in text_of(_page(lived))
    assert f"1: {shown} of the forecast" in CliRunner().invoke(ledger).output.replace("\N{NO-BREAK SPACE}", " ")
    [told] = json.loads(CliRunner().invoke(ledger, ["--json"]).output)
    assert told["ratio"]["ratio"] == pytest.approx(line.ratio.ratio)


@pytest.mark.parametrize(("share", "says"), [(0.5, "run too high"), (1.0, "hold"), (2.0, "run too low")])
def test_forecasts_of_five_ideas_are_held_against_what_came(lived: Project, share: float, says: str):
    """From five ideas on the page says whether forecasts run too high or too low; with four it does not."""
    line = _line(lived)
    shapes = [(10.0 * i, share * 10.0 * i) for i in range(1, 6)]
    lines = [
        replace(
            line,
            idea=i,
            forecast=replace(line.forecast, low=expected - 1, gain=expected, high=expected + 1),
            realised=replace(line.realised, low=came - 1, gain=came, high=came + 1),
        )
        for i, (expected, came) in enumerate(shapes, start=1)
    ]

    assert f"forecasts {says}" in text_of(_page(lived, *lines))
    assert f"forecasts {says}" in calibrated(read_calibration(lines))
    assert read_calibration(lines[:4]) is None
    assert "forecasts" not in text_of(_page(lived, *lines[:4])).split("All lines", maxsplit=1)[0]
