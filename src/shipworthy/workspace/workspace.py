"""A workspace: a folder with `workspace.toml`, or one project alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.project import CONFIG_NAME, WORKSPACE_NAME, Project, open_project
from shipworthy.project.clock import now
from shipworthy.project.section import Section, read_toml
from shipworthy.store import RecordStore
from shipworthy.store.address import open_records
from shipworthy.variable import held
from shipworthy.workspace.settings import Settings, read_settings

_SECTIONS = ("workspace", "server", "sign_in", "signoffs")
_FIELDS = ("name", "records", "projects")
_RECORDS = ".shipworthy/workspace.db"
_SPACE = "@workspace"
"""Its space in a database that it shares with its projects; no project can be called so."""


@dataclass(frozen=True)
class Workspace:
    """Many projects of several squads.

    Attributes:
        root: Its folder.
        name: What it is called.
        address: Where its own records lie: accounts, tokens, sessions, what was refused to whom.
        projects: Its projects by name.
        settings: What its server is told, and who may sign in.
    """

    root: Path
    name: str
    address: str
    projects: Mapping[str, Project]
    settings: Settings = field(default_factory=Settings)

    @cached_property
    def records(self) -> RecordStore:
        """The workspace's own records; opened at first use, and a file of them is for nobody else to read."""
        _keep_private(self.root, self.address)
        return open_records(self.address, root=self.root, space=_SPACE, clock=now)

    @property
    def squads(self) -> tuple[str, ...]:
        """The squads, by name."""
        return tuple(sorted({project.squad for project in self.projects.values()}))

    def project(self, name: str) -> Project:
        """A project by its name.

        Raises:
            NotFoundError: none has it.
        """
        if name not in self.projects:
            raise NotFoundError.among("project", name, self.projects)
        return self.projects[name]


def open_workspace(start: Path | None = None) -> Workspace:
    """Opens the workspace that a folder belongs to, looking upwards for `workspace.toml`; else the project alone.

    Raises:
        NotFoundError: there is neither.
        InvalidInputError: it is not TOML, names what is no project, or two projects have one name.
    """
    folder = (start or Path.cwd()).resolve()
    for place in (folder, *folder.parents):
        if (place / WORKSPACE_NAME).is_file():
            return _read(place / WORKSPACE_NAME)
    project = open_project(folder)
    return Workspace(root=project.root, name=project.name, address=_RECORDS, projects={project.name: project})


def _keep_private(root: Path, address: str) -> None:
    """Makes the file before the store does, so that it is the owner's alone: it holds the hashes of passwords."""
    place = held(address, "workspace.records").removeprefix("sqlite:")
    if "://" not in place and not (root / place).exists():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).touch(mode=0o600)


def _read(path: Path) -> Workspace:
    whole = Section(str(path), read_toml(path))
    whole.refuse_unknown(_SECTIONS)
    given = whole.section("workspace")
    given.refuse_unknown(_FIELDS)
    alone = ["."] if (path.parent / CONFIG_NAME).is_file() else []
    folders = given.fields.get("projects", alone)
    if not isinstance(folders, list) or not folders or not all(isinstance(folder, str) for folder in folders):
        given.refuse("projects", f"must be a list of folders such as ['kitchen', 'energy/*'], not {folders!r}.")
    projects = _by_name(path, _opened(path, folders))
    return Workspace(
        root=path.parent,
        name=given.text("name") or path.parent.name,
        address=given.text("records") or _RECORDS,
        projects=projects,
        settings=read_settings(whole),
    )


def _opened(path: Path, folders: Iterable[str]) -> list[Project]:
    found = []
    for pattern in folders:
        matching = [place for place in _matching(path, pattern) if (place / CONFIG_NAME).is_file()]
        if not matching:
            raise InvalidInputError(f"{path}: workspace.projects names {pattern!r}, and no {CONFIG_NAME} is there.")
        found += [open_project(place) for place in matching]
    outside = next((project.root for project in found if not project.root.is_relative_to(path.parent.resolve())), None)
    if outside is not None:  # there nobody who types a command would find this file, and what it asks for
        raise InvalidInputError(
            f"{path}: {outside} lies outside the workspace. Put the project into a folder below it."
        )
    return found


def _matching(path: Path, pattern: str) -> list[Path]:
    if pattern == ".":
        return [path.parent]
    try:
        return sorted(path.parent.glob(pattern))
    except (ValueError, NotImplementedError):  # empty, or a path from the root
        raise InvalidInputError(
            f"{path}: workspace.projects names {pattern!r}. Name folders from where this file lies, such as 'kitchen' or '.'."
        ) from None


def _by_name(path: Path, projects: Iterable[Project]) -> Mapping[str, Project]:
    named: dict[str, Project] = {}
    for project in projects:
        other = named.setdefault(project.name, project)
        if other.root != project.root:
            raise InvalidInputError(
                f"{path}: {other.root} and {project.root} are both called {project.name!r}. Give one of them another name: "
                f"[project] name = '...' in its {CONFIG_NAME}."
            )
    return dict(sorted(named.items()))
