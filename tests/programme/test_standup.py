"""The standup, the backlog and the statistics: what the records of a squad say, in sentences with money in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shipworthy.analysis.analyse import read_analysis
from shipworthy.analysis.money import money
from shipworthy.errors import InvalidInputError
from shipworthy.live.watch.alert import Alert
from shipworthy.live.watch.book import note
from shipworthy.programme.backlog import backlog
from shipworthy.programme.facts import Facts
from shipworthy.programme.happening import Teller, records_from
from shipworthy.programme.standup import since_of, standup
from shipworthy.programme.standup_text import as_markdown
from shipworthy.programme.statistics import programme
from shipworthy.project import Project, open_project
from shipworthy.ship.rollout import Move, Phase, make_move
from shipworthy.store import Change, feed
from tests.cli.typed import typed
from tests.ship import kiosk

LINE = {
    "idea": 1,
    "title": "Weekdays",
    "problem": "kiosk",
    "phase": "live",
    "currency": "EUR",
    "cadence": "1d",
    "forecast": {"gain": 20.0, "low": 15.0, "high": 25.0},
    "raw": 22.0,
    "realised": {"gain": 5.0, "low": 1.0, "high": 9.0},
    "periods": 40,
    "answered": 40,
    "earned": 200.0,
    "periods_per_year": 365.0,
    "ratio": None,
}


def test_the_standup_says_what_moved_and_what_waits_for_whom_with_money(walked: Project):
    """The newest comes first, a verdict with its money a year; what waits names a role, an expected gain and a past deadline."""
    found = standup([Facts(walked)])
    assert [one.seq for one in found.moved] == sorted((one.seq for one in found.moved), reverse=True)
    [verdict] = [one for one in found.moved if one.kind == "verdict"]
    assert "EUR more a year" in verdict.says
    assert verdict.gate == "opened"
    assert {one.kind for one in found.moved} == {"verdict", "research", "data", "idea"}
    first, second = found.waits
    assert (first.idea, first.whom, first.next) == (1, "ml engineer", "shipworthy ship 1")
    assert (second.idea, second.whom) == (2, "analyst")
    assert first.money > second.money > 0
    assert second.money == pytest.approx(5.0 * 365)
    assert "deadline" in second.says
    assert found.at_risk == ()


def test_only_what_is_newer_moved(walked: Project):
    """From an instant on, only records from then are told of, however many came before."""
    instant = datetime.now(UTC)
    assert standup([Facts(walked)], instant).moved == ()
    walked.records.add(Change(kind="idea", key="0007", body={"slug": "new", "lock": None}), by="ben")
    [moved] = standup([Facts(walked)], instant).moved
    assert moved.says == "ben began idea 7."
    everything = list(feed(walked.records))
    for record in everything:
        assert list(records_from(walked.records, record.at)) == [one for one in everything if one.at >= record.at]


def test_what_is_at_risk_is_priced_the_most_money_first(walked: Project):
    """Open alerts, and live ideas that earn less than was forecast or lose, say what that costs."""
    alerts = [
        Alert(kind="harm", what="The challenger loses.", reckoned="", money_at_risk=3.0),
        Alert(kind="input-drift", about="demand", what="It moved.", reckoned=""),
    ]
    note(walked, "kiosk", alerts, datetime.now(UTC))
    losing = {**LINE, "idea": 3, "phase": "canary", "realised": {"gain": -8.0, "low": -9.0, "high": -7.0}}
    good = {**LINE, "idea": 4, "realised": {"gain": 21.0, "low": 15.0, "high": 27.0}}
    found = standup([Facts(walked)], ledger={walked.space: [LINE, losing, good]})
    assert [one.money for one in found.at_risk] == [15.0 * 365, 8.0 * 365, 3.0 * 365, None]
    below, loses, harm, drift = (one.says.replace("\N{NO-BREAK SPACE}", " ") for one in found.at_risk)
    assert "where 20 EUR was forecast" in below
    assert "loses beyond doubt" in loses
    assert "3 EUR a period is at risk" in harm
    assert "shipworthy rollback" in harm
    assert "It moved." in drift


def test_silence_of_a_watch_that_never_reported_is_no_good_news(walked: Project):
    """Where something is rolled out and no watch has reported, nothing is known; once one has, nothing is at risk."""
    assert standup([Facts(walked)]).no_risk == "Nothing is known to be at risk."
    make_move(
        walked, "kiosk", None, Move(phase=Phase.SHADOW, champion="a" * 64, challenger="b" * 64, idea="0001", why="Try.")
    )
    assert "No watch has reported yet on" in standup([Facts(walked)]).no_risk
    note(walked, "kiosk", [Alert(kind="harm", what="It loses.", reckoned="")], datetime.now(UTC))
    note(walked, "kiosk", [], datetime.now(UTC))
    assert standup([Facts(walked)]).no_risk == "Nothing is known to be at risk."


def test_what_a_verdict_measured_counts_whatever_it_decides(walked: Project):
    """An idea judged inconclusive is ranked by what was measured of it, with its units, and not by what its squad hopes for."""
    judged = walked.records.get("verdict", "0001")
    verdict = {**judged.body["verdict"], "decision": "inconclusive"}
    walked.records.add(Change(kind="verdict", key="0001", body={**judged.body, "verdict": verdict}), by="ben")
    [line] = [line for line in backlog([Facts(walked)]) if line.idea == 1]
    measured = read_analysis(judged).verdict
    amount = f"{money(measured.per_year().gain, 'EUR', measured.step_of_year())} a year"
    assert f"Its verdict measured {amount}." in line.why
    assert any(amount in one.says for one in standup([Facts(walked)]).waits)
    assert line.worth.cost_says("EUR").endswith(" days")
    assert line.worth.ratio_says("EUR").endswith("a day")


def test_moves_overrides_and_sign_offs_are_told_as_people_say_them(walked: Project):
    """A rollback names its idea and its reason; an override asks for a second person; a verdict asks for signatures."""
    settings = {**walked.settings, "signoffs": {"ship": ["product manager"], "live": ["product manager"]}}
    before = walked.records.head().seq
    made = make_move(
        walked,
        "kiosk",
        None,
        Move(phase=Phase.CANARY, champion="a" * 64, challenger="b" * 64, idea="0001", why="on trial"),
    )
    make_move(
        walked, "kiosk", made, Move(phase=Phase.ROLLED_BACK, champion="a" * 64, idea="0001", why="It lost money.")
    )
    asked = {
        "to": "stop",
        "instead_of": "ship",
        "evidence": "e",
        "code": "c",
        "why": "A contract ends",
        "seconds": None,
    }
    walked.records.add(Change(kind="override", key="0001", body=asked), by="ann")
    walked.records.add(Change(kind="override", key="0001", body={**asked, "seconds": 1}), by="ben")
    teller = Teller(Project(root=walked.root, settings=settings))
    told = [teller.told(record) for record in feed(walked.records, before)]
    assert [one.kind for one in told] == ["rollout", "rollback", "override", "override"]
    assert told[0].asks == ("product manager",)
    assert "went into canary for kiosk. On trial. To be signed by: product manager." in told[0].says
    assert "was rolled back for kiosk. It lost money." in told[1].says
    assert "A second person has to agree." in told[2].says
    assert (told[3].gate, told[3].by) == ("closed", "ben")
    assert "has to agree" not in " ".join(one.says for one in standup([Facts(walked)]).moved)


def test_the_standup_is_typed_and_written(walked: Project):
    """`shipworthy standup` tells it in lines, as JSON and as Markdown in which nobody's title is markup."""
    path = walked.root / "ideas" / "0002-kiosk.toml"
    path.write_text(path.read_text().replace("Idea 2 for", "<b>Idea</b> | *2* for"))
    said = typed(walked.root, "standup")
    assert said.code == 0
    assert "Waits" in said.out
    found = typed(walked.root, "standup", "--since", "2w", "--ledger", "--json").json
    assert {"since", "at", "moved", "waits", "at_risk", "unwatched", "counts"} == found.keys()
    assert {one["kind"] for one in found["moved"]} == {"idea", "data", "research", "verdict"}
    markdown = typed(walked.root, "standup", "--markdown").out
    assert "## At risk" in markdown
    assert "<b>" not in markdown.replace("\\<b\\>", "")
    assert typed(walked.root, "standup", "--since", "yesterday").code == 2
    assert "**kiosk**" in as_markdown(standup([Facts(walked)]), several=True)


def test_since_is_a_span_or_an_instant():
    """A span goes back from now; an instant is taken as it is; anything else is refused with both forms."""
    at = datetime(2026, 1, 31, tzinfo=UTC)
    assert since_of("1d", at) == at - timedelta(days=1)
    assert since_of("2026-01-01", at) == datetime(2026, 1, 1, tzinfo=UTC)
    for wrong in ("0d", "1y", "", "99999999999999d"):
        with pytest.raises(InvalidInputError, match="--since"):
            since_of(wrong, at)


def test_the_programme_counts_ideas_times_and_money(walked: Project):
    """Rates have exact intervals, cycles quartiles, money is summed a year by currency, and errors spent are named."""
    dollars = {**LINE, "currency": "USD", "realised": None}
    found = programme([Facts(walked)], ledger={walked.space: [LINE, LINE, dollars]})
    assert found.ideas == 2
    assert found.per_stage == {"data": 1, "ship": 1}
    assert (found.shipping.count, found.shipping.of) == (1, 1)
    assert found.shipping.low == pytest.approx(0.025)
    euros, usd = found.money
    assert (euros.forecast, euros.realised, euros.earned) == (2 * 20 * 365.0, 2 * 5 * 365.0, 400.0)
    assert euros.realised_low == pytest.approx(2 * 5 * 365 - 365 * 4 * 2**0.5, rel=1e-4)
    assert (usd.realised, usd.realised_ideas) == (None, 0)
    assert [one.stage for one in found.cycles if one.ideas] == ["data", "research", "analysis", "idea to verdict"]
    [spent] = found.budgets
    assert (spent.ideas, spent.planned) == (1, 20)
    said = typed(walked.root, "programme")
    assert "1 of 1 judged" in said.out
    assert typed(walked.root, "programme", "--json").json["shipping"]["of"] == 1


def test_a_workspace_is_told_of_as_one(walked: Project, tmp_path: Path):
    """Standup, backlog and programme are over every project of the workspace, each sentence with its own."""
    other = kiosk.lay(tmp_path / "other")
    kiosk.write_idea(other, 9)
    settings = other / "shipworthy.toml"
    settings.write_text(settings.read_text().replace("[project]", '[project]\nsquad = "far"'))
    (tmp_path / "workspace.toml").write_text('[workspace]\nprojects = ["kiosk", "other"]\n')
    waits = typed(tmp_path, "standup", "--json").json["waits"]
    assert {(one["project"], one["idea"]) for one in waits} == {("kiosk", 1), ("kiosk", 2), ("far/other", 9)}
    assert typed(tmp_path, "programme", "--json").json["ideas"] == 3
    lines = typed(tmp_path, "backlog", "--json").json
    assert [(one["project"], one["idea"]) for one in lines][:2] == [("kiosk", 1), ("kiosk", 2)]


def test_the_backlog_says_why_each_idea_stands_where_it_does(walked: Project):
    """What was measured goes before what is only claimed; an idea without a claim gets the squad's mean, and says so."""
    kiosk.write_idea(walked.root, 3)
    path = walked.root / "ideas" / "0003-kiosk.toml"
    path.write_text(path.read_text().replace('problem = "kiosk"', 'problem = ""'))
    lines = backlog([Facts(walked)])
    assert [line.idea for line in lines] == [1, 2, 3]
    measured, claimed, silent = lines
    assert [(line.currency, line.is_guessed) for line in lines] == [("EUR", False), ("EUR", False), ("EUR", True)]
    assert "measured" in " ".join(measured.why)
    assert claimed.worth.gain == pytest.approx(5.0 * 365)
    assert "mean of the squad's ideas is taken" in " ".join(silent.why)
    for line in lines:
        assert line.worth.low <= line.worth.value <= line.worth.high
    assert "person-days" in typed(walked.root, "backlog", "--why").out


def test_what_is_refused_ranks_last(walked: Project):
    """An idea that the data refuse says so, and stands below one of which nobody said what it would gain."""
    kiosk.write_idea(walked.root, 3)
    asked = walked.records.get("data", "0001")
    walked.records.add(
        Change(kind="data", key="0002", body={**asked.body, "gaps": [["It leaks", "Take it out."]]}), by="ben"
    )
    lines = backlog([Facts(walked)])
    assert [line.idea for line in lines] == [1, 3, 2]
    assert (lines[2].says, lines[2].why[0]) == ("refused", "It is refused, so it ranks last. It leaks.")


def test_claims_are_believed_as_far_as_they_came_true(walked: Project):
    """Where the ledger shows half of what was claimed, another idea's claim counts for less; where it shows all, it does not."""
    path = walked.root / "ideas" / "0001-kiosk.toml"
    path.write_text(path.read_text() + "expected_gain = [10.0, 20.0, 30.0]\n")

    def value(realised: float) -> float:
        line = {**LINE, "realised": {"gain": realised, "low": realised - 1, "high": realised + 1}}
        found = {one.idea: one.worth for one in backlog([Facts(walked)], ledger={walked.space: [line]})}
        return found[2].value

    assert value(2.0) < value(10.0) < value(20.0)


def test_what_is_over_is_no_part_of_the_backlog(walked: Project):
    """An idea that was rolled back or is live waits for nobody."""
    move = Move(phase=Phase.ROLLED_BACK, champion="a" * 64, idea="0001", why="It lost.")
    make_move(walked, "kiosk", None, move)
    assert [line.idea for line in backlog([Facts(open_project(walked.root))])] == [2]
    assert [one.idea for one in standup([Facts(walked)]).waits] == [2]


def test_facts_that_are_kept_are_those_that_are_read_anew(walked: Project):
    """After each record of any kind, what was kept current is what somebody reads who begins now; so it is from long ago on."""
    kept = Facts(walked)
    month = datetime.now(UTC) - timedelta(weeks=4)
    facts = walked.records.get("idea", "0001")
    assert facts is not None
    again = {kind: walked.records.get(kind, "0001") for kind in ("idea", "data", "research", "verdict")}
    steps = [Change(kind=kind, key="0002", body=record.body) for kind, record in again.items() if record]
    steps += [
        Change(kind="idea", key="0002", body={**facts.body, "text": "title = 'anew'", "lock": None}),
        Change(kind="data", key="0001", body={"gaps": [["what", "remedy"]]}),
        Change(kind="verdict", key="0001", body=_without_units(again["verdict"].body)),
        Change(kind="override", key="0001", body={"to": "ship", "instead_of": "stop", "why": "x", "seconds": "0001/1"}),
    ]
    for step in steps:
        walked.records.add(step, by="ann")
        anew = Facts(walked)
        assert kept.courses() == anew.courses()
        assert (kept.measured(), kept.terms()) == (anew.measured(), anew.terms())
        assert kept.happened(month) == anew.happened(month) == anew.happened(month - timedelta(weeks=100))
    assert 1 not in kept.measured()
    assert [one.decision for one in kept.courses() if one.idea == 1] == ["ship"]


def _without_units(body: Mapping[str, Any]) -> dict[str, Any]:
    """A verdict that says nothing of a year."""
    verdict = body["verdict"]
    return {**body, "verdict": {**verdict, "criteria": {**verdict["criteria"], "units_per_year": None}}}
