"""An idea's text is edited field by field, and whatever else somebody wrote in it stays as it is."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.errors import InvalidInputError
from shipworthy.ideas.idea import Idea, parse_idea
from shipworthy.ideas.text import TEMPLATE, rewritten

WHOLE = """\
# Why we do this: see the minutes.
title = "Bake less"   # the short one
problem = 'bakery'
challenger = "less"
change = \"\"\"
Bake less
[on] Mondays.   # this is no comment
\"\"\"
because = "Mondays are # quiet."   # said Ann
owner = "squad"
segments = [
    "bread",   # of three kinds
    "weekday",
]

[worth]
# in money
smallest_gain = 3
per = "year"

[guardrails]
sold_out = 0.02   # agreed
"""


def _idea(text: str) -> Idea:
    return parse_idea(7, "x", text.encode(), "it")


def test_what_is_not_edited_stays_to_the_letter():
    """Comments, blanks, quotes and order stay, and so does the comment behind a value that is edited."""
    after = rewritten(WHOLE, {"because": "They are.", "smallest_gain": 4.5, "guardrails": {"sold_out": 0.03}})
    assert after == (
        WHOLE.replace('"Mondays are # quiet."', '"They are."')
        .replace("smallest_gain = 3", "smallest_gain = 4.5")
        .replace("sold_out = 0.02", "sold_out = 0.03")
    )


def test_an_edit_that_changes_nothing_changes_no_letter():
    """A form that sends every field as it was leaves the text alone."""
    idea = _idea(WHOLE)
    same = {
        "title": idea.title,
        "change": idea.change,
        "segments": list(idea.segments),
        "smallest_gain": 3.0,
        "per": "year",
    }
    assert rewritten(WHOLE, same | {"guardrails": dict(idea.guardrails)}) == WHOLE


def test_new_fields_find_their_place():
    """A field that stands there as a comment takes its line; any other goes to the end of its section."""
    after = rewritten(TEMPLATE, {"deadline": date(2027, 3, 1), "smallest_gain": 5.0, "guardrails": {"sold out": 0.1}})
    assert "\ndeadline = 2027-03-01\n" in after
    assert "\nsmallest_gain = 5.0   # the smallest gain worth shipping, in money\n" in after
    assert '\n[guardrails]\n"sold out" = 0.1\n' in after
    assert "\nowner = 'me'\neffort" not in rewritten("owner = 'me'\n", {"effort": 2})
    assert rewritten("owner = 'me'\n", {"effort": 2}) == "owner = 'me'\n\n[worth]\neffort = 2\n"


def test_a_field_is_taken_out():
    """None takes a field out, with all the lines that it has."""
    after = rewritten(WHOLE, {"segments": None, "per": None, "guardrails": {}})
    assert (_idea(after).segments, _idea(after).per, _idea(after).guardrails) == ((), "period", {})
    assert "of three kinds" not in after
    assert "# in money" in after


def test_lines_of_another_system_stay_lines_of_that_system():
    """A text with carriage returns keeps them, in new lines too."""
    after = rewritten(WHOLE.replace("\n", "\r\n"), {"effort": 2.0, "title": "New"})
    assert after.count("\n") == after.count("\r\n") == WHOLE.count("\n") + 1


@pytest.mark.parametrize(
    "text", ["worth = {smallest_gain = 3}\n", "worth.smallest_gain = 3\n[guardrails]\n", "worth = { }\ntitle = 'a'\n"]
)
def test_a_text_of_its_own_way_is_edited_rightly_or_not_at_all(text: str):
    """Forms of TOML that nobody expects give the right idea, or are left to a person; never another idea."""
    try:
        after = rewritten(text, {"smallest_gain": 9.0, "effort": 1.0})
    except InvalidInputError as refusal:
        assert "by hand" in str(refusal)  # noqa: PT017  (either is right)
    else:
        assert (_idea(after).smallest_gain, _idea(after).effort) == (9.0, 1.0)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"titel": "x"}, "Did you mean 'title'"),
        ({"smallest_gain": float("nan")}, "smallest_gain cannot be a number"),
        ({"smallest_gain": 10**5000}, "smallest_gain cannot be a number"),
        ({"title": "x" * 30_000}, "fewer words"),
        ({"title": "odd \udcff"}, "UTF-8"),
        ({"owner": object()}, "owner cannot be"),
    ],
)
def test_what_cannot_be_written_is_refused(fields: dict[str, Any], said: str):
    """Unknown fields, numbers without end, texts without end and what is no text are named."""
    with pytest.raises(InvalidInputError, match=said):
        rewritten(TEMPLATE, fields)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
LINES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Z"]), max_size=40)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "title": LINES,
        "because": TEXTS,
        "deadline": st.dates(),
        "segments": st.lists(TEXTS.filter(bool), unique=True, max_size=3),
        "smallest_gain": st.floats(-1e9, 1e9),
        "expected_gain": st.tuples(*[st.floats(-1e9, 1e9)] * 3),
        "effort": st.floats(0, 1e6),
        "guardrails": st.dictionaries(TEXTS, st.floats(0, 10), max_size=3),
    },
)


@given(FIELDS, FIELDS)
def test_whatever_is_written_is_read_again(first: dict[str, Any], second: dict[str, Any]):
    """Any texts, dates and numbers come back as they went in, edited once or twice, and other fields stay."""
    said = {**first, **second}
    idea = _idea(rewritten(rewritten(WHOLE, first), second))
    before = _idea(WHOLE)
    for name in (
        "title",
        "because",
        "deadline",
        "segments",
        "smallest_gain",
        "expected_gain",
        "effort",
        "guardrails",
        "change",
    ):
        wanted = said.get(name, getattr(before, name))
        assert getattr(idea, name) == (tuple(wanted) if isinstance(wanted, list) else wanted)
