"""Many ideas on one history: each opening is counted once, none is free, and a history that is used up answers no more."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest

from shipworthy.analysis import Decision, Verdict, verdict
from shipworthy.analysis.analyse import analyse_idea, read_analysis
from shipworthy.analysis.verification import verify_analysis
from shipworthy.data.examine import examine_data
from shipworthy.data.holdout import ABANDONED, Holdout, holdout_for, read_holdouts
from shipworthy.errors import GateClosedError, InvalidInputError
from shipworthy.problem import Problem
from shipworthy.project import Project, open_project
from shipworthy.research.research import research_idea
from shipworthy.statistics import Grant
from shipworthy.store.sqlite import SqliteRecordStore
from tests.problems import SHOP, make_project
from tests.research.test_research import edit
from tests.series import evidence

NOISY = SHOP.replace("days=40", "days=150").replace(
    '"sold": 3 * place + day % 7', '"sold": 3 * place + day % 7 + (day * day * 37 + place * 11) % 5'
)
SEALED = NOISY.replace('decision="stock")', 'decision="stock", holdout="60d")')


class Shop(Protocol):
    """Gives a test a project of its own."""

    def __call__(self, source: str = NOISY, ideas: int = 2, **declared: Any) -> Project:
        """A small project whose ideas were examined and researched; the second one repeats the first."""


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], Path]:
    """Lays each shop once, up to its research."""

    @cache
    def lay(source: str, ideas: int) -> Path:
        folder = tmp_path_factory.mktemp("laid") / "shop"
        project = make_project(folder, source, {n: {} for n in range(1, ideas + 1)}, "[research]\nworkers = 1")
        for number in range(1, ideas + 1):
            examine_data(project, number)
            research_idea(project, number)
        project.records.close()
        return folder

    return lay


@pytest.fixture
def shop(laid: Callable[[str, int], Path], tmp_path: Path) -> Shop:
    """Copies a shop that was laid, so that the test may change it."""

    def copied(source: str = NOISY, ideas: int = 2, **declared: Any) -> Project:
        said = "".join(f", {name}={value!r}" for name, value in declared.items())
        source = source.replace('decision="stock"', f'decision="stock"{said}')
        return open_project(Path(shutil.copytree(laid(source, ideas), tmp_path / "shop")))

    return copied


def opened(project: Project) -> list[tuple[str, str]]:
    """Idea and decision of each opening of the only history."""
    [found] = read_holdouts(project)
    return [(one.idea, one.decision) for one in found.openings]


def test_the_same_evidence_is_judged_again_for_nothing(shop):
    """Asked three times, the verdict is the same, and its history has one opening and one version."""
    project = shop(ideas=1)
    found = [analyse_idea(project, 1) for _ in range(3)]
    assert found[0].verdict == found[1].verdict == found[2].verdict
    assert found[0].budget == found[2].budget
    assert len(project.records.history("holdout", "shop-1")) == 1
    assert read_analysis(project.records.get("verdict", "0001")) == found[0]
    assert verify_analysis(project, 1).is_same


def test_an_idea_that_was_only_researched_counts_as_tried(shop):
    """On an open history its money can be seen: it comes before the idea that is judged, and later costs nothing again."""
    project = shop()
    second = analyse_idea(project, 2)
    assert opened(project) == [("0001", ABANDONED), ("0002", str(second.verdict.decision))]
    assert second.budget.idea == 2
    first = analyse_idea(project, 1)
    assert opened(project) == [("0001", str(first.verdict.decision)), ("0002", str(second.verdict.decision))]
    assert first.budget.idea == 1


def test_a_sealed_history_counts_only_who_opened_it(shop):
    """Research shows nothing of a sealed holdout, so only the verdict opens it."""
    project = shop(SEALED)
    analyse_idea(project, 2)
    assert [idea for idea, _ in opened(project)] == ["0002"]


def test_a_short_holdout_sealed_after_an_open_look_counts_that_look(tmp_path):
    """Whoever replayed the whole history has seen the month at its end, however small a part of it that is."""
    long = NOISY.replace("days=150", "days=240")
    project = make_project(tmp_path / "shop", long, {1: {}, 2: {}}, "[research]\nworkers = 1")
    for number, sealed in ((1, ""), (2, ', holdout="30d"')):
        project = edit(project, "problem.py", 'decision="stock")', f'decision="stock"{sealed})')
        examine_data(project, number)
        research_idea(project, number)
    second = analyse_idea(project, 2)
    assert opened(project) == [("0001", ABANDONED), ("0002", str(second.verdict.decision))]


def test_changed_evidence_is_another_opening_and_what_was_tried_before_it_counts(shop):
    """A policy that is changed after its verdict stands there twice; two changes before one verdict count as its versions."""
    project = shop(ideas=1)
    analyse_idea(project, 1)
    for before, after in (("=1 *", "=0.98 *"), ("=0.98 *", "=0.97 *")):
        project = edit(project, "problem.py", f"stock{before} pl", f"stock{after} pl")
        examine_data(project, 1)
        research_idea(project, 1)
    analyse_idea(project, 1)
    [found] = read_holdouts(project)
    assert [len(one.versions) for one in found.openings] == [1, 2]
    assert [len(one.fingerprints) for one in found.openings] == [1, 2]


def test_a_history_that_is_used_up_answers_no_further_idea(shop):
    """After the ideas planned it refuses, and says what comes next; what it has answered it answers again."""
    project = shop(SEALED, ideas_planned=1)
    before = analyse_idea(project, 1)
    with pytest.raises(GateClosedError, match=r"retired after 1 of 1 planned ideas.*48 periods later"):
        analyse_idea(project, 2)
    assert [idea for idea, _ in opened(project)] == ["0001"]
    assert project.records.get("verdict", "0002") is None
    assert analyse_idea(project, 1).verdict == before.verdict
    remarks = examine_data(project, 2).remarks
    assert any("No verdict on a further idea: this history is retired" in remark for remark in remarks)


def test_two_who_judge_at_once_are_both_counted(shop, tmp_path):
    """Two processes open one history at the same instant: each idea has its own number, and none is lost."""
    project = shop(SEALED)
    project.records.close()
    command = [sys.executable, "-m", "shipworthy", "analyse", "--no-report", "--json"]
    both = [
        subprocess.Popen([*command, n], cwd=tmp_path / "shop", stdout=subprocess.PIPE, text=True) for n in ("1", "2")
    ]
    said = [json.loads(one.communicate()[0]) for one in both]
    assert sorted(one["budget"]["idea"] for one in said) == [1, 2]
    assert sorted(idea for idea, _ in opened(open_project(tmp_path / "shop"))) == ["0001", "0002"]


def test_a_verdict_and_what_it_spent_are_written_together_or_not_at_all(shop, monkeypatch):
    """Killed between the two, neither is there; asked again, the idea is counted once."""
    project = shop(ideas=1)
    append = SqliteRecordStore._append

    def dying(self, change, by):
        if change.kind == "verdict":
            raise KeyboardInterrupt
        return append(self, change, by)

    monkeypatch.setattr(SqliteRecordStore, "_append", dying)
    with pytest.raises(KeyboardInterrupt):
        analyse_idea(project, 1)
    monkeypatch.undo()
    assert (read_holdouts(project), project.records.get("verdict", "0001")) == ([], None)
    analyse_idea(project, 1)
    assert [idea for idea, _ in opened(project)] == ["0001"]


def ledger(first: int, last: int, n: int = 1) -> Holdout:
    """One over numbered periods."""
    return Holdout(problem="shop", n=n, first=first, last=last, periods=last - first + 1, planned=20, alpha=0.05)


@pytest.mark.parametrize(
    ("marks", "key"),
    [
        (range(1, 101), "shop-1"),
        (range(80, 180), "shop-1"),
        (range(81, 181), "shop-2"),
        (range(1, 1000), "shop-2"),
        ([str(n) for n in range(500)], "shop-1"),
        ([], "shop-1"),
    ],
)
def test_a_new_history_begins_where_four_fifths_of_it_are_unseen(marks, key):
    """One period more that was seen before, or periods that are named in another way, and the old one goes on."""
    found = holdout_for([ledger(1, 100)], "shop", list(marks), planned=20, is_sealed=False)
    assert found.key == key


def test_periods_seen_in_parts_are_seen(tmp_path):
    """Half of it in one history and half of it in another make no new one."""
    found = holdout_for([ledger(1, 50), ledger(51, 100, 2)], "shop", list(range(1, 101)), planned=20, is_sealed=False)
    assert found.key == "shop-2"
    assert (found.first, found.last) == (1, 100)


def a_verdict(critical: float) -> Verdict:
    """Of one evidence that would ship alone, held against a bar."""
    frame = evidence(0.35 + np.random.default_rng(0).normal(size=120))
    return verdict(frame, grant=Grant(critical=critical, cosines=9, idea=3, planned=20))


def test_an_idea_that_would_ship_alone_needs_more_among_many():
    """Under a higher bar it is inconclusive and says why; its interval stays the ordinary one, and it is never stopped."""
    low, high = a_verdict(2.0), a_verdict(9.0)
    assert (low.decision, high.decision) == (Decision.SHIP, Decision.INCONCLUSIVE)
    assert (low.low, low.high, low.gain) == (high.low, high.high, high.gain)
    assert low.corrected_low == low.low
    assert high.corrected_low < 0.0 < high.low
    assert "Alone it would ship" in high.reasons[0]
    assert "corrected for the 20 ideas planned on this history (this is number 3)" in high.reasons[0]
    assert Verdict.from_dict(json.loads(json.dumps(high.to_dict()))) == high


def test_a_record_from_before_corrections_reads_as_a_single_test():
    """Without the new fields, the corrected end is the ordinary one."""
    fields = a_verdict(2.0).to_dict()
    del fields["grant"], fields["corrected_low"]
    found = Verdict.from_dict(fields)
    assert (found.grant, found.corrected_low) == (None, found.low)


def test_a_problem_plans_at_least_one_idea():
    """Nought ideas share nothing."""
    with pytest.raises(InvalidInputError, match="plans 0 ideas"):
        Problem("shop", rows=None, period="day", unit="item", outcome="sold", ideas_planned=0)
