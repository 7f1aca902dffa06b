"""An idea as it is written: its text, where that stands, and whether its file and its record say the same.

A file in `ideas/` counts, where there is one. The text stands in the record too, so that an idea that was begun on another
machine, or on a board, is there for everybody who shares the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.ideas.files import IDEAS_FOLDER, files_of, taken_numbers
from shipworthy.ideas.idea import Idea, parse_idea
from shipworthy.ideas.recorded import KIND, recorded_ideas
from shipworthy.project import Gap, Project
from shipworthy.store import Record, digest


class Agreement(StrEnum):
    """How an idea's file stands to its record.

    - same: they say the same, or there is only one of them;
    - changed: the file was changed by hand since, which counts;
    - behind: the file says what the record said before;
    - apart: the record was changed after the file was changed by hand, so that each knows nothing of the other.
    """

    SAME = "same"
    CHANGED = "changed"
    BEHIND = "behind"
    APART = "apart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An idea as it is written.

    Attributes:
        idea: The idea.
        text: The text that says it.
        path: The file that it is read from; None where only the record has it.
        recorded: The text in its record; None where that has none.
        version: The version of its record; 0 where it has none.
        agreement: How the file stands to the record.
    """

    idea: Idea
    text: str
    path: Path | None
    recorded: str | None
    version: int
    agreement: Agreement

    @property
    def edition(self) -> str:
        """The digest of the text: who edits says which edition he has seen."""
        return digest(self.text.encode())


def read_written(project: Project, number: int) -> Written:
    """How an idea is written.

    Raises:
        NotFoundError: there is no idea of that number.
        InvalidInputError: its file cannot be read as an idea, or two have its number.
    """
    path, record = file_of(project, number), project.records.get(KIND, key_of(number))
    recorded = record.body.get("text") if record else None
    version = record.version if record else 0
    if path is None:
        if record is None or recorded is None:
            raise NotFoundError.among("idea", number, numbers(project), "Begin one with `shipworthy idea new`.")
        idea = idea_in(record)
        assert idea is not None, "its record has a text"
        return Written(
            idea=idea, text=recorded, path=None, recorded=recorded, version=version, agreement=Agreement.SAME
        )
    content = path.read_bytes()
    idea = parse_idea(number, path.stem.partition("-")[2], content, str(path))
    text = content.decode()
    return Written(
        idea=idea,
        text=text,
        path=path,
        recorded=recorded,
        version=version,
        agreement=Agreement.SAME if recorded == text else _agreement(project, number, text, path.stat().st_mtime),
    )


def _agreement(project: Project, number: int, text: str, changed: float) -> Agreement:
    said, at = None, 0.0
    for record in project.records.history(KIND, key_of(number)):
        if record.body.get("text") == text:
            return Agreement.BEHIND
        if record.body.get("text") != said:
            said, at = record.body["text"], record.at.timestamp()
    return Agreement.APART if at > changed else Agreement.CHANGED


def overtaken(written: Written) -> list[Gap]:
    """Why the file of an idea is not to be gone on with: its record says something that the file does not know."""
    n = written.idea.number
    if written.agreement is Agreement.BEHIND:
        what = f"The idea was edited since: its file says what its record said before version {written.version}."
        return [
            Gap(
                what,
                f"Take it over with `shipworthy idea pull {n}`, or by editing it on the board; or let the file count: "
                f"`shipworthy idea push {n}`.",
            )
        ]
    if written.agreement is Agreement.APART:
        what = "The file was changed by hand, and afterwards the idea was edited elsewhere: each misses what the other says."
        keep = f"Let the file count with `shipworthy idea push {n}`"
        return [Gap(what, f"{keep}; or move it away and `shipworthy idea pull {n}`.")]
    return []


def file_of(project: Project, number: int) -> Path | None:
    """The file of an idea; None where there is none here.

    Raises:
        InvalidInputError: two files have its number.
    """
    found = files_of(project, number)
    if len(found) > 1:
        slugs = [path.stem.partition("-")[2] for path in found]
        raise twice(slugs[0], slugs[1], number)
    return found[0] if found else None


def twice(one: str, other: str, number: int) -> InvalidInputError:
    """What is to be said of two files with one number, by their slugs."""
    return InvalidInputError(f"Ideas {one!r} and {other!r} both have number {number}. Rename one file.")


def key_of(number: int) -> str:
    """The key of all records of an idea, which is `Idea.key` too."""
    return f"{number:04d}"


def numbers(project: Project) -> list[int]:
    """The numbers of all ideas, by file or by record."""
    recorded = {int(key) for key, record in recorded_ideas(project).items() if record.body.get("text") is not None}
    return sorted(recorded | taken_numbers(project))


def idea_in(record: Record) -> Idea | None:
    """The idea that a record's text says; None where it has none."""
    text = record.body.get("text")
    return None if text is None else _parsed(int(record.key), str(record.body["slug"]), text)


@lru_cache(maxsize=50_000)
def _parsed(number: int, slug: str, text: str) -> Idea:
    return parse_idea(number, slug, text.encode(), f"the record of idea {number}")


def path_of(project: Project, idea: Idea) -> Path:
    """Where the file of an idea lies that has none yet."""
    return project.root / IDEAS_FOLDER / f"{idea.key}-{idea.slug}.toml"
