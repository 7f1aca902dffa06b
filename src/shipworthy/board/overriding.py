"""Setting a verdict aside from its idea's page: one person asks, another one agrees."""

from __future__ import annotations

from starlette.responses import Response

from shipworthy.analysis.decision import Decision
from shipworthy.analysis.override import ask_override, second_override
from shipworthy.board.form import field
from shipworthy.board.rendering import go
from shipworthy.errors import InvalidInputError
from shipworthy.web.asked import Asked
from shipworthy.workspace.role import Permission


def ask(asked: Asked) -> Response:
    """Asks to set the verdict aside."""
    project = asked.project(Permission.OVERRIDE)
    to = field(asked, "to")
    if to not in list(Decision):
        raise InvalidInputError(f"A verdict cannot be overridden to {to!r}. Say ship or stop.")
    ask_override(project, asked.number, Decision(to), field(asked, "why"), proved=asked.principal.proved)
    return go(f"/projects/{project.name}/ideas/{asked.number}", "Asked. It counts once another person agrees.")


def second(asked: Asked) -> Response:
    """Agrees, as the second person."""
    project = asked.project(Permission.OVERRIDE)
    second_override(project, asked.number, proved=asked.principal.proved)
    return go(f"/projects/{project.name}/ideas/{asked.number}", "Agreed. The override counts from now on.")
