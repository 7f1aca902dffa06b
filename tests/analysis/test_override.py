"""An override of a verdict: two people, one reason, and a record that nothing takes away."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from shipworthy.analysis import Criteria, Decision
from shipworthy.analysis.analyse import analyse_idea
from shipworthy.analysis.gate import missing
from shipworthy.analysis.override import ask_override, overrides, second_override
from shipworthy.analysis.report.page import render_report
from shipworthy.analysis.report.story import tell_story
from shipworthy.errors import DeniedError, InvalidInputError, PreconditionError
from shipworthy.ideas.register import find_idea
from shipworthy.project import open_project
from shipworthy.research.research import read_research
from shipworthy.ship.standing import standing
from shipworthy.store import Change
from tests.cli.typed import typed

HOPELESS = Criteria(min_effect=1000.0, units_per_year=1095.0)


@pytest.fixture
def stopped(walked, judge):
    """The bakery's idea, judged by criteria that it cannot meet."""
    evidence = pl.read_parquet(walked.objects.get(walked.records.get("research", "0001").body["evidence"]))
    assert judge(evidence, HOPELESS).verdict.decision == "stop"
    return walked


def as_person(project, name):
    """The same project, opened by somebody else."""
    other = open_project(project.root)
    object.__setattr__(other, "who", name)
    return other


def gaps(project):
    """What the gate from Analysis misses."""
    return missing(project, find_idea(project, 1))


def test_an_override_opens_the_gate_once_a_second_person_agrees(stopped):
    """One person alone changes nothing; with another one the gate is open, and `status` says the next command each time."""
    assert "The verdict is: stop" in str(gaps(stopped)[0])
    ask_override(as_person(stopped, "ann"), 1, Decision.SHIP, "a contract binds us")
    assert "no second person has agreed yet" in str(gaps(stopped)[0])
    stands = standing(stopped, find_idea(stopped, 1))
    assert (stands.says, stands.next) == ("stop, override asked", "shipworthy override 1 --second")
    second_override(as_person(stopped, "ben"), 1)
    assert gaps(stopped) == []
    assert standing(stopped, find_idea(stopped, 1)).next == "shipworthy ship 1"


def test_nobody_is_two_people(stopped):
    """Who asked cannot agree, however the name is written."""
    ask_override(as_person(stopped, "ann"), 1, Decision.SHIP, "a contract")
    for name in ("ann", " Ann ", "ANN"):
        with pytest.raises(PreconditionError, match="takes two"):
            second_override(as_person(stopped, name), 1)
    assert gaps(stopped)


def test_a_verdict_to_ship_can_be_stopped(walked):
    """Two people close the gate as well as open it."""
    assert gaps(walked) == []
    ask_override(as_person(walked, "ann"), 1, Decision.STOP, "the oven breaks down")
    assert gaps(walked) == []
    second_override(as_person(walked, "ben"), 1)
    assert "The verdict was ship; ann asked to stop instead" in str(gaps(walked)[0])
    assert standing(walked, find_idea(walked, 1)).says == "stop, overridden"


def test_an_override_is_about_one_verdict_on_one_evidence(stopped, judge):
    """With other evidence it counts no longer, but it stays on record and in the report, word for word."""
    ask_override(as_person(stopped, "ann"), 1, Decision.SHIP, "a <b>contract</b> binds us")
    second_override(as_person(stopped, "ben"), 1)
    assert gaps(stopped) == []
    record = stopped.records.get("research", "0001")
    evidence = pl.read_parquet(stopped.objects.get(record.body["evidence"])).head(150)
    judge(evidence, HOPELESS)
    assert "The verdict is: stop" in str(gaps(stopped)[0])
    with pytest.raises(PreconditionError, match="Nobody has asked"):
        second_override(as_person(stopped, "cat"), 1)
    page = render_report(tell_story(stopped, 1))
    assert "ann asked to ship instead" in page
    assert "ben agreed on" in page
    assert "a &lt;b&gt;contract&lt;/b&gt; binds us" in page


def test_what_is_asked_about_an_older_verdict_cannot_be_agreed_to(stopped, judge):
    """A second person who comes after the evidence changed is told to look again."""
    ask_override(as_person(stopped, "ann"), 1, Decision.SHIP, "a contract")
    record = stopped.records.get("research", "0001")
    judge(pl.read_parquet(stopped.objects.get(record.body["evidence"])).head(150), HOPELESS)
    with pytest.raises(PreconditionError, match="older verdict"):
        second_override(as_person(stopped, "ben"), 1)


@pytest.mark.parametrize(
    ("to", "why", "says"),
    [
        (Decision.SHIP, "  ", "needs a reason"),
        (Decision.STOP, "because", "is stop already"),
        (Decision.INCONCLUSIVE, "because", "cannot be overridden to inconclusive"),
    ],
)
def test_what_cannot_be_asked_is_refused(stopped, to, why, says):
    """There has to be a reason, something to change, and a decision; nothing is recorded otherwise."""
    with pytest.raises(InvalidInputError, match=says):
        ask_override(stopped, 1, to, why)
    assert overrides(stopped, find_idea(stopped, 1)) == ()


def test_invalid_evidence_cannot_be_overridden(walked, judge):
    """Nobody can decide on evidence that contradicts itself."""
    rows = {"period": [1, 1], "unit": [1, 1], "value_champion": [1.0, 1.0], "value_challenger": [1.0, 2.0]}
    assert judge(pl.DataFrame(rows), HOPELESS).verdict.decision == "invalid"
    with pytest.raises(InvalidInputError, match="nobody can decide on it"):
        ask_override(walked, 1, Decision.SHIP, "we want it")


def test_of_two_who_agree_at_once_one_is_told(stopped):
    """Agreeing twice leaves one second person on record."""
    ask_override(as_person(stopped, "ann"), 1, Decision.SHIP, "a contract")
    second_override(as_person(stopped, "ben"), 1)
    with pytest.raises(PreconditionError):
        second_override(as_person(stopped, "cat"), 1)
    [one] = overrides(stopped, find_idea(stopped, 1))
    assert one.seconded_by == "ben"


def test_the_same_verdict_again_leaves_the_override_standing(walked):
    """Analysing the same evidence again neither drops an override nor asks for a new one."""
    ask_override(as_person(walked, "ann"), 1, Decision.STOP, "the oven breaks down")
    second_override(as_person(walked, "ben"), 1)
    analyse_idea(walked, 1)
    assert standing(walked, find_idea(walked, 1)).says == "stop, overridden"


def test_research_of_other_code_needs_a_new_override(stopped):
    """An override of a verdict on other code does not open the gate."""
    ask_override(as_person(stopped, "ann"), 1, Decision.SHIP, "a contract")
    second_override(as_person(stopped, "ben"), 1)
    for kind in ("data", "research", "verdict"):
        record = stopped.records.get(kind, "0001")
        body = {**record.body, "code": "another"}
        stopped.records.add(Change(kind=kind, key="0001", body=body), by="tester")
    assert replace(read_research(stopped.records.get("research", "0001")), evidence="").code == "another"
    assert "The verdict is: stop" in str(gaps(stopped)[0])


def test_the_command_line_asks_seconds_and_tells(stopped, monkeypatch):
    """Each step names the next one; half a request is refused; and the whole history is there for programs."""
    monkeypatch.setenv("SHIPWORTHY_USER", "ann")
    asked = typed(stopped.root, "override", 1, "--to", "ship", "--why", "a contract binds us")
    assert (asked.code, "another person: shipworthy override 1 --second" in asked.out) == (0, True)
    assert typed(stopped.root, "override", 1, "--second").code == PreconditionError.exit_code
    assert typed(stopped.root, "override", 1, "--why", "no decision").code == 2
    assert typed(stopped.root, "override", 1, "--second", "--to", "ship").code == 2
    monkeypatch.setenv("SHIPWORTHY_USER", "ben")
    assert "shipworthy ship 1" in typed(stopped.root, "override", 1, "--second").out
    [one] = typed(stopped.root, "override", 1, "--json").json["overrides"]
    assert (one["asked_by"], one["seconded_by"], one["instead_of"], one["to"]) == ("ann", "ben", "stop", "ship")


def test_where_names_are_proved_an_override_is_two_people_who_signed_in(stopped):
    """What is only said is refused; what was said before the project asked for proof counts no more, and is asked again."""
    ask_override(as_person(stopped, "ann"), 1, Decision.SHIP, "a contract")
    second_override(as_person(stopped, "ben"), 1)
    with (stopped.root / "shipworthy.toml").open("a") as file:
        file.write("\n[signoffs]\nproved = true\n")
    ann, ben = as_person(stopped, "ann"), as_person(stopped, "ben")
    assert "not everybody had signed in at the server" in str(gaps(ann)[0])
    assert standing(ann, find_idea(ann, 1)).next is None
    for refused in (lambda: ask_override(ann, 1, Decision.SHIP, "a contract"), lambda: second_override(ben, 1)):
        with pytest.raises(DeniedError, match="signed in at the server"):
            refused()
    assert not ask_override(ann, 1, Decision.SHIP, "a contract", proved=True).counts
    said = typed(stopped.root, "override", 1, "--second")
    assert (said.code, "over REST" in said.err) == (DeniedError.exit_code, True)
    assert "sign in at the server" in typed(stopped.root, "override", 1).out
    assert second_override(ben, 1, proved=True).counts
    assert gaps(ann) == []


def test_who_asked_without_proof_is_seconded_by_nobody(stopped):
    """A request from before is not made good by a second person who signed in."""
    ask_override(as_person(stopped, "ann"), 1, Decision.SHIP, "a contract")
    with (stopped.root / "shipworthy.toml").open("a") as file:
        file.write("\n[signoffs]\nproved = true\n")
    with pytest.raises(PreconditionError, match="Ask again, there"):
        second_override(as_person(stopped, "ben"), 1, proved=True)
