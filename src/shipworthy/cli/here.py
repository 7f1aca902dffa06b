"""The projects that a verb over all ideas is about: those of the workspace that the folder belongs to, or its own alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shipworthy.live.ledger.ledger import read_ledger
from shipworthy.project import Project
from shipworthy.workspace.workspace import open_workspace


def projects_here() -> list[Project]:
    """The projects of the workspace here, by name.

    Raises:
        NotFoundError: there is neither a workspace nor a project.
    """
    return list(open_workspace().projects.values())


def ledger_lines(projects: Sequence[Project]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """By a project's space the lines of its ledger."""
    return {project.space: [line.to_dict() for line in read_ledger(project)] for project in projects}
