"""The files of ideas: which there are, and what each says, read again only where it changed."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

from shipworthy.errors import InvalidInputError, UnavailableError
from shipworthy.ideas.idea import Idea, read_idea
from shipworthy.project import Project

IDEAS_FOLDER = "ideas"
_SETTLED_NS = 100_000_000
"""How old a file has to be before its times tell it from a newer one: file systems stamp only every few milliseconds."""


class _Read(NamedTuple):
    stamp: tuple[int, ...]
    idea: Idea


_READ: dict[str, _Read] = {}
"""What the files said that were read in this process; a server asks for ten thousand of them again and again."""


def file_names(project: Project) -> list[str]:
    """The names of the files of ideas, in order."""
    try:
        names = os.listdir(project.root / IDEAS_FOLDER)  # noqa: PTH208  (ten thousand paths would take their time)
    except FileNotFoundError:
        return []
    return sorted(name for name in names if name.endswith(".toml") and not name.startswith("."))


def files_of(project: Project, number: int) -> list[Path]:
    """The files that have a number, which is one where all is well."""
    beginning = f"{number}-"
    names = [name for name in file_names(project) if name.lstrip("0").startswith(beginning)]
    return [project.root / IDEAS_FOLDER / name for name in names]


def taken_numbers(project: Project) -> set[int]:
    """The numbers that files have, also those that cannot be read."""
    stems = (name.partition("-")[0] for name in file_names(project))
    return {int(stem) for stem in stems if stem.isascii() and stem.isdigit()}


def read_files(project: Project) -> tuple[list[Idea], list[InvalidInputError]]:
    """What the files say that can be read, in the order of their names, and what is wrong with the others."""
    ideas, refusals = [], []
    folder = str(project.root / IDEAS_FOLDER)
    for name in file_names(project):
        try:
            ideas.append(read_file(f"{folder}{os.sep}{name}"))
        except InvalidInputError as refusal:
            refusals.append(refusal)
        except FileNotFoundError:  # taken away since it was listed
            continue
    return ideas, refusals


def read_file(path: str) -> Idea:
    """What a file says; one that did not change since it was read is not read again.

    Raises:
        InvalidInputError: it is not named or written like an idea.
    """
    about = os.stat(path)  # noqa: PTH116  (ten thousand paths would take their time)
    stamp = (about.st_mtime_ns, about.st_ctime_ns, about.st_size, about.st_ino)
    known = _READ.get(path)
    if known is not None and known.stamp == stamp:
        return known.idea
    idea = read_idea(Path(path))
    if time.time_ns() - max(about.st_mtime_ns, about.st_ctime_ns) > _SETTLED_NS:
        _READ[path] = _Read(stamp, idea)
    return idea


def unwritten(path: Path, error: OSError) -> UnavailableError:
    """What is to be said of a file that cannot be written."""
    return UnavailableError(
        f"The file {path} cannot be written: {error.strerror or error}. Check that the folder may be written and that the disk "
        "has room, then ask again."
    )
