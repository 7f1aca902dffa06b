"""The ideas of a project: the files in `ideas/`, found, listed and begun."""

from __future__ import annotations

import json
import re
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path

from shipworthy.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from shipworthy.ideas.idea import Idea, read_idea
from shipworthy.project import Project
from shipworthy.store import Change

IDEAS_FOLDER = "ideas"
_ALIKE = 0.75

_TEMPLATE = """\
title = {title}
problem = {problem}
challenger = {challenger}   # the policy that carries the idea
change = {change}
because = {because}   # the mechanism: why should that earn more?
owner = {owner}
# segments = ["weekday"]   # columns known before deciding, by which the gain is told apart

[worth]
{smallest_gain}   # the smallest gain worth shipping, in money
# expected_gain = [0.0, 0.0, 0.0]   # low, likely, high
per = "period"   # or "year"

# [guardrails]
# name = 0.01   # a margin of this idea instead of the problem's
"""


def list_ideas(project: Project) -> list[Idea]:
    """All ideas, by number.

    Raises:
        InvalidInputError: a file cannot be read, or two have the same number.
    """
    ideas = [read_idea(path) for path in sorted((project.root / IDEAS_FOLDER).glob("*.toml"))]
    ideas.sort(key=lambda idea: idea.number)
    for one, other in pairwise(ideas):
        if one.number == other.number:
            raise InvalidInputError(
                f"Ideas {one.slug!r} and {other.slug!r} both have number {one.number}. Rename one file."
            )
    return ideas


def find_idea(project: Project, number: int) -> Idea:
    """One idea by its number.

    Raises:
        NotFoundError: no file has it.
    """
    ideas = {idea.number: idea for idea in list_ideas(project)}
    if number not in ideas:
        raise NotFoundError.among("idea", number, ideas, "Begin one with `shipworthy idea new`.")
    return ideas[number]


def new_idea(project: Project, title: str, *, smallest_gain: float | None = None, **texts: str) -> Path:
    """Begins an idea: takes the next number that was never used, by its first record, and writes its file.

    Args:
        project: Where it belongs.
        title: One line that a product manager would say.
        smallest_gain: The smallest gain worth shipping, per period.
        texts: Any of problem, challenger, change, because and owner.

    Raises:
        InvalidInputError: the title gives no file name, or a text cannot be written as UTF-8.
        PreconditionError: somebody else took the number in the same instant.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-")
    if not slug:
        raise InvalidInputError(f"{title!r} gives no file name. Use some letters or digits in the title.")
    number = _next_number(project)
    path = project.root / IDEAS_FOLDER / f"{number:04d}-{slug}.toml"
    names = ("problem", "challenger", "change", "because", "owner")
    fields = {name: json.dumps(texts.get(name) or "", ensure_ascii=False) for name in names}
    gain = "# smallest_gain = 0.0" if smallest_gain is None else f"smallest_gain = {smallest_gain!r}"
    text = _TEMPLATE.format(title=json.dumps(title, ensure_ascii=False), smallest_gain=gain, **fields)
    try:
        content = text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"{text[error.start : error.end]!r} is no text. Write the idea in UTF-8.") from error
    first = Change(kind="idea", key=f"{number:04d}", body={"slug": slug, "lock": None}, expect=0)
    project.records.add(first, by=project.who)
    path.parent.mkdir(exist_ok=True)
    _write_new(path, content)
    return path


def _next_number(project: Project) -> int:
    """The number after every idea's, also after those whose file is gone: their records would be taken for its own."""
    used = [idea.number for idea in list_ideas(project)]
    used += [int(record.key) for kind in ("idea", "data") for record in project.records.find(kind)]
    return max(used, default=0) + 1


def _write_new(path: Path, content: bytes) -> None:
    """Writes a file whole, or leaves none."""
    try:
        file = path.open("xb")
    except FileExistsError:
        raise AlreadyExistsError(f"{path} was written meanwhile. Repeat the command for the next number.") from None
    try:
        with file:
            file.write(content)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def alike(project: Project, idea: Idea) -> list[Idea]:
    """Earlier ideas that say nearly the same, in their title or in what they would change."""
    earlier = [other for other in list_ideas(project) if other.number < idea.number]
    return [
        other for other in earlier if _same_words(idea.title, other.title) or _same_words(idea.change, other.change)
    ]


def _same_words(one: str, other: str) -> bool:
    return SequenceMatcher(None, one.lower(), other.lower()).ratio() > _ALIKE if one and other else False
