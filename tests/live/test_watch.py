"""The watch: quiet while all is as it was promised, and clear about what is not, in money."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest

import shipworthy
from shipworthy.live.watch.alert import KINDS, RUNBOOK, Alert
from shipworthy.live.watch.watch import Watched, watch
from shipworthy.project import Project, open_project
from shipworthy.ship.back import pause_idea
from shipworthy.ship.rollout import Phase, read_rollout
from shipworthy.store import feed
from tests.cli.typed import typed
from tests.live import cafe
from tests.ship import kiosk

WINDOW = range(28)


@pytest.fixture(scope="module")
def built_cafe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kiosk with its weather, live; built once."""
    return cafe.build(tmp_path_factory.mktemp("cafe") / "kiosk")


@pytest.fixture
def project(built_cafe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A kiosk of the test's own that went live a moment ago, by a clock of its own."""
    opened = open_project(copytree(built_cafe, tmp_path / "kiosk"))
    monkeypatch.setenv("SHIPWORTHY_CLOCK", str(tmp_path / "kiosk" / "clock"))
    yield opened
    opened.records.close()


def configured(project: Project, lines: str) -> Project:
    """The same project with more in its configuration."""
    file = project.root / "shipworthy.toml"
    file.write_text(file.read_text() + lines)
    project.records.close()
    return open_project(project.root)


def look(project: Project, i: int, hour: float = 8.0) -> Watched:
    """Looks on a live day."""
    (project.root / "clock").write_text(cafe.instant(i, hour).isoformat())
    return watch(project, "kiosk")


def kinds(watched: Watched) -> list[str]:
    """The keys of the open alerts."""
    return sorted(alert.key for alert in watched.news.open)


def only(watched: Watched, kind: str) -> Alert:
    """The one alert that is open, of that kind."""
    [alert] = watched.news.open
    assert alert.kind == kind
    return alert


def test_it_is_quiet_while_all_is_as_promised(project: Project):
    """Four weeks like the snapshot's, looked at every day, open no alert, and write no record."""
    for i in WINDOW:
        cafe.live(project, [i])
        watched = look(project, i)
        assert kinds(watched) == []
    assert watched.periods == 28
    assert project.records.history("alert", "kiosk") == []


def test_nobody_asks(project: Project):
    """Three days after the last request two periods are missing, with the share of the gain that this costs."""
    cafe.live(project, range(14))
    assert kinds(look(project, 14, 5.0)) == []
    watched = look(project, 16)
    alert = only(watched, "missing-periods")
    assert "2 of 16 periods due" in alert.what
    assert str(cafe.day(14)) in alert.what
    assert alert.since == cafe.instant(14, 0.0)
    forecast = float(alert.reckoned.split("gain of ")[1].split()[0])
    assert alert.money_at_risk == pytest.approx(2 / 16 * forecast, abs=0.01)
    assert forecast > 0


def test_nobody_has_ever_asked(project: Project):
    """A release that went live and is asked for nothing is noticed too."""
    assert "missing-periods" in kinds(look(project, 4))


def test_it_is_asked_too_late(project: Project):
    """Periods asked for when their outcome was known are told with their share."""
    cafe.live(project, range(20))
    cafe.live(project, range(20, 24), hour=31.0)
    alert = only(look(project, 25, 5.0), "late-requests")
    assert "4 of 24 periods" in alert.what


def test_a_feed_stands_still(project: Project):
    """A column that is the same for every unit, period after period, is told with since when."""
    cafe.live(project, range(14))
    skies = [{"warmth": 17.5, "sky": sky} for sky in ("sun", "rain") * 3]
    for i, sky in zip(range(14, 20), skies, strict=True):
        decided, came = cafe.live_day(project, i, sky)
        kiosk.append(project, "decisions", decided)
        kiosk.append(project, "outcomes", came)
    alert = only(look(project, 19), "stale-inputs")
    assert alert.about == "warmth"
    assert str(cafe.day(14)) in alert.what


def test_a_number_moves(project: Project):
    """Two standard deviations warmer is drift of that column, with an upper bound of what it may cost."""
    cafe.live(project, WINDOW, warmer=10.0)
    alert = only(look(project, 27), "input-drift")
    assert alert.about == "warmth"
    assert float(re.search(r"moved by (\d\.\d+)", alert.what)[1]) == pytest.approx(2.0, abs=0.35)
    assert alert.money_at_risk > 0
    assert "at most" in alert.reckoned


def test_a_word_is_new(project: Project):
    """A sky that the snapshot never had, every other day, is drift of that column."""
    cafe.live(project, WINDOW, skies=("sun", "fog"))
    alert = only(look(project, 27), "input-drift")
    assert alert.about == "sky"


def test_a_column_is_empty(project: Project):
    """A column that is there in the snapshot and comes empty is told as that."""
    cafe.live(project, range(20))
    cafe.live(project, range(20, 28), without=("sky",))
    assert only(look(project, 27), "empty-inputs").about == "sky"


def test_a_unit_vanishes(project: Project):
    """A unit that came every day and does not come any more is named, with its share of the gain."""
    cafe.live(project, range(10))
    cafe.live(project, range(10, 14), breads=("rye",))
    alert = next(alert for alert in look(project, 13).news.open if alert.kind == "vanished-units")
    assert "white" in alert.what
    assert alert.reckoned.startswith("50% of the units")


def test_it_falls_back(project: Project):
    """Answers from the fallback cost the gain of the policy over it, in their share; why it fell stands there."""
    cafe.live(project, range(14))
    cafe.live(project, range(14, 28), rung="fallback", falls=("weekday: no weather",))
    alert = only(look(project, 27), "falling-back")
    assert "14 of 28 answers fell (14 fallback)" in alert.what
    assert "no weather" in alert.what
    gain = float(alert.reckoned.split("gain of ")[1].split()[0])
    assert alert.money_at_risk == pytest.approx(gain / 2, abs=0.01)
    assert alert.since == cafe.instant(14)


def test_nothing_decides(project: Project):
    """One period in which nothing could decide is enough, and costs what a period is worth."""
    cafe.live(project, range(27))
    cafe.live(project, [27], rung="none", outcome=False)
    alert = only(look(project, 27), "nothing-decided")
    assert "1 of the last 7 periods" in alert.what
    assert alert.money_at_risk > 0


def test_it_takes_as_long_as_it_may(project: Project):
    """Answers that need most of the time there is are told before they fall back."""
    cafe.live(project, range(24))
    cafe.live(project, range(24, 28), seconds=26.0)
    assert "80% of the limit of 30 s" in only(look(project, 27), "slow-solves").what


def test_the_plan_changes_more_than_it_did(project: Project):
    """Plans that go up and down, as the replay's did not, churn; and are distributed otherwise."""
    project = configured(project, '[rollout]\non_fail = "hold"\n')
    for i in WINDOW:
        cafe.live(project, [i], factor=2.0 if i % 2 else 0.5)
    assert {"decision-drift loaves", "plan-churn loaves"} <= set(kinds(look(project, 27)))


def test_outcomes_do_not_come(project: Project):
    """Outcomes count as late a cadence after they were due, not sooner; there is no money in that, but blindness."""
    cafe.live(project, range(10))
    cafe.live(project, range(10, 12), outcome=False)
    assert kinds(look(project, 11, 23.0)) == []
    alert = only(look(project, 12, 1.0), "late-outcomes")
    assert str(cafe.day(10)) in alert.what
    assert alert.since == cafe.instant(11, 0.0)
    assert alert.money_at_risk is None


def test_some_outcomes_never_come(project: Project):
    """Rows without an outcome, in periods that have some, are told where the snapshot has all."""
    cafe.live(project, WINDOW, outcome=False)
    kiosk.append(project, "outcomes", [kiosk.outcome(str(cafe.day(i)), breads=("rye",)) for i in WINDOW])
    for line in (project.log_folder / "kiosk").glob("outcomes-*"):
        line.write_text(re.sub(r'"at": "[^"]+"', f'"at": "{cafe.instant(28).isoformat()}"', line.read_text()))
    found = {alert.kind: alert for alert in look(project, 28, 7.0).news.open}
    assert "27 of 54 rows" in found["missing-outcomes"].what
    assert "late-outcomes" not in found


def test_it_loses_money(project: Project):
    """Live days that lose beyond doubt are harm, whose price is the lower end of the interval."""
    project = configured(project, '[rollout]\non_fail = "hold"\n')
    cafe.live(project, range(60), gain=-20.0)
    alert = next(alert for alert in look(project, 59).news.open if alert.kind == "harm")
    low = float(re.search(r"\((-[\d.,]+) to", alert.what)[1])
    assert alert.money_at_risk == pytest.approx(-low, abs=0.01)
    assert alert.money_at_risk > 40.0


def test_it_is_taken_back_by_itself(project: Project):
    """Where the rules do not say otherwise, a loss beyond doubt takes the release back at that look, once, and is told."""
    cafe.live(project, range(60), gain=-20.0)
    before = read_rollout(project, "kiosk")
    first, second = look(project, 59), look(project, 59, 9.0)

    assert (first.moved.phase, first.moved.champion) == (Phase.ROLLED_BACK, before.challenger)
    assert second.moved is None
    assert "harm" not in kinds(first) + kinds(second)


def test_looking_as_of_an_instant_changes_nothing(project: Project):
    """With an instant given nothing is moved, recorded or told, whatever is found."""
    cafe.live(project, range(60), gain=-20.0)
    everything = list(feed(project.records))
    assert "harm" in kinds(watch(project, "kiosk", at=cafe.instant(59, 8.0)))
    assert list(feed(project.records)) == everything


def test_a_pause_is_told(project: Project):
    """A rollout that is paused is an alert with the gain it waits for, since it was paused."""
    cafe.live(project, range(10))
    (project.root / "clock").write_text(cafe.instant(9, 7.0).isoformat())
    pause_idea(project, 1, "the oven is repaired")
    alert = next(alert for alert in look(project, 9).news.open if alert.kind == "rollout-paused")
    assert "the oven is repaired" in alert.what
    assert alert.money_at_risk > 0
    assert alert.since == cafe.instant(9, 7.0)


def test_it_earns_less_than_was_forecast(project: Project):
    """Live days beyond doubt below the forecast, though no loss, are told with the difference."""
    cafe.live(project, range(150), gain=0.5)
    found = {alert.kind: alert for alert in look(project, 149).news.open}
    assert "harm" not in found
    assert found["below-forecast"].money_at_risk > 0
    assert "forecast were" in found["below-forecast"].what


def test_it_does_not_earn_what_it_costs(project: Project):
    """Where a period's running cost lies above the interval's upper end, retiring it is proposed with the numbers."""
    project = configured(project, "[watch]\nrunning_cost = 80.0\n")
    cafe.live(project, range(60), gain=5.0)
    alert = next(alert for alert in look(project, 59).news.open if alert.kind == "retirement")
    assert "80.00 EUR a period: 10.00 EUR a period" in alert.what


def test_an_alert_is_recorded_when_it_opens_and_when_it_closes(project: Project):
    """Looking again at what is still open writes nothing; the record says what opened, what closed, and since when."""
    cafe.live(project, range(14))
    first = look(project, 16)
    again = look(project, 16, 9.0)
    cafe.live(project, range(14, 17))
    closed = look(project, 17, 5.0)
    opened, over = project.records.history("alert", "kiosk")

    assert [alert.key for alert in first.news.opened] == ["missing-periods"]
    assert again.news.open[0].since == first.news.open[0].since
    assert not again.news.is_any
    assert [alert.key for alert in closed.news.closed] == ["missing-periods"]
    assert (opened.body["opened"], over.body["closed"], over.body["open"]) == (
        ["missing-periods"],
        ["missing-periods"],
        [],
    )


def test_what_cannot_be_looked_at_is_an_alert_and_closes_nothing(project: Project):
    """A release whose bytes were changed is told, and what was open before stays open."""
    cafe.live(project, range(14))
    assert kinds(look(project, 16)) == ["missing-periods"]
    for file in (project.root / ".shipworthy" / "objects" / "release-files").iterdir():
        file.chmod(0o644)
        file.write_bytes(b"changed")
    watched = look(project, 16, 9.0)
    assert kinds(watched) == ["missing-periods", "release-refused promise", "release-refused rollout"]


def test_a_log_of_other_types_is_told(project: Project):
    """A line whose rows cannot be read as the snapshot's is an alert, not the end of the watch."""
    cafe.live(project, range(14))
    [decided], _ = cafe.live_day(project, 14, {"warmth": 1.0, "sky": "sun"})
    decided["rows"][0]["warmth"] = {"no": "number"}
    kiosk.append(project, "decisions", [decided])
    assert kinds(look(project, 15)) == ["blind promise"]


def test_at_the_door(project: Project):
    """The table fits 100 columns, JSON holds the same, and the exit code tells of alerts only where that is asked."""
    cafe.live(project, range(14), rung="fallback", falls=("weekday: " + "no weather " * 30,))
    at = ["--at", cafe.instant(17).isoformat()]
    shown = typed(project.root, "watch", *at)
    told = typed(project.root, "watch", *at, "--json").json
    failed = typed(project.root, "watch", "kiosk", *at, "--fail")

    assert max(map(len, shown.out.splitlines())) <= 100
    assert (shown.code, failed.code) == (0, 4)
    assert [alert["kind"] for alert in told["alerts"]] == ["falling-back", "missing-periods"]
    assert told["opened"] == ["falling-back", "missing-periods"]
    assert project.records.history("alert", "kiosk") == []
    assert told["alerts"][0]["money_at_risk"] > told["alerts"][1]["money_at_risk"] > 0
    for alert in told["alerts"]:
        assert alert["kind"] in shown.out
        assert alert["anchor"] in shown.out


def test_nothing_shipped_is_said(project: Project):
    """Before the first move there is nothing to watch, and the command says how to begin."""
    said = typed(project.root, "watch", "--at", "2020-01-01")
    assert said.code == 3
    assert "shipworthy ship" in said.err
    assert typed(project.root, "watch", "--at", "soon").code == 2


def test_only_the_window_is_read(project: Project):
    """Of a year of logs a look takes the last four weeks, and what it says is about them."""
    cafe.live(project, range(0, 300, 20), rung="fallback", falls=("long ago",))
    cafe.live(project, range(300, 331))
    watched = look(project, 330)
    assert watched.periods in {28, 29, 30}
    assert "falling-back" not in kinds(watched)


def test_every_alert_has_its_page():
    """The runbook has a section for each kind of alert, and for what a deployment's rules lead to, with every part in it."""
    page = (Path(__file__).parents[2] / RUNBOOK).read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^#|\Z)", page, flags=re.MULTILINE | re.DOTALL))
    service = {"slow-answers", "log-does-not-write", "shadow-behind", "worker-killed"}

    assert set(sections) == set(KINDS) | service
    for name, section in sections.items():
        assert re.findall(r"^\*\*([\w ]+)\.\*\*", section, flags=re.MULTILINE) == [
            "Means",
            "Money",
            "First look",
            "Do",
            "Call",
        ], name
    assert set(re.findall(r"\]\(#([\w-]+)\)", page)) <= set(sections)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_used_and_says_one_command(kind: str):
    """No kind stands in the table alone, and each says in one sentence what to do."""
    source = Path(shipworthy.__file__).parent / "live" / "watch"
    used = [path.name for path in source.glob("*.py") if path.name != "alert.py" and f'"{kind}"' in path.read_text()]
    assert used
    assert KINDS[kind].do.endswith(".")
