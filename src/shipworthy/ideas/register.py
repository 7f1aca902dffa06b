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
    """Begins an idea: writes its file with the next free number, and its first record.

    Args:
        project: Where it belongs.
        title: One line that a product manager would say.
        smallest_gain: The smallest gain worth shipping, per period.
        texts: Any of problem, challenger, change, because and owner.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-")
    if not slug:
        raise InvalidInputError(f"{title!r} gives no file name. Use some letters or digits in the title.")
    number = max((idea.number for idea in list_ideas(project)), default=0) + 1
    path = project.root / IDEAS_FOLDER / f"{number:04d}-{slug}.toml"
    path.parent.mkdir(exist_ok=True)
    names = ("problem", "challenger", "change", "because", "owner")
    fields = {name: json.dumps(texts.get(name) or "", ensure_ascii=False) for name in names}
    gain = "# smallest_gain = 0.0" if smallest_gain is None else f"smallest_gain = {smallest_gain!r}"
    text = _TEMPLATE.format(title=json.dumps(title, ensure_ascii=False), smallest_gain=gain, **fields)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise AlreadyExistsError(f"{path} was written meanwhile. Repeat the command for the next number.") from None
    project.records.add(Change(kind="idea", key=f"{number:04d}", body={"slug": slug, "lock": None}), by=project.who)
    return path


def alike(project: Project, idea: Idea) -> list[Idea]:
    """Earlier ideas that say nearly the same."""
    said = _said(idea)
    others = [other for other in list_ideas(project) if other.number < idea.number]
    return [other for other in others if SequenceMatcher(None, said, _said(other)).ratio() > _ALIKE]


def _said(idea: Idea) -> str:
    return f"{idea.title} {idea.change}".lower()
