"""Comments on an idea: what somebody said, whom it answers, and whether it was corrected since; nothing is ever taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from shipworthy.errors import DeniedError, InvalidInputError, NotFoundError
from shipworthy.ideas.register import find_idea
from shipworthy.ideas.signoff import is_same_person
from shipworthy.project import Project
from shipworthy.store import Change, Record

KIND = "comment"
LONGEST = 4_000
"""Characters of a comment at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What somebody said about an idea.

    Attributes:
        id: Its number among what was said about the idea.
        text: What was said, as it was corrected last.
        by: Who said it.
        at: When, in UTC.
        reply_to: The comment that it answers; None where it answers none.
        edited_at: When it was corrected last; None where it never was.
    """

    id: int
    text: str
    by: str
    at: datetime
    reply_to: int | None = None
    edited_at: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """The comment as JSON can hold it."""
        edited = self.edited_at.isoformat() if self.edited_at else None
        return {**asdict(self), "at": self.at.isoformat(), "edited_at": edited}


def comment(project: Project, number: int, text: str, *, reply_to: int | None = None) -> Comment:
    """Says something about an idea.

    Raises:
        NotFoundError: there is no such idea, or no such comment to answer.
        InvalidInputError: nothing is said, too much, or what is no text.
    """
    idea = find_idea(project, number)
    if reply_to is not None:
        _one(project, number, reply_to)
    body = {"text": _said(text), "reply_to": reply_to, "edits": None}
    [record] = project.records.add(Change(kind=KIND, key=idea.key, body=body), by=project.who)
    return _read([record])[0]


def correct_comment(project: Project, number: int, id_: int, text: str) -> Comment:
    """Says one's own comment differently; what was said before stays in the history.

    Raises:
        NotFoundError: there is no such idea or comment.
        DeniedError: somebody else said it.
        InvalidInputError: nothing is said, too much, or what is no text.
    """
    idea = find_idea(project, number)
    before = _one(project, number, id_)
    if not is_same_person(before.by, project.who):
        raise DeniedError(
            f"Comment {id_} on idea {number} is {before.by}'s to correct. Answer it with --reply-to {id_}."
        )
    body = {"text": _said(text), "reply_to": before.reply_to, "edits": id_}
    project.records.add(Change(kind=KIND, key=idea.key, body=body), by=project.who)
    return _one(project, number, id_)


def comments(project: Project, number: int) -> Sequence[Comment]:
    """What was said about an idea, the oldest first."""
    return _read(project.records.history(KIND, find_idea(project, number).key))


def _one(project: Project, number: int, id_: int) -> Comment:
    found = {one.id: one for one in comments(project, number)}
    if id_ not in found:
        raise NotFoundError.among(f"comment on idea {number} with number", id_, found)
    return found[id_]


def _said(text: str) -> str:
    said = text.replace("\r\n", "\n").strip()
    if not said:
        raise InvalidInputError("A comment says something. Write its text.")
    if len(said) > LONGEST:
        raise InvalidInputError(
            f"A comment has at most {LONGEST:,} characters, and this one {len(said):,}. Say it in fewer words."
        )
    odd = next(
        (letter for letter in said if "\ud800" <= letter <= "\udfff" or (letter < " " and letter not in "\n\t")), None
    )
    if odd is not None:
        raise InvalidInputError(f"{odd!r} is no text. Write the comment in UTF-8.")
    return said


def _read(history: Sequence[Record]) -> Sequence[Comment]:
    found: dict[int, Comment] = {}
    for record in history:
        body = record.body
        if body["edits"] is None:
            said = Comment(id=record.version, text=body["text"], by=record.by, at=record.at, reply_to=body["reply_to"])
            found[record.version] = said
        else:
            found[body["edits"]] = replace(found[body["edits"]], text=body["text"], edited_at=record.at)
    return list(found.values())
