"""What people say and sign on the page of an idea."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from starlette.responses import Response

from shipworthy.board.form import field
from shipworthy.board.rendering import go
from shipworthy.errors import DeniedError, InvalidInputError
from shipworthy.ideas.comment import comment
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.signoff import Gate
from shipworthy.project import Gap, Project
from shipworthy.project.role import SQUAD, Role
from shipworthy.ship.signing import offered, sign, withdraw_signoff
from shipworthy.web.asked import Asked
from shipworthy.workspace.role import Permission


class Signature(NamedTuple):
    """A sign-off that whoever reads the page can give.

    Attributes:
        gate: At which gate.
        role: In which role.
    """

    gate: Gate
    role: Role


def write_comment(asked: Asked) -> Response:
    """Says something about an idea."""
    project = asked.project(Permission.COMMENT)
    comment(project, asked.number, field(asked, "text"))
    return go(f"/projects/{project.name}/ideas/{asked.number}#talk")


def write_signature(asked: Asked) -> Response:
    """Signs what a gate is about, in a role that whoever asks has."""
    project = asked.project(Permission.SIGN)
    given = _given(asked, project.squad)
    signed = sign(project, asked.number, given.gate, given.role, proved=asked.principal.proved)
    return go(f"/projects/{project.name}/ideas/{asked.number}", f"Signed: {signed.gate.about}, as {signed.role}.")


def take_signature_back(asked: Asked) -> Response:
    """Takes back what the same person signed."""
    project = asked.project(Permission.SIGN)
    given = _given(asked, project.squad)
    withdraw_signoff(project, asked.number, given.gate, given.role)
    return go(f"/projects/{project.name}/ideas/{asked.number}", "Taken back.")


def signatures(asked: Asked, project: Project, idea: Idea, gaps: Sequence[Gap]) -> Sequence[Signature]:
    """The sign-offs that would help and that whoever asks can give."""
    if not asked.principal.may(Permission.SIGN, project.squad):
        return []
    mine = [role for role in asked.principal.roles_in(project.squad) if role in SQUAD]
    found = {
        Signature(Gate(gap.gate), role)
        for gap in offered(project, idea, gaps)
        for role in mine
        if gap.role in ("", role)
    }
    return sorted(found)


def _given(asked: Asked, squad: str) -> Signature:
    gate, role = field(asked, "gate"), field(asked, "role")
    if gate not in list(Gate) or role not in list(Role):
        raise InvalidInputError(
            f"There is no signature at {gate!r} as {role!r}. Sign at {', '.join(Gate)}, in your role."
        )
    if Role(role) not in asked.principal.roles_in(squad):
        raise DeniedError(f"{asked.principal.name} is no {role} here. Sign in a role of your own.")
    return Signature(Gate(gate), Role(role))
