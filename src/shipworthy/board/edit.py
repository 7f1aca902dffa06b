"""Editing an idea: what somebody else wrote meanwhile is shown beside, and never overwritten unseen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.responses import Response

from shipworthy.board.form import field
from shipworthy.board.idea_form import fields_of, form_of, in_words, said
from shipworthy.board.new_idea import known_words
from shipworthy.board.rendering import go, is_part, render, render_part
from shipworthy.errors import InvalidInputError, PreconditionError
from shipworthy.ideas.edit import edit_idea
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.written import Written, read_written
from shipworthy.project import Project
from shipworthy.web.asked import Asked
from shipworthy.workspace.role import Permission


def show_edit(asked: Asked) -> Response:
    """The form with what the idea says now."""
    project = asked.project(Permission.WRITE)
    written = read_written(project, asked.number)
    return _page(asked, project, written, form_of(written.idea))


def write_edit(asked: Asked) -> Response:
    """Writes what was edited; refused where somebody else was first, or where it would depart from what was locked."""
    project = asked.project(Permission.WRITE)
    form = said(asked)
    before = form_of(read_written(project, asked.number).idea)
    fields = {name: value for name, value in fields_of(form).items() if value != fields_of(before)[name]}
    try:
        edit_idea(
            project,
            asked.number,
            fields,
            expect=field(asked, "edition"),
            knowingly=bool(field(asked, "knowingly")),
        )
    except (InvalidInputError, PreconditionError) as error:
        status = 412 if isinstance(error, PreconditionError) else 422
        return _page(
            asked, project, read_written(project, asked.number), form, wrong=in_words(str(error)), status=status
        )
    return go(f"/projects/{project.name}/ideas/{asked.number}", "Written down." if fields else "Nothing was changed.")


def _page(
    asked: Asked, project: Project, written: Written, form: Mapping[str, str], *, wrong: str = "", status: int = 200
) -> Response:
    now = form_of(written.idea)
    known: dict[str, Any] = {
        "idea": written.idea,
        "form": form,
        "edition": written.edition,
        "others": {name: now[name] for name in now if wrong and now[name] != form[name]} if status == 412 else {},
        "locked_at": _locked_at(project, written.idea),
        "wrong": wrong,
        **known_words(asked),
    }
    if is_part(asked.request):
        return render_part("edit_part", project=project, **known)
    return render(asked, "edit", project=project, here="Board", status=status, **known)


def _locked_at(project: Project, idea: Idea) -> datetime | None:
    """When what counts as success was locked; None before research has started."""
    return next((record.at for record in project.records.history("idea", idea.key) if record.body.get("lock")), None)
