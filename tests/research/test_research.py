"""Research: evidence of both policies side by side, the same whenever it is computed, behind a gate, with locked criteria."""

import re

import polars as pl
import pytest

from shipworthy.data.examine import examine_data
from shipworthy.engine import code_digest
from shipworthy.errors import GateClosedError, TamperedError
from shipworthy.ideas.lock import deviations, locked_criteria
from shipworthy.ideas.register import find_idea
from shipworthy.project import open_project
from shipworthy.project.code import load_problem
from shipworthy.research.evidence import evidence_digest, open_evidence
from shipworthy.research.gate import missing
from shipworthy.research.research import read_research, research_idea
from tests.problems import SHOP, make_project

TWO = (
    SHOP
    + "\n@shop.guardrail(margin=0.1, better='lower')\ndef sold_out(happened):\n    return pl.col('sold') > pl.col('stock')\n"
)


def researched(folder, source=TWO, *, workers=1, **idea):
    """A small project walked through Data and Research."""
    project = make_project(folder, source, {1: idea}, f"[research]\nworkers = {workers}")
    examine_data(project, 1)
    return project, research_idea(project, 1)


def edit(project, file, old, new):
    """Changes a file of the project, and gives the project anew."""
    path = project.root / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    return open_project(project.root)


def gaps(project):
    """What keeps the gate to Analysis closed, with the code as it is now."""
    idea = find_idea(project, 1)
    return [gap.what for gap in missing(project, idea, code_digest(*load_problem(project, "shop"), idea.challenger))]


def test_the_evidence_holds_both_policies_side_by_side(tmp_path):
    """One row per period and unit: decision, value, guardrail and telemetry of each, and no seconds."""
    project, found = researched(tmp_path / "shop")
    evidence = open_evidence(project, found.evidence)
    account = ["rung", "status", "solver", "gap", "objective", "bound", "seed", "threads", "limit_kind", "falls"]
    per_policy = ["stock", *account, "value", "sold_out"]

    assert evidence.columns == [
        "period",
        "unit",
        *(f"{n}_champion" for n in per_policy),
        *(f"{n}_challenger" for n in per_policy),
    ]
    assert evidence.height == 27 * 3
    assert evidence.select(pl.struct("period", "unit").is_duplicated().any()).item() is False
    assert evidence.equals(evidence.sort("period", "unit"))
    assert (evidence["seed_champion"] == evidence["seed_challenger"]).all()
    assert found.periods == 27


def test_what_research_left_behind_is_recorded(tmp_path):
    """Snapshot, code, criteria, work and rungs stand in the record, under the name of who did it."""
    project, found = researched(tmp_path / "shop")
    record = project.records.get("research", "0001")

    assert read_research(record) == found
    assert (found.problem, found.challenger, found.blocks) == ("shop", "better", 8)
    assert found.fits == 4  # the champion's four were computed by the Data stage
    assert found.falls == {"champion": {"policy": 27}, "challenger": {"policy": 27}}
    assert min(found.seconds.values()) > 0


def test_the_first_fall_is_told_with_its_reason(tmp_path):
    """Who decides in a policy's place is counted, and why it did not decide itself stands beside the count."""
    greedy = TWO.replace("stock=1 * pl.col", "stock=(1 + 9 * (now.period.weekday() == 0)) * pl.col")
    rule = "\n@shop.constraint\ndef fits(decided):\n    return pl.col('stock').sum() <= 60\n"

    _, found = researched(tmp_path / "shop", greedy + rule)

    assert found.falls == {"champion": {"policy": 27}, "challenger": {"policy": 23, "fallback": 4}}
    assert found.first_falls == {"challenger": "2026-01-19: better: violates constraint 'fits'"}


def test_the_digest_is_the_same_on_every_run_and_every_number_of_workers(tmp_path):
    """Run again, run elsewhere, run on two processes: the evidence has the same bytes."""
    project, first = researched(tmp_path / "one")
    again = research_idea(project, 1)
    _, elsewhere = researched(tmp_path / "two", workers=2)

    assert again.fits == 0
    assert first.evidence == again.evidence == elsewhere.evidence
    assert first.evidence == f"evidence/{evidence_digest(open_evidence(project, first.evidence))}"


def test_another_seed_is_other_evidence(tmp_path):
    """The seed is part of what was computed, and stands in it."""
    project, first = researched(tmp_path / "shop")
    other = edit(project, "shipworthy.toml", "workers = 1", "workers = 1\nseed = 2")
    assert research_idea(other, 1).evidence != first.evidence


def test_damaged_evidence_is_not_used(tmp_path):
    """One byte more, and the evidence does not have the content that its name promises."""
    project, found = researched(tmp_path / "shop")
    with (project.root / ".shipworthy" / "objects" / found.evidence).open("ab") as file:
        file.write(b"!")
    with pytest.raises(TamperedError, match="does not have the content its name promises"):
        open_evidence(project, found.evidence)


def test_research_waits_for_the_data(tmp_path):
    """The gate names what is missing and the command that does it."""
    project = make_project(tmp_path / "shop")
    with pytest.raises(GateClosedError, match=re.escape("examined for this idea. Run `shipworthy data 1`.")):
        research_idea(project, 1)
    assert locked_criteria(project, find_idea(project, 1)) is None


def test_research_does_not_begin_on_what_cannot_be_tested(tmp_path):
    """What the data stage found stands in the refusal, word for word."""
    project = make_project(tmp_path / "shop", TWO, {1: {"texts": {"challenger": "today"}}})
    answer = examine_data(project, 1)
    with pytest.raises(GateClosedError) as refused:
        research_idea(project, 1)
    assert str(answer.gaps[0]) in str(refused.value)


def test_research_does_not_begin_on_code_that_was_not_examined(tmp_path):
    """A challenger that was changed after the proof could leak: it has to be examined again."""
    project, _ = researched(tmp_path / "shop")
    other = edit(project, "problem.py", 'memory = "14d"', 'memory = "15d"')
    with pytest.raises(GateClosedError, match="The code changed since the data were examined"):
        research_idea(other, 1)


def test_what_counts_as_success_is_locked_when_research_begins(tmp_path):
    """A later edit of the idea changes nothing that was locked; it stands as a deviation."""
    project, first = researched(tmp_path / "shop")
    other = edit(project, "ideas/0001-idea.toml", "smallest_gain = 1.0", "smallest_gain = 0.5")
    examine_data(other, 1)
    again = research_idea(other, 1)
    idea = find_idea(other, 1)

    assert again.criteria == first.criteria
    assert locked_criteria(other, idea)["smallest_gain"] == 1.0
    assert deviations(other, idea) == ["smallest_gain was 1.0 when research started; the file now says 0.5."]


def test_evidence_of_an_older_snapshot_keeps_the_gate_to_analysis_closed(tmp_path):
    """New rows were examined, and research has not seen them."""
    project, _ = researched(tmp_path / "shop")
    assert gaps(project) == []
    other = edit(project, "problem.py", "days=40", "days=41")
    assert gaps(other) == ["The code changed since the data were examined."]
    examine_data(other, 1)
    assert gaps(other) == ["The evidence is of an older snapshot than the one that was examined."]
    research_idea(other, 1)
    assert gaps(other) == []


def test_evidence_of_other_code_keeps_the_gate_to_analysis_closed(tmp_path):
    """The rows are the same, the policy is not."""
    project, _ = researched(tmp_path / "shop")
    other = edit(project, "problem.py", 'memory = "14d"', 'memory = "15d"')
    examine_data(other, 1)
    assert gaps(other) == ["The evidence is of other code than was examined."]


def test_no_evidence_keeps_the_gate_to_analysis_closed(tmp_path):
    """Before research there is nothing to analyse."""
    project = make_project(tmp_path / "shop")
    examine_data(project, 1)
    assert gaps(project) == ["There is no evidence for this idea yet."]
