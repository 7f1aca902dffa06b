"""Parity, with the real server: the packaged release decides what the replay's step decided, or is not shipped."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import shipworthy.ship.parity
from shipworthy.analysis.analyse import analyse_idea
from shipworthy.data.examine import examine_data
from shipworthy.errors import GateClosedError, UnavailableError
from shipworthy.project import Project
from shipworthy.research.research import research_idea
from shipworthy.ship.parity import Parity, prove_parity
from shipworthy.ship.release import Release, build_release, open_release
from shipworthy.ship.rollout import Phase, read_rollout
from shipworthy.ship.ship import ship_idea
from tests.problems import make_project, replay_of

DECIDES = '    memory = "28d"\n\n    def decide(self, now, fitted):\n        same ='


def _walk(project: Project) -> None:
    examine_data(project, 1)
    research_idea(project, 1)
    verdict = analyse_idea(project, 1).verdict
    assert verdict.decision == "ship", verdict.reasons


def _with(project: Project, first_lines: str) -> None:
    """Puts lines at the beginning of the good policy's decide."""
    lines = "".join(f"        {line}\n" for line in first_lines.splitlines())
    text = (project.root / "problem.py").read_text()
    assert text.count(DECIDES) == 1
    (project.root / "problem.py").write_text(
        text.replace(DECIDES, DECIDES.replace("        same =", f"{lines}        same ="))
    )
    _walk(project)


def test_an_honest_policy_has_parity_behind_its_real_server(judged: Project):
    """Baseline and challenger, packaged, served over HTTP, decide every golden period alike."""
    shipped = ship_idea(judged, 1)
    assert (shipped.parity.periods, shipped.parity.equal, shipped.parity.tied) == (10, 10, 0)
    assert shipped.rollout.phase is Phase.SHADOW
    for release in (shipped.rollout.champion, shipped.rollout.challenger):
        assert judged.records.get("parity", release).body == {"periods": 10, "equal": 10, "tied": 0, "broken": []}


ELSE = "return now.rows.select('bread', loaves=pl.lit(7.0))"


@pytest.mark.parametrize(
    "lines",
    [
        f"import os\nif 'SHIPWORTHY_LIVE' in os.environ:\n    {ELSE}",
        f"from pathlib import Path\nif not (Path(__file__).parent / 'model.txt').exists():\n    {ELSE}",
        "import factors\nfactors.check()",
    ],
    ids=["an environment variable", "a file beside the code", "an import when deciding"],
)
def test_a_policy_that_depends_on_the_machine_is_not_shipped(
    judged: Project, lines: str, monkeypatch: pytest.MonkeyPatch
):
    """What decides one way where it was judged, and another way once packaged and served, stays out of shadow."""
    (judged.root / "model.txt").write_text("")
    (judged.root / "factors.py").write_text(
        "from pathlib import Path\ndef check():\n    assert Path(__file__).exists()\n"
    )
    _with(judged, lines)
    _trust_the_baseline(monkeypatch)
    with pytest.raises(GateClosedError, match=r"(?s)to what serves is closed.*No parity.*worth"):
        ship_idea(judged, 1)
    rollout = read_rollout(judged, "kiosk")
    assert (rollout.challenger, rollout.idea) == (None, None)


def _trust_the_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Saves the time of proving the baseline again; the challenger is proven by its real server."""

    def proven(project: Project, release: Release) -> Parity:
        if release.decider.name == "yesterday":
            return Parity(periods=10, equal=10, tied=0, broken=())
        return prove_parity(project, release)

    monkeypatch.setattr("shipworthy.ship.parity.prove_parity", proven)


@pytest.fixture
def opened(shadowed: Project) -> Release:
    """The release of an idea in shadow."""
    return open_release(shadowed, read_rollout(shadowed, "kiosk").challenger)


@pytest.fixture
def answers(opened: Release, monkeypatch: pytest.MonkeyPatch) -> list[list[dict[str, Any]]]:
    """What a server would answer, period by period: the golden decisions, until a test changes them."""
    golden = opened.golden.partition_by("day", maintain_order=True)
    given = [part.select("bread", "loaves").to_dicts() for part in golden]
    left = iter(given)
    _answer_with(monkeypatch, lambda body: (200, {"decisions": next(left)}))
    return given


def _answer_with(monkeypatch: pytest.MonkeyPatch, answer: Callable[[Any], tuple[int, dict[str, Any]]]) -> None:
    """Puts a function in the place of the server."""

    class Scripted:
        def post(self, path: str, body: Any) -> tuple[int, dict[str, Any]]:
            return answer(body)

    @contextmanager
    def scripted(project: Project, problem: str, *options: str) -> Iterator[Scripted]:
        yield Scripted()

    monkeypatch.setattr(shipworthy.ship.parity, "spare_server", scripted)


def test_another_optimum_is_accepted_by_its_value(
    shadowed: Project, opened: Release, answers: list[list[dict[str, Any]]]
):
    """Other decisions of the same money that keep every constraint are as good: a tie, told apart from equal ones."""
    for day, rows in zip(opened.golden["day"].unique().sort(), answers, strict=True):
        demand = dict(opened.memory.filter(day=day).select("bread", "demand").rows())
        if all(row["loaves"] - 1 >= demand[row["bread"]] for row in rows):
            break
    else:
        pytest.fail("on one golden day both breads are left over: one less of the one and one more of the other")
    for row, change in zip(rows, (1, -1), strict=True):
        row["loaves"] += change
    found = prove_parity(shadowed, opened)
    assert (found.equal, found.tied, found.broken) == (9, 1, ())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows[0].update(loaves=rows[0]["loaves"] + 5), "worth"),
        (lambda rows: rows[0].update(loaves=1000.0), "violates constraint 'fits_the_oven'"),
        (lambda rows: rows[0].update(loaves=None), "worth|violates|null"),
        (lambda rows: rows.pop(), "null|missing|without"),
        (lambda rows: rows[0].update(bread="spelt"), "null|missing|without"),
        (lambda rows: rows[0].pop("loaves"), "null|missing|without"),
        (lambda rows: rows.clear(), "null|missing|without"),
    ],
    ids=["worth less", "infeasible", "null", "a unit missing", "another unit", "no decision", "nothing"],
)
def test_a_worse_or_infeasible_answer_is_broken(
    shadowed: Project, opened: Release, answers: list[list[dict[str, Any]]], change: Callable[[Any], Any], says: str
):
    """Anything but the golden decisions, or others as good, breaks parity, with the period and what was wrong."""
    change(answers[3])
    found = prove_parity(shadowed, opened)
    assert not found.holds
    assert (found.equal, found.tied, len(found.broken)) == (9, 0, 1)
    assert str(opened.golden["day"].unique().sort()[3]) in found.broken[0]
    assert re.search(says, found.broken[0]), found.broken


def test_an_error_of_the_server_is_broken(shadowed: Project, opened: Release, monkeypatch: pytest.MonkeyPatch):
    """A server that answers with an error has no parity, and its words are passed on."""
    _answer_with(monkeypatch, lambda body: (503, {"detail": "nothing could decide"}))
    found = prove_parity(shadowed, opened)
    assert len(found.broken) == 10
    assert found.broken[0].endswith("the server answered 503: nothing could decide")


def test_a_server_that_does_not_start_is_said(shadowed: Project, opened: Release, monkeypatch: pytest.MonkeyPatch):
    """A server that ends at once is an error with what it said, and leaves no process behind."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(UnavailableError, match="did not start"):
        prove_parity(shadowed, opened)


def test_parity_is_proven_once_per_release(judged: Project, monkeypatch: pytest.MonkeyPatch):
    """What was proven stays proven, as long as not a byte changes; what was broken is tried again."""
    asked: list[str] = []

    def proof(project: Project, release: Release) -> Parity:
        asked.append(release.decider.name)
        broken = ("2025-05-01: otherwise",) if asked.count("weekday") == 1 and release.decider.name == "weekday" else ()
        return Parity(periods=10, equal=10 - len(broken), tied=0, broken=broken)

    monkeypatch.setattr("shipworthy.ship.parity.prove_parity", proof)
    with pytest.raises(GateClosedError, match=r"No parity\. 2025-05-01: otherwise\."):
        ship_idea(judged, 1)
    assert ship_idea(judged, 1).rollout.phase is Phase.SHADOW
    assert asked == ["yesterday", "weekday", "weekday"]


SHIFTS = """
import datetime as dt
import polars as pl
import shipworthy as sw

def made_up_rows():
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=i) for i in range(40)]
    return pl.DataFrame([
        {"day": day, "shift": dt.date(2026, 1, 1 + place), "load": 10.0 * place + i % 3, "worked": None if i > 37 else 1.0}
        for i, day in enumerate(days) for place in range(2)
    ])

shifts = sw.Problem(
    "shop", rows=sw.frame(made_up_rows), period="day", unit="shift", outcome="worked",
    decision=("people", "start", "team"), initial_state={"rested": 3},
)

@shifts.value
def money(happened):
    MONEY

@shifts.constraint
def enough(decided, state):
    return pl.col("people").sum() <= state["rested"] + 5

@shifts.transition
def rest(state, happened):
    return state

@shifts.policy(champion=True)
class Same(sw.Policy):
    def decide(self, now, fitted):
        return now.rows.select("shift", people=pl.lit(2), start=pl.lit(dt.datetime(2026, 1, 1, 6)), team=pl.lit("red"))
"""


def _shifts(folder: Path, money: str = 'return -1.0 * pl.col("people") * pl.col("worked")') -> tuple[Project, Release]:
    """A problem with several decisions, a unit and a decision that are dates, and a state."""
    project = make_project(folder / "shop", SHIFTS.replace("MONEY", money).replace("shifts =", "shop = shifts ="))
    return project, open_release(project, build_release(replay_of(project), "same", None))


def _answers_of(release: Release, change: Callable[[dict[str, Any]], None]) -> Callable[[Any], Any]:
    """Answers with the golden decisions as JSON, the first unit's changed."""

    def answer(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        golden = release.golden.filter(day=body["period"]).drop("day")
        rows = json.loads(json.dumps(golden.to_dicts(), default=lambda value: value.isoformat()))
        change(rows[0])
        return 200, {"decisions": rows[::-1]}

    return answer


def test_decisions_of_several_columns_and_dates_have_parity_behind_the_server(tmp_path: Path):
    """Units and decisions that are dates come back from JSON as what they were, and the state is sent with each period."""
    project, release = _shifts(tmp_path)
    found = prove_parity(project, release)
    assert (found.periods, found.equal, found.broken) == (10, 10, ())


def test_golden_periods_are_those_with_an_outcome(tmp_path: Path):
    """The last periods, of which nobody knows yet what they were worth, could not tell a worse decision from another optimum."""
    _, release = _shifts(tmp_path)
    assert str(release.golden["day"].max()) == "2026-02-07"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"people": 2.0}, "equal"),
        ({"team": "blue"}, "tied"),
        ({"start": "2026-01-01T07:00:00"}, "tied"),
        ({"people": 7}, "violates constraint 'enough'"),
        ({"people": 3}, "worth"),
        ({"start": "tomorrow"}, "cannot be read"),
        ({"team": None}, "null"),
    ],
)
def test_every_column_counts_and_only_money_makes_another_optimum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], says: str
):
    """Other decisions are as good where they keep every rule, those of the state too, for the same money; and no other."""
    project, release = _shifts(tmp_path)
    _answer_with(monkeypatch, _answers_of(release, lambda row: row.update(change)))
    found = prove_parity(project, release)
    if says in {"equal", "tied"}:
        assert (getattr(found, says), found.broken) == (10, ())
    else:
        assert len(found.broken) == 10
        assert says in found.broken[0]


@pytest.mark.parametrize(
    ("money", "says"),
    [
        ('return pl.when(pl.col("team") == "red").then(1.0).otherwise(float("nan"))', "nan|NaN"),
        ('return pl.when(pl.col("worked") > 1).then(1.0)', "nobody can say whether it is as good"),
    ],
    ids=["not a number", "no money at all"],
)
def test_money_that_says_nothing_makes_no_other_optimum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, money: str, says: str
):
    """Where the value of other decisions is no number, or there is none, they are broken, not tied."""
    project, release = _shifts(tmp_path, money)
    _answer_with(monkeypatch, _answers_of(release, lambda row: row.update(team="blue")))
    found = prove_parity(project, release)
    assert len(found.broken) == 10
    assert re.search(says, found.broken[0])


def test_a_solver_that_the_clock_stops_is_told_as_the_cause(tmp_path: Path):
    """A policy whose decisions depend on how long it may take has no parity, and the message says what to change."""
    source = SHIFTS.replace("shifts =", "shop = shifts =").replace("MONEY", 'return -1.0 * pl.col("people")')
    hurried = """
import os
from shipworthy.problem import Solve
class Hurried(Same):
    def decide(self, now, fitted):
        decided = super().decide(now, fitted)
        people = 1 if "SHIPWORTHY_LIVE" in os.environ else 2  # stands for a slower machine
        solve = Solve(solver="some", status="feasible", seconds=1.0, time_limit=1.0)
        return sw.Plan(decisions=decided.with_columns(people=pl.lit(people)), solve=solve)
shifts.policy(name="hurried")(Hurried)
class Late(Same):
    def decide(self, now, fitted):
        if "SHIPWORTHY_LIVE" in os.environ:
            raise TimeoutError("too slow here")
        return super().decide(now, fitted).with_columns(people=pl.lit(1))
shifts.policy(name="late")(Late)
"""
    project = make_project(tmp_path / "shop", source + hurried)
    for policy, says in (("hurried", "stopped by the clock"), ("late", "decided by the fallback: late.*too slow here")):
        release = open_release(project, build_release(replay_of(project), policy, None))
        found = prove_parity(project, release)
        assert len(found.broken) == 10, found
        assert re.search(says, found.broken[0]), found.broken[0]
