"""The lint: advice while somebody writes, from gaps to what was tried before; it never refuses anything."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipworthy.data.examine import examine_data
from shipworthy.ideas.idea import FIELDS
from shipworthy.ideas.register import begin_idea, new_idea
from shipworthy.project import Project
from shipworthy.ship.lint import Advice, Severity, lint
from tests.cli.typed import typed
from tests.ship import kiosk

DRAFT = {
    "title": "Ask the weather",
    "problem": "bakery",
    "challenger": "weather",
    "change": "Forecast demand from the temperature of tomorrow.",
    "because": "Hot days sell cold drinks instead of bread, which yesterday does not know.",
    "owner": "ann",
    "deadline": "2999-01-01",
    "smallest_gain": 5.0,
    "expected_gain": [5.0, 10.0, 20.0],
    "effort": 3,
}


def _said(found: list[Advice], field: str) -> list[str]:
    return [advice.sentence for advice in found if field in advice.fields]


def test_a_good_draft_gets_no_advice(bakery: Project):
    """Whoever says everything that is needed is left alone."""
    assert lint(bakery, DRAFT) == []


@pytest.mark.parametrize(
    ("fields", "field", "severity", "said"),
    [
        ({"owner": ""}, "owner", Severity.GAP, "no owner"),
        ({"smallest_gain": None}, "smallest_gain", Severity.GAP, "worth shipping"),
        ({"smallest_gain": "five"}, "smallest_gain", Severity.GAP, "must be a number"),
        ({"deadline": "soon"}, "deadline", Severity.GAP, "must be a date"),
        ({"expected_gain": [9, 1, 2]}, "expected_gain", Severity.GAP, "not in order"),
        ({"guardrails": {"sold_out": -1}}, "guardrails", Severity.GAP, "0 or more"),
        ({"because": "It is better."}, "because", Severity.WARNING, "vague"),
        ({"because": "It should work better and earn more profit"}, "because", Severity.WARNING, "vague"),
        ({"because": "Forecast demand from the temperature"}, "because", Severity.WARNING, "repeats the change"),
        ({"deadline": "2020-01-01"}, "deadline", Severity.WARNING, "is over"),
        ({"expected_gain": None}, "expected_gain", Severity.REMARK, "what gain is expected"),
        ({"effort": None}, "effort", Severity.REMARK, "what it would take"),
    ],
)
def test_what_is_missing_wrong_or_vague_is_said_at_its_field(
    bakery: Project, fields: dict[str, Any], field: str, severity: Severity, said: str
):
    """Each piece of advice names its field, weighs something, and says what to do."""
    [advice] = lint(bakery, DRAFT | fields)
    assert (advice.fields[0], advice.severity) == (field, severity)
    assert said in advice.sentence
    assert advice.remedy


def test_the_gravest_comes_first(bakery: Project):
    """Gaps, then warnings, then remarks; a field that no idea has is a gap too."""
    found = lint(bakery, DRAFT | {"effort": None, "because": "Better.", "owner": "", "lunch": "soup"})
    assert [advice.severity for advice in found] == sorted(
        (advice.severity for advice in found), key=list(Severity).index
    )
    assert {advice.severity for advice in found} == set(Severity)
    assert "lunch" in found[0].sentence


def test_money_is_held_against_what_the_data_showed(bakery: Project):
    """More than perfect foresight would gain, and less than the history can show, are told in the money that was typed."""
    examine_data(bakery, 1)
    assert lint(bakery, DRAFT) == []
    [above] = lint(bakery, DRAFT | {"smallest_gain": 500.0, "expected_gain": [500, 500, 500]})
    assert "perfect foresight would gain no more than" in above.sentence
    [below] = lint(bakery, DRAFT | {"smallest_gain": 10.0, "per": "year"})
    assert "less than the history can show" in below.sentence
    assert below.sentence.startswith("10 a year is less than the history can show, which is ")


def test_a_near_duplicate_is_told_with_its_verdict(judged: Project):
    """Who says nearly the same as somebody before is told which idea it was, and what came of it."""
    found = lint(
        judged, {"title": "Idea 3 for the kiosk, which says weekday", "problem": "kiosk", "challenger": "weekend"}
    )
    assert [advice.idea for advice in found if advice.fields == ("title", "change")] == [1, 2]
    assert "judged: ship" in _said(found, "title")[-1]
    assert _said(lint(judged, DRAFT), "title") == []


def test_two_ideas_on_one_decision_are_told(shadowed: Project):
    """An idea on trial is told to whoever has another one about the same decision, in `idea show` and `idea new` too."""
    found = lint(shadowed, {"title": "Something else", "problem": "kiosk"})
    assert _said(found, "problem") == [
        "Idea 1 is in shadow on the same decision: 'Idea 1 for the kiosk, which says weekday'."
    ]
    assert "in shadow on the same decision" in typed(shadowed.root, "idea", "show", 2).out
    assert "on the same decision" not in typed(shadowed.root, "idea", "show", 1).out
    begun = typed(shadowed.root, "idea", "new", "Something else", "--problem", "kiosk", "--challenger", "weekday").out
    assert "in shadow on the same decision" in begun
    assert "carried by the same challenger" in begun


def test_what_is_live_is_told(shadowed: Project):
    """An idea that serves is what the next one will be compared with."""
    for first in (0, 30):
        kiosk.live(shadowed, first, [13.0] * 30)
        typed(shadowed.root, "ship", 1)
    [advice] = [one for one in lint(shadowed, {"title": "New", "problem": "kiosk"}) if one.fields == ("problem",)]
    assert (advice.severity, advice.idea) == (Severity.REMARK, 1)
    assert "Idea 1 is live on the same decision" in advice.sentence


def test_an_idea_is_no_duplicate_of_itself_or_of_a_later_one(bakery: Project):
    """Who edits an idea is not told of that idea, nor of what came after it."""
    new_idea(bakery, "Ask the weather", change=DRAFT["change"])
    begin_idea(bakery, {"title": "Ask the weather!"})
    assert [advice.idea for advice in lint(bakery, DRAFT, number=2)] == []
    assert [advice.idea for advice in lint(bakery, DRAFT, number=3)] == [2]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*FIELDS, "lunch"]),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=30),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
            max_leaves=5,
        ),
    )
)
def test_whatever_a_form_sends_gets_advice(bakery: Project, fields: dict[str, Any]):
    """Any JSON at all is answered with sentences, never with an error."""
    assert all(advice.sentence and advice.remedy for advice in lint(bakery, fields))
