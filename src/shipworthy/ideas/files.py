"""The files of ideas: which there are, and what each says, read again only where it changed."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from shipworthy.ideas.idea import Idea, named, read_idea
from shipworthy.project import Project

IDEAS_FOLDER = "ideas"
SETTLED_NS = 100_000_000
"""How old a file has to be before its times tell it from a newer one: file systems stamp only every few milliseconds."""


class _Read(NamedTuple):
    stamp: tuple[int, ...]
    idea: Idea


_READ: dict[str, _Read] = {}
"""What the files said that were read in this process; a server asks for ten thousand of them again and again."""


def idea_names(project: Project) -> Mapping[str, int]:
    """The names of the files of ideas, in their order, each with its idea's number.

    Raises:
        InvalidInputError: one is not named NNNN-slug.toml.
    """
    try:
        names = sorted(name for name in os.listdir(project.root / IDEAS_FOLDER) if name.endswith(".toml"))  # noqa: PTH208  (ten thousand paths take long)
    except FileNotFoundError:
        return {}
    return {name: _number(project, name) for name in names}


def idea_files(project: Project) -> Mapping[Path, int]:
    """The files of ideas, in the order of their names, each with its idea's number.

    Raises:
        InvalidInputError: one is not named NNNN-slug.toml.
    """
    return {project.root / IDEAS_FOLDER / name: number for name, number in idea_names(project).items()}


def _number(project: Project, name: str) -> int:
    number, _, slug = name.removesuffix(".toml").partition("-")
    is_plain = number.isascii() and number.isdigit() and len(number) < 10 and bool(slug)
    return int(number) if is_plain and int(number) else named(project.root / IDEAS_FOLDER / name)[0]


def read_file(path: Path) -> Idea:
    """What a file says; one that did not change since it was read is not read again.

    Raises:
        InvalidInputError: it cannot be read as an idea.
    """
    about = path.stat()
    stamp = (about.st_mtime_ns, about.st_ctime_ns, about.st_size, about.st_ino)
    known = _READ.get(str(path))
    if known is not None and known.stamp == stamp:
        return known.idea
    idea = read_idea(path)
    if time.time_ns() - max(about.st_mtime_ns, about.st_ctime_ns) > SETTLED_NS:
        _READ[str(path)] = _Read(stamp, idea)
    return idea
