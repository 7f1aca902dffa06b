"""Touched: which ideas a change is about, by their files and by the files that their policies are made of."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from shipworthy.engine.block import functions_behind
from shipworthy.errors import InvalidInputError, NotFoundError, UnavailableError
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.register import list_ideas
from shipworthy.project import Project
from shipworthy.project.code import load_problem

_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Touched:
    """An idea that a change is about.

    Attributes:
        idea: Its number.
        title: Its title.
        by: The files that changed, relative to the project's folder.
    """

    idea: int
    title: str
    by: tuple[str, ...]


def changed_files(folder: Path, base: str) -> list[str]:
    """The files of a folder that differ between where a branch left `base` and the commit that is checked out.

    Raises:
        InvalidInputError: it is no repository of git, or has no such commit.
        UnavailableError: git is not there.
    """
    if not base.strip() or base.startswith("-"):
        raise InvalidInputError(f"{base!r} is no commit.")
    command = ["git", "diff", "--name-only", "--relative", "-z", "--no-renames", f"{base}...HEAD", "--"]
    try:
        found = subprocess.run(  # noqa: S603  (the commit is one argument, and no option)
            command, cwd=folder, capture_output=True, timeout=_PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"git cannot be asked what changed: {error}.") from error
    if found.returncode:
        why = found.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise InvalidInputError(
            f"git does not know what changed since {base!r}: {why}. Fetch that commit: fetch-depth 0."
        )
    return sorted(name for name in found.stdout.decode(errors="surrogateescape").split("\0") if name)


def touched(project: Project, base: str) -> list[Touched]:
    """The ideas that a change is about, by number.

    An idea is touched by its own file, by the contract of its problem, and by every file that its challenger, what it falls back
    to, or its problem's rules are made of. A change to the champion touches all ideas of its problem.

    Raises:
        InvalidInputError: git does not know the commit, or an idea's file cannot be read.
        UserCodeError: the project's code cannot be imported.
    """
    changed = set(changed_files(project.root, base))
    code = any(name.endswith(".py") for name in changed)
    found = []
    for idea in list_ideas(project):
        own = {name for name in changed if name.startswith(f"ideas/{idea.key}-")}
        own |= changed & {f"contracts/{idea.problem}.toml"}
        own |= changed & _files_of(project, idea) if code else set()
        if own:
            found.append(Touched(idea.number, idea.title, tuple(sorted(own))))
    return found


def _files_of(project: Project, idea: Idea) -> set[str]:
    """The files that the idea's evidence depends on; none while the idea names no policy yet."""
    try:
        code, problem = load_problem(project, idea.problem)
        names = {idea.challenger, problem.champion or idea.challenger}
        functions = [function for name in names for function in functions_behind(problem, name)]
    except (NotFoundError, KeyError):
        return set()
    return {str(path.relative_to(project.root)) for path in code.files_behind(*functions)}
