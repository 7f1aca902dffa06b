"""Pipelines: the files with which GitHub Actions and GitLab CI prove what a change touches."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from shipworthy.errors import AlreadyExistsError, InvalidInputError
from shipworthy.project import Project

_TEMPLATES = Path(__file__).with_name("pipelines")
FILES: Mapping[str, str] = {"github": ".github/workflows/shipworthy.yml", "gitlab": ".gitlab-ci.shipworthy.yml"}
"""Where each pipeline's file lies, from the top of the repository."""


def write_pipeline(project: Project, host: str, *, replace: bool = False) -> Path:
    """Writes the pipeline of a host into the repository that the project lies in; the project may be a folder of it.

    Raises:
        AlreadyExistsError: the file is there, and is not to be replaced.
        InvalidInputError: the project's folder has a name that no pipeline can hold.
    """
    top = _top(project.root)
    path = top / FILES[host]
    content = render_pipeline(host, project.root.relative_to(top).as_posix())
    if path.exists() and not replace and path.read_text(encoding="utf-8") != content:
        raise AlreadyExistsError(f"{path} is there and says something else. Look at it, then give --replace.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def render_pipeline(host: str, place: str = ".") -> str:
    """The pipeline of a host for a project in that folder of its repository.

    Raises:
        InvalidInputError: the folder has a name that no pipeline can hold.
    """
    if not all(letter.isalnum() or letter in "._-/" for letter in place):
        raise InvalidInputError(
            f"The folder {place!r} cannot stand in a pipeline. Use letters, digits, '.', '_' and '-'."
        )
    template = (_TEMPLATES / f"{host}.yml").read_text(encoding="utf-8")
    return template.replace("@FOLDER@", "" if place == "." else f"{place}/").replace("@PLACE@", place)


def _top(folder: Path) -> Path:
    """The top of the repository; the folder itself where it is in none."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "--show-toplevel"],  # noqa: S607  (whichever git is first on the path)
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return folder
    return Path(found.stdout.strip()).resolve() if found.returncode == 0 else folder
