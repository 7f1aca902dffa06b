"""A desk: a workspace as a server holds it open, with the cards of each project kept current."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Event

from shipworthy.errors import NotFoundError
from shipworthy.programme.facts import Facts
from shipworthy.project import Project
from shipworthy.workspace.behind import Behind
from shipworthy.workspace.cards import Cards
from shipworthy.workspace.jobs import Jobs
from shipworthy.workspace.principal import Principal
from shipworthy.workspace.questions import Questions
from shipworthy.workspace.readings import Readings
from shipworthy.workspace.role import Permission
from shipworthy.workspace.workspace import Workspace


class Desk:
    """What the doors of one server process share.

    Attributes:
        workspace: The workspace.
        cards: The cards of each project, by its name.
        facts: What is known of all ideas of each project together, by its name.
        jobs: The jobs of each project, by its name.
        readings: The readings of each project, by its name.
        behind: What is reckoned behind pages, over projects.
        questions: The questions in SQL that are being answered.
        is_warm: Set once every project has been read, so that no question waits for that.
    """

    def __init__(self, workspace: Workspace) -> None:
        """Names the workspace; the projects' records are read at the first question."""
        self.workspace = workspace
        self.cards: Mapping[str, Cards] = {name: Cards(project) for name, project in workspace.projects.items()}
        self.facts: Mapping[str, Facts] = {
            name: Facts(project, ideas=self.cards[name].ideas, stands=self.cards[name].all)
            for name, project in workspace.projects.items()
        }
        self.jobs: Mapping[str, Jobs] = {
            name: Jobs(project, hidden=_hidden(workspace)) for name, project in workspace.projects.items()
        }
        self.behind = Behind()
        self.questions = Questions()
        self.is_warm = Event()
        self.readings: Mapping[str, Readings] = {
            name: Readings(project, hidden=_hidden(workspace)) for name, project in workspace.projects.items()
        }

    def close(self) -> None:
        """Ends the jobs that still run, and what is being read."""
        for readings in self.readings.values():
            readings.end()
        for jobs in self.jobs.values():
            jobs.end()

    def project(self, name: str, principal: Principal, permission: Permission) -> Project:
        """A project, in which the principal writes, as far as it may do that there.

        Raises:
            NotFoundError: there is no such project, or none that the principal may read.
            DeniedError: it may read the project, and not do that.
        """
        readable = self.readable(principal)
        if not readable:
            raise NotFoundError(f"You can read no project {name!r}, nor any other. Ask an admin for a role in a squad.")
        if name not in readable:
            raise NotFoundError.among("project", name, readable)
        principal.require(permission, readable[name].squad)
        return readable[name].acting(principal.name)

    def readable(self, principal: Principal) -> Mapping[str, Project]:
        """The projects that a principal may read, by name."""
        return {
            name: project
            for name, project in self.workspace.projects.items()
            if principal.may(Permission.READ, project.squad)
        }


def _hidden(workspace: Workspace) -> set[str]:
    """The variables that hold the server's own secrets, which no job gets."""
    oidc = workspace.settings.oidc
    return {oidc.secret_variable} if oidc is not None and oidc.secret_variable else set()
