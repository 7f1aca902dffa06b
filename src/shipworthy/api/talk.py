"""What people say and sign about an idea: comments, sign-offs and overrides of its verdict."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from shipworthy.analysis.decision import Decision
from shipworthy.analysis.override import ask_override, overrides, second_override
from shipworthy.api.endpoint import Answer, Call, Endpoint, Page
from shipworthy.api.paging import PageQuery, page
from shipworthy.errors import DeniedError, InvalidInputError, NotFoundError
from shipworthy.ideas.comment import LONGEST, Comment, comment, comments, correct_comment
from shipworthy.ideas.register import find_idea
from shipworthy.ideas.signoff import Gate, Signoff, signoffs
from shipworthy.project.role import Role
from shipworthy.ship.signing import sign, withdraw_signoff
from shipworthy.workspace.role import Permission

_IDEA = "/projects/{project}/ideas/{number}"
Said = Annotated[str, Meta(min_length=1, max_length=LONGEST)]


class NewComment(Struct, forbid_unknown_fields=True, kw_only=True):
    """What is said, and which comment it answers."""

    text: Said
    reply_to: int | None = None


class CorrectedComment(Struct, forbid_unknown_fields=True, kw_only=True):
    """What one's own comment says instead."""

    text: Said


class Signature(Struct, forbid_unknown_fields=True, kw_only=True):
    """At which gate, and in which role."""

    gate: Gate
    role: Role


class Wish(Struct, forbid_unknown_fields=True, kw_only=True):
    """What shall be decided instead of the verdict, and why; or that whoever asks agrees to what was asked last."""

    to: Literal["ship", "stop"] | None = None
    why: Annotated[str, Meta(max_length=LONGEST)] = ""
    second: bool = False


def list_comments(call: Call) -> Page[Comment]:
    """The comments, the oldest first."""
    return page(comments(call.project, call.number), lambda one: (one.id,), call.query)


def add_comment(call: Call) -> Comment:
    """Says something."""
    new: NewComment = call.body
    return comment(call.project, call.number, new.text, reply_to=new.reply_to)


def edit_comment(call: Call) -> Comment:
    """Corrects one's own comment."""
    said = call.path["id"]
    if not (said.isascii() and said.isdigit() and len(said) < 10):
        raise NotFoundError(f"{said[:40]!r} is no number of a comment.")
    return correct_comment(call.project, call.number, int(said), call.body.text)


def list_signoffs(call: Call) -> Page[Signoff]:
    """The sign-offs, the oldest first."""
    found = signoffs(call.project, find_idea(call.project, call.number))
    return Page(items=found, total=len(found))


def add_signoff(call: Call) -> Signoff:
    """Signs, in a role that whoever asks has."""
    given = _own(call)
    return sign(call.project, call.number, given.gate, given.role, proved=call.principal.proved)


def take_signoff_back(call: Call) -> Answer:
    """Takes back what whoever asks signed."""
    given = _own(call)
    withdraw_signoff(call.project, call.number, given.gate, given.role)
    return Answer(value=None)


def set_verdict_aside(call: Call) -> Page[dict[str, Any]]:
    """Asks to set a verdict aside, or agrees to that as the second person."""
    wish: Wish = call.body
    if wish.second == (wish.to is not None) or (wish.second and wish.why):
        raise InvalidInputError("Ask with `to` and `why`; or agree to what was asked with `second` alone.")
    if wish.to is not None:
        ask_override(call.project, call.number, Decision(wish.to), wish.why, proved=call.principal.proved)
    else:
        second_override(call.project, call.number, proved=call.principal.proved)
    found = overrides(call.project, find_idea(call.project, call.number))
    return Page(items=[one.to_dict() for one in found], total=len(found))


def _own(call: Call) -> Signature:
    given: Signature = call.body
    if given.role not in call.principal.roles_in(call.project.squad):
        raise DeniedError(f"{call.principal.name} is no {given.role} here. Sign in a role of your own.")
    return given


ENDPOINTS = (
    Endpoint(
        name="comments",
        method="GET",
        path=f"{_IDEA}/comments",
        permission=Permission.READ,
        says="What was said about an idea, the oldest first.",
        handler=list_comments,
        query=PageQuery,
        answer=Page[Comment],
    ),
    Endpoint(
        name="comment",
        method="POST",
        path=f"{_IDEA}/comments",
        permission=Permission.COMMENT,
        says="Says something about an idea.",
        handler=add_comment,
        body=NewComment,
        answer=Comment,
        status=201,
    ),
    Endpoint(
        name="correct_comment",
        method="PATCH",
        path=f"{_IDEA}/comments/{{id}}",
        permission=Permission.COMMENT,
        says="Corrects a comment of one's own; what was said before stays in the history.",
        handler=edit_comment,
        body=CorrectedComment,
        answer=Comment,
    ),
    Endpoint(
        name="signoffs",
        method="GET",
        path=f"{_IDEA}/signoffs",
        permission=Permission.READ,
        says="Who signed what of an idea, the oldest first.",
        handler=list_signoffs,
        answer=Page[Signoff],
    ),
    Endpoint(
        name="sign",
        method="POST",
        path=f"{_IDEA}/signoffs",
        permission=Permission.SIGN,
        says="Signs what a gate is about, in a role of one's own.",
        handler=add_signoff,
        body=Signature,
        answer=Signoff,
        status=201,
    ),
    Endpoint(
        name="withdraw",
        method="DELETE",
        path=f"{_IDEA}/signoffs",
        permission=Permission.SIGN,
        says="Takes back what one signed.",
        handler=take_signoff_back,
        body=Signature,
        status=204,
    ),
    Endpoint(
        name="override",
        method="POST",
        path=f"{_IDEA}/overrides",
        permission=Permission.OVERRIDE,
        says="Asks to set a verdict aside, or agrees to that as the second person.",
        handler=set_verdict_aside,
        body=Wish,
        answer=Page[dict[str, Any]],
    ),
)
