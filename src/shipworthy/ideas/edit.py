"""Edits of an idea, which two people may make at once, in its file or in its record: nothing is overwritten unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from shipworthy.errors import InvalidInputError, PreconditionError
from shipworthy.ideas.files import unwritten
from shipworthy.ideas.idea import Idea, parse_idea
from shipworthy.ideas.lock import deviations
from shipworthy.ideas.recorded import KIND
from shipworthy.ideas.text import require_short, rewritten
from shipworthy.ideas.written import Agreement, Written, numbers, overtaken, path_of, read_written
from shipworthy.project import Project
from shipworthy.store import Change


def edit_idea(
    project: Project,
    number: int,
    fields: Mapping[str, Any] | None = None,
    *,
    text: str | None = None,
    expect: str | None = None,
    knowingly: bool = False,
) -> Written:
    """Says something of an idea differently: in its record, and in its file where there is one.

    Args:
        project: Where it belongs.
        number: Its number.
        fields: The new values by the names of `FIELDS`; None takes a field out.
        text: The whole text instead.
        expect: The `edition` that whoever edits has seen; None means whichever there is now. A file
            that is behind its record, as an edit leaves it that was cut off, first takes over what the record says.
        knowingly: Whether what was locked may be said differently; it stands in the report as a deviation.

    Raises:
        NotFoundError: there is no such idea, or no field of that name.
        InvalidInputError: a value cannot be, or what was locked would be said differently and nobody said `knowingly`.
        PreconditionError: somebody else was first, or its file and its record are apart.
        UnavailableError: its file, or its record, cannot be written; nothing was changed.
    """
    written = read_written(project, number)
    if expect is not None and written.agreement is Agreement.BEHIND:
        pull_idea(project, number)
        written = read_written(project, number)
    if expect is not None and expect != written.edition:
        raise PreconditionError(
            f"Idea {number} was edited by somebody else meanwhile. Look at it again, then repeat what you meant."
        )
    apart = overtaken(written)
    if apart:
        raise PreconditionError(f"Idea {number}: {apart[0]}")
    said = rewritten(written.text, fields or {}) if text is None else text
    require_short(said)
    idea = parse_idea(number, written.idea.slug, said.encode(), f"Idea {number}")
    if not knowingly:
        _require_no_departure(project, written.idea, idea)
    if said in (written.recorded, written.text) and written.agreement is Agreement.SAME:
        return written
    if written.path is None or said == written.text:
        _record(project, written, said)
    else:
        with _beside(written.path, said) as beside:
            _record(project, written, said)  # cut off from here on, the file is behind, and not apart
            _take_place(beside, written.path, written.text)
    return read_written(project, number)


def push_idea(project: Project, number: int) -> Written:
    """Lets the file of an idea count: its record says from now on what the file says.

    Raises:
        NotFoundError: there is no such idea.
        InvalidInputError: it has no file here.
        PreconditionError: somebody else was first.
    """
    written = read_written(project, number)
    if written.path is None:
        raise InvalidInputError(f"Idea {number} has no file here. Write it with `shipworthy idea pull {number}`.")
    if written.agreement is not Agreement.SAME:
        _record(project, written, written.text)
    return read_written(project, number)


def keep_text(project: Project, number: int) -> None:
    """Lets the record of an idea say what its file says, where there is one: whoever has no file reads it there.

    Raises:
        PreconditionError: somebody edited it in the same instant.
    """
    if read_written(project, number).path is not None:
        push_idea(project, number)


def pull_idea(project: Project, number: int) -> Path:
    """Writes the file of an idea as its record says it.

    Raises:
        NotFoundError: there is no such idea.
        PreconditionError: the file was changed by hand, or nobody recorded it yet; it is left as it is.
    """
    written = read_written(project, number)
    if written.path is None:
        path = path_of(project, written.idea)
        with _beside(path, written.text) as beside:
            _take_place(beside, path, None)
        return path
    if written.agreement in {Agreement.CHANGED, Agreement.APART}:
        raise PreconditionError(
            f"{written.path} was changed by hand, and is left as it is. Let it count with `shipworthy idea push {number}`, or "
            "move it away first."
        )
    if written.agreement is Agreement.BEHIND and written.recorded is not None:
        with _beside(written.path, written.recorded) as beside:
            _take_place(beside, written.path, written.text)
    return written.path


def waiting(project: Project) -> Sequence[int]:
    """The ideas whose file is not here yet, or behind its record: what `pull_idea` would write."""
    found = []
    for number in numbers(project):
        written = read_written(project, number)
        if written.path is None or written.agreement is Agreement.BEHIND:
            found.append(number)
    return found


def _require_no_departure(project: Project, before: Idea, after: Idea) -> None:
    new = [said for said in deviations(project, after) if said not in deviations(project, before)]
    if new:
        raise InvalidInputError(
            f"What counts as success is locked since research started: {' '.join(new)} Begin a new idea; or say it knowingly, "
            "with --deviate, and it stands in the report as a deviation."
        )


def _record(project: Project, written: Written, text: str) -> None:
    """Records a text; first what the file said that nobody recorded, so that other clones know theirs for an older one."""
    record = project.records.get(KIND, written.idea.key)
    body = dict(record.body) if record else {"slug": written.idea.slug, "lock": None}
    texts = [text] if written.text in (written.recorded, text) else [written.text, text]
    changes = [
        Change(kind=KIND, key=written.idea.key, body={**body, "text": said}, expect=written.version + n)
        for n, said in enumerate(texts)
    ]
    project.records.add(*changes, by=project.who)


@contextmanager
def _beside(path: Path, text: str) -> Iterator[Path]:
    """A file with the text, beside the one whose place it is to take: a full disk shows before anything is recorded."""
    beside = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        path.parent.mkdir(exist_ok=True)
        beside.write_bytes(text.encode())
        yield beside
    except OSError as error:
        raise unwritten(path, error) from error
    finally:
        with suppress(OSError):
            beside.unlink()


def _take_place(beside: Path, path: Path, seen: str | None) -> None:
    """Puts a file in the place of the one that was seen, whole or not at all; where it says the same already, it stays."""
    now = path.read_bytes().decode(errors="replace") if path.exists() else None
    if now == beside.read_bytes().decode():
        return
    if now != seen:
        raise PreconditionError(
            f"{path} was changed by hand in this very moment, and is left as it is. What was meant stands in the record."
        )
    beside.replace(path)
