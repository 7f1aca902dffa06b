"""Comments: what was said stays said, by whom and when, and a correction shows."""

from __future__ import annotations

import pytest

from shipworthy.errors import DeniedError, InvalidInputError, NotFoundError
from shipworthy.ideas.comment import LONGEST, comment, comments, correct_comment
from shipworthy.project import Project
from tests.cli.typed import typed


def test_what_is_said_is_kept_in_its_order(bakery: Project):
    """A comment has its author and its instant, and may answer another one."""
    first = comment(bakery.acting("ann"), 1, "Is 5 enough?")
    second = comment(bakery.acting("ben"), 1, "  Yes.\r\nI think. ", reply_to=first.id)
    assert comments(bakery, 1) == [first, second]
    assert [(one.id, one.by, one.reply_to, one.text) for one in (first, second)] == [
        (1, "ann", None, "Is 5 enough?"),
        (2, "ben", 1, "Yes.\nI think."),
    ]


def test_a_correction_shows_and_takes_nothing_away(bakery: Project):
    """One's own words may be corrected, somebody else's not; it shows as edited, and the first words stay in the record."""
    ann = bakery.acting("ann")
    first = comment(ann, 1, "Is 5 enoough?")
    comment(bakery, 1, "Yes.", reply_to=1)
    with pytest.raises(DeniedError, match="ann's to correct"):
        correct_comment(bakery.acting("ben"), 1, 1, "Is 6 enough?")
    after = correct_comment(ann, 1, 1, "Is 5 enough?")
    assert (after.text, after.at, after.id) == ("Is 5 enough?", first.at, 1)
    assert after.edited_at is not None
    assert [one.id for one in comments(bakery, 1)] == [1, 2]
    assert bakery.records.history("comment", "0001")[0].body["text"] == "Is 5 enoough?"


@pytest.mark.parametrize("text", ["", " \n ", "x" * (LONGEST + 1), "odd \udcff", "null \x00"])
def test_what_is_no_comment_is_refused(bakery: Project, text: str):
    """Nothing, too much, and what is no text are refused, and nothing is kept."""
    with pytest.raises(InvalidInputError):
        comment(bakery, 1, text)
    assert comments(bakery, 1) == []


def test_only_what_is_there_is_answered_or_commented_on(bakery: Project):
    """No such idea, and no such comment, are told with what there is."""
    with pytest.raises(NotFoundError, match="No idea 9"):
        comment(bakery, 9, "Hm.")
    with pytest.raises(NotFoundError, match="There is none yet"):
        comment(bakery, 1, "Hm.", reply_to=3)


def test_the_command_line_comments(bakery: Project):
    """`comment` says, answers, corrects and lists; `idea show` shows it too."""
    typed(bakery.root, "comment", 1, "Is 5 enough?")
    typed(bakery.root, "comment", 1, "Ask the owner.", "--reply-to", 1)
    said = typed(bakery.root, "comment", 1, "Ask the owner first.", "--correct", 2, "--json").json
    assert [(one["text"], one["reply_to"]) for one in said["comments"]] == [
        ("Is 5 enough?", None),
        ("Ask the owner first.", 1),
    ]
    shown = typed(bakery.root, "idea", "show", 1).out
    assert "2. tester on" in shown
    assert "edited: Ask the owner first." in shown
    assert typed(bakery.root, "comment", 1, "--correct", 2).code == 2
    assert typed(bakery.root, "comment", 1, "x", "--correct", 2, "--reply-to", 1).code == 2
