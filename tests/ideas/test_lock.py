"""Pre-registration: what counts as success is fixed when research starts, and what is said later stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from shipworthy.analysis.analyse import analyse_idea
from shipworthy.data.examine import examine_data
from shipworthy.errors import PreconditionError
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.lock import deviations, lock_criteria, locked_criteria
from shipworthy.ideas.register import find_idea
from shipworthy.project import Project, open_project
from shipworthy.research.research import research_idea
from shipworthy.store import Change


def _edit(project: Project, before: str, after: str) -> None:
    path = project.root / "ideas" / "0001-same-weekday.toml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_research_locks_and_nothing_before_it(bakery: Project):
    """Nothing is locked before research starts; research locks what the file then says."""
    examine_data(bakery, 1)
    assert locked_criteria(bakery, find_idea(bakery, 1)) is None
    research_idea(bakery, 1)
    assert locked_criteria(bakery, find_idea(bakery, 1)) == {
        "problem": "bakery",
        "challenger": "same_weekday",
        "smallest_gain": 5.0,
        "expected_gain": [5.0, 20.0, 60.0],
        "per": "period",
        "guardrails": {},
        "segments": ["bread", "weekday"],
        "currency": "EUR",
        "periods_per_year": 365.0,
        "margins": {"sold_out": 0.05},
        "holdout": None,
        "assumptions": {"price": 3.0, "unit_cost": 1.0},
    }


def test_assumptions_and_segments_that_were_changed_later_are_deviations(bakery: Project):
    """Who talks the price up, or looks at other segments, once research has started is told so in the report."""
    idea = find_idea(bakery, 1)
    lock_criteria(bakery, idea, {"assumptions": {"price": 3.0}})
    later = replace(idea, segments=("bread",))
    assert deviations(bakery, later, {"assumptions": {"price": [4.0, 2.0, 5.0]}}) == [
        "segments was ['bread', 'weekday'] when research started; the file now says ['bread'].",
        "assumptions was {'price': 3.0} when research started; the problem now says {'price': [4.0, 2.0, 5.0]}.",
    ]


def test_a_lock_from_before_there_were_any_is_no_deviation(bakery: Project):
    """A lock that knows neither segments nor assumptions means none; declaring some afterwards is told."""
    idea = replace(find_idea(bakery, 1), segments=())
    lock_criteria(bakery, idea, {})
    record = bakery.records.get("idea", "0001")
    assert record is not None
    criteria = {name: value for name, value in record.body["lock"]["criteria"].items() if name != "segments"}
    lock = {**record.body["lock"], "criteria": criteria}
    bakery.records.add(Change(kind="idea", key="0001", body={**record.body, "lock": lock}), by="tester")
    assert deviations(bakery, idea, {"assumptions": {}}) == []
    assert len(deviations(bakery, replace(idea, segments=("bread",)), {"assumptions": {"price": 3.0}})) == 2


def test_a_margin_relaxed_in_the_code_changes_no_verdict(bakery: Project):
    """Who walks again with a softer margin in the problem is judged by the locked one, and the report says so."""
    examine_data(bakery, 1)
    research_idea(bakery, 1)
    code = bakery.root / "problem.py"
    code.write_text(code.read_text().replace("margin=0.05", "margin=0.5"))
    examine_data(bakery, 1)
    research_idea(bakery, 1)
    found = analyse_idea(bakery, 1)
    assert [margin.margin for margin in found.verdict.criteria.guardrails] == [0.05]
    [said] = found.deviations
    assert said == "margins was {'sold_out': 0.05} when research started; the problem now says {'sold_out': 0.5}."


def test_the_verdict_judges_by_what_was_locked(bakery: Project):
    """Editing the smallest gain after research changes no verdict; the edit stands in it as a deviation."""
    examine_data(bakery, 1)
    research_idea(bakery, 1)
    before = analyse_idea(bakery, 1)
    _edit(bakery, "smallest_gain = 5.0", "smallest_gain = 50.0")
    after = analyse_idea(bakery, 1)
    assert before.deviations == []
    assert after.deviations == ["smallest_gain was 5.0 when research started; the file now says 50.0."]
    assert after.verdict == before.verdict
    research_idea(bakery, 1)
    assert locked_criteria(bakery, find_idea(bakery, 1))["smallest_gain"] == 5.0


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda idea: replace(idea, smallest_gain=6.0), "smallest_gain"),
        (lambda idea: replace(idea, expected_gain=(5.0, 20.0, 61.0)), "expected_gain"),
        (lambda idea: replace(idea, expected_gain=None), "expected_gain"),
        (lambda idea: replace(idea, per="year"), "per"),
        (lambda idea: replace(idea, guardrails={"sold_out": 0.5}), "guardrails"),
        (lambda idea: replace(idea, challenger="yesterday"), "challenger"),
        (lambda idea: replace(idea, problem="other"), "problem"),
    ],
)
def test_every_criterion_is_watched(bakery: Project, change: Callable[[Idea], Idea], name: str):
    """A later change of anything that decides is a deviation, named with both values."""
    idea = find_idea(bakery, 1)
    lock_criteria(bakery, idea, {})
    [said] = deviations(bakery, change(idea))
    assert said.startswith(f"{name} was {getattr(idea, name)!r}".replace("(", "[").replace(")", "]"))


def test_words_may_be_improved(bakery: Project):
    """Title, change, mechanism, owner and deadline decide nothing, and may be edited."""
    idea = find_idea(bakery, 1)
    lock_criteria(bakery, idea, {})
    assert deviations(bakery, replace(idea, title="t", change="c", because="b", owner="o")) == []


def test_before_the_lock_nothing_deviates(bakery: Project):
    """An idea that was never researched has no deviations."""
    assert deviations(bakery, find_idea(bakery, 1)) == []


def test_the_lock_is_put_once(bakery: Project):
    """Of many who lock different criteria at once one wins; all others are told, or find its lock."""
    idea = find_idea(bakery, 1)
    start = Barrier(6)

    def lock(n: int) -> str | None:
        project = open_project(bakery.root)
        start.wait()
        try:
            return lock_criteria(project, replace(idea, smallest_gain=float(n)), {})
        except PreconditionError:
            return None
        finally:
            project.records.close()

    with ThreadPoolExecutor(6) as pool:
        digests = {found for found in pool.map(lock, range(6)) if found is not None}
    assert len(digests) == 1
    assert len(bakery.records.history("idea", "0001")) == 1
