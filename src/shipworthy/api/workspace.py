"""The workspace: who asks, which projects and squads there are."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from shipworthy.api.endpoint import Call, Endpoint, Page
from shipworthy.api.paging import PageQuery, page
from shipworthy.project import Project
from shipworthy.workspace.role import Permission


class ProjectAnswer(Struct, kw_only=True):
    """A project of the workspace."""

    name: str
    squad: str
    problems: list[str]


class SquadAnswer(Struct, kw_only=True):
    """A squad, with its projects and what whoever asks is in it."""

    name: str
    projects: list[str]
    roles: list[str]


class Me(Struct, kw_only=True):
    """Who asks, and what they may do in each squad."""

    name: str
    roles: dict[str, list[str]]
    permissions: dict[str, list[str]]
    scope: list[str] | None


def list_projects(call: Call) -> Page[ProjectAnswer]:
    """The projects that whoever asks may read."""
    found = [_project(project) for project in call.desk.readable(call.principal).values()]
    return page(found, lambda one: (one.name,), call.query)


def get_project(call: Call) -> ProjectAnswer:
    """One project."""
    return _project(call.project)


def list_squads(call: Call) -> Page[SquadAnswer]:
    """The squads of the projects that whoever asks may read."""
    projects = call.desk.readable(call.principal).values()
    found = [
        SquadAnswer(
            name=squad,
            projects=[project.name for project in projects if project.squad == squad],
            roles=sorted(call.principal.roles_in(squad)),
        )
        for squad in sorted({project.squad for project in projects})
    ]
    return page(found, lambda one: (one.name,), call.query)


def get_me(call: Call) -> Me:
    """Who asks."""
    asking, squads = call.principal, call.desk.workspace.squads
    return Me(
        name=asking.name,
        roles={squad: sorted(roles) for squad, roles in asking.roles.items()},
        permissions={squad: [str(one) for one in Permission if asking.may(one, squad)] for squad in squads},
        scope=None if asking.scope is None else sorted(asking.scope),
    )


def _endpoint(name: str, path: str, says: str, **more: Any) -> Endpoint:
    return Endpoint(name=name, method="GET", path=path, permission=Permission.READ, says=says, **more)


ENDPOINTS = (
    _endpoint("me", "/me", "Who asks, and what they may do.", handler=get_me, answer=Me),
    _endpoint(
        "projects",
        "/projects",
        "The projects that whoever asks may read.",
        handler=list_projects,
        query=PageQuery,
        answer=Page[ProjectAnswer],
    ),
    _endpoint("about_project", "/projects/{project}", "One project.", handler=get_project, answer=ProjectAnswer),
    _endpoint(
        "squads",
        "/squads",
        "The squads, and what whoever asks is in each.",
        handler=list_squads,
        query=PageQuery,
        answer=Page[SquadAnswer],
    ),
)


def _project(project: Project) -> ProjectAnswer:
    problems = sorted(reference.rpartition(":")[2] for reference in project.references)
    return ProjectAnswer(name=project.name, squad=project.squad, problems=problems)
