"""The ideas of a project: found, listed and begun."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from shipworthy.errors import AlreadyExistsError, InvalidInputError, NotFoundError, PreconditionError
from shipworthy.ideas.files import read_file, read_files, taken_numbers, unwritten
from shipworthy.ideas.idea import Idea, parse_idea
from shipworthy.ideas.recorded import KIND, recorded_ideas
from shipworthy.ideas.text import TEMPLATE, rewritten
from shipworthy.ideas.written import file_of, idea_in, key_of, numbers, path_of, twice
from shipworthy.project import Project
from shipworthy.store import Change

_TRIES = 8
"""How often a number is asked for that others are asking for in the same instant."""


def list_ideas(project: Project) -> list[Idea]:
    """All ideas, by number: those with a file here, and those whose text only the record has.

    Raises:
        InvalidInputError: a file cannot be read, or two have the same number.
    """
    ideas, refusals = readable_ideas(project)
    if refusals:
        raise refusals[0]
    return ideas


def numbered_ideas(project: Project) -> Mapping[int, Idea]:
    """The same by number."""
    return {idea.number: idea for idea in list_ideas(project)}


def readable_ideas(project: Project) -> tuple[list[Idea], list[InvalidInputError]]:
    """The same, for a board that one broken file must not take away from everybody: the others, and why not all."""
    files, refusals = read_files(project)
    here: dict[int, Idea] = {}
    for idea in sorted(files, key=lambda idea: idea.number):
        if idea.number in here:
            refusals.append(twice(here[idea.number].slug, idea.slug, idea.number))
        else:
            here[idea.number] = idea
    taken = taken_numbers(project)
    for key, record in recorded_ideas(project).items():
        if int(key) not in taken:
            try:
                idea_there = idea_in(record)
            except InvalidInputError as refusal:  # written by a newer version, which knows more fields
                refusals.append(refusal)
            else:
                here |= {int(key): idea_there} if idea_there else {}
    return [here[number] for number in sorted(here)], refusals


def find_idea(project: Project, number: int) -> Idea:
    """One idea by its number.

    Raises:
        NotFoundError: neither a file nor a record has it.
        InvalidInputError: its file cannot be read, or two have its number.
    """
    path = file_of(project, number)
    if path is not None:
        with suppress(FileNotFoundError):  # taken away since it was found
            return read_file(str(path))
    record = project.records.get(KIND, key_of(number))
    idea = idea_in(record) if record else None
    if idea is None:
        raise NotFoundError.among("idea", number, numbers(project), "Begin one with `shipworthy idea new`.")
    return idea


def new_idea(project: Project, title: str, *, smallest_gain: float | None = None, **fields: Any) -> Path:
    """Begins an idea: takes the next number that was never used, by its first record, and writes its file.

    Args:
        project: Where it belongs.
        title: One line that a product manager would say.
        smallest_gain: The smallest gain worth shipping, per period.
        fields: Any of problem, challenger, change, because, owner, and of everything else that an idea says.

    Raises:
        InvalidInputError: the title gives no file name, or a field cannot be written.
        PreconditionError: others took the number in the same instant.
        UnavailableError: the file cannot be written; the idea stands in the record, and `pull_idea` writes its file.
    """
    idea, text = _begun(project, {"title": title, "smallest_gain": smallest_gain, **fields})
    path = path_of(project, idea)
    _write_new(path, text.encode())
    return path


def begin_idea(project: Project, fields: Mapping[str, Any]) -> Idea:
    """Begins an idea in the record alone, for everybody who shares the store; `idea pull` writes its file.

    Args:
        project: Where it belongs.
        fields: What it says, by the names of `FIELDS`; a title at least.

    Raises:
        InvalidInputError: the title gives no file name, or a field cannot be written.
        PreconditionError: others took the number in the same instant.
    """
    return _begun(project, fields)[0]


def _begun(project: Project, fields: Mapping[str, Any]) -> tuple[Idea, str]:
    title = str(fields.get("title") or "")
    slug = _slug(title)
    given = {name: value for name, value in fields.items() if value is not None and value != ""}
    text = rewritten(TEMPLATE, given)
    idea = parse_idea(1, slug, text.encode(), "The idea")  # what cannot be is refused before a number is taken
    number = _take_number(project, {"slug": slug, "lock": None, "text": text})
    return replace(idea, number=number), text


def _slug(title: str) -> str:
    """What a title gives to the name of its file: its Latin letters and digits, or "idea" where it is written in others."""
    if not any(letter.isalnum() for letter in title):
        raise InvalidInputError(f"{title!r} gives no file name. Use some letters or digits in the title.")
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "idea"


def _take_number(project: Project, body: Mapping[str, Any]) -> int:
    """Takes the number after every idea's, by the first record of it."""
    for tried in range(_TRIES):
        number = _next_number(project)
        try:
            project.records.add(Change(kind=KIND, key=key_of(number), body=body, expect=0), by=project.who)
        except PreconditionError:
            if tried == _TRIES - 1:
                raise
        else:
            return number
    raise AssertionError("the last try returns or raises")


def _next_number(project: Project) -> int:
    """The number after every idea's, also after those whose file is gone: their records would be taken for its own."""
    used = [*taken_numbers(project)]
    used += [int(key) for key in recorded_ideas(project)] + [int(record.key) for record in project.records.find("data")]
    return max(used, default=0) + 1


def _write_new(path: Path, content: bytes) -> None:
    """Writes a file whole, or leaves none."""
    try:
        path.parent.mkdir(exist_ok=True)
        file = path.open("xb")
    except FileExistsError:
        raise AlreadyExistsError(f"{path} was written meanwhile. Repeat the command for the next number.") from None
    except OSError as error:
        raise unwritten(path, error) from error
    try:
        with file:
            file.write(content)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise unwritten(path, error) from error
