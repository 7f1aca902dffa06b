"""The text of an idea, edited field by field: comments, order and whatever else stands in it are kept."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.ideas.idea import FIELDS, WORTH

TEMPLATE = """\
title = ""
problem = ""
challenger = ""   # the policy that carries the idea
change = ""
because = ""   # the mechanism: why should that earn more?
owner = ""
# deadline = 2027-03-31
# segments = ["weekday"]   # columns known before deciding, by which the gain is told apart

[worth]
# smallest_gain = 0.0   # the smallest gain worth shipping, in money
# expected_gain = [0.0, 0.0, 0.0]   # low, likely, high
per = "period"   # or "year"
# effort = 5.0   # person-days that it would take
# cost = 0.0   # money that it would cost besides

# [guardrails]
# name = 0.01   # a margin of this idea instead of the problem's
"""
"""What a new idea begins as."""

_MOST_LETTERS, _MOST_LINES = 20_000, 400
_MOST_NUMBER = 1e300


def nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a form, in the sections in which a file has them; what a form leaves empty is left out.

    Raises:
        InvalidInputError: a field has no such name.

    >>> nested({"title": "Bake less", "effort": 3, "deadline": None})
    {'title': 'Bake less', 'worth': {'effort': 3}}
    """
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if name not in FIELDS:
            raise InvalidInputError(str(NotFoundError.among("field", name, FIELDS)))
        if value is not None and value not in ([], (), {}):
            place = found.setdefault("worth", {}) if name in WORTH else found
            place[name] = _plain(name, value)
    return found


def rewritten(text: str, fields: Mapping[str, Any]) -> str:
    r"""A text with some fields said differently; everything else stays as it stands.

    Args:
        text: The text, which is TOML.
        fields: The new values by the names of `FIELDS`; None, or nothing in a list, takes a field out.

    Raises:
        InvalidInputError: a field has no such name or cannot have such a value, or the text writes it in a way that only a
            person can edit.

    >>> print(rewritten('title = "a"  # short\n[worth]\n', {"title": "b", "effort": 2}), end="")
    title = "b"  # short
    [worth]
    effort = 2
    """
    require_short(text)
    before, given = tomllib.loads(text), nested(fields)
    wanted = {name: value for name, value in before.items() if name not in {"worth", *fields}}
    worth = {name: value for name, value in before.get("worth", {}).items() if name not in fields}
    wanted |= given | {"worth": worth | given.get("worth", {})}
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    for path in sorted({*_flat(before), *_flat(wanted)}, key=_order):
        value = _flat(wanted).get(path)
        if _flat(before).get(path) != value:
            lines = _with(lines, path, value)
    found = "\n".join(lines) + "\n"
    require_short(found)
    if not _says(found, wanted):
        raise InvalidInputError(
            f"The text writes {', '.join(fields)} in a way of its own, which only a person can edit. Edit it by hand."
        )
    return found.replace("\n", "\r\n") if "\r\n" in text else found


def require_short(text: str) -> None:
    """Refuses a text that nobody would read, or that cannot be written.

    Raises:
        InvalidInputError: it is too long, or no text.
    """
    if len(text) > _MOST_LETTERS or text.count("\n") > _MOST_LINES:
        raise InvalidInputError(
            f"An idea has at most {_MOST_LETTERS:,} characters and {_MOST_LINES:,} lines; this one has {len(text):,} and "
            f"{text.count(chr(10)):,}. Say it in fewer words."
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"{text[error.start : error.end]!r} is no text. Write the idea in UTF-8.") from error


@dataclass(frozen=True, slots=True)
class _Statement:
    """A line, or several, that say one thing: `path` is what, and the lines are `first` up to `end`."""

    path: tuple[str, ...]
    first: int
    end: int
    is_header: bool = False


def _with(lines: list[str], path: tuple[str, ...], value: Any) -> list[str]:
    """The lines, with one thing said differently; None takes it out."""
    statements = list(_statements(lines))
    stands = next((one for one in statements if one.path == path and not one.is_header), None)
    if stands is not None:
        said = "\n".join(lines[stands.first : stands.end])
        instead = [] if value is None else [f"{said.split('=', 1)[0].rstrip()} = {_toml(path, value)}{_comment(said)}"]
        return [*lines[: stands.first], *instead, *lines[stands.end :]]
    if value is None:
        return lines
    said, (first, end) = f"{_key(path[-1])} = {_toml(path, value)}", _section(lines, statements, path[:-1])
    if first < 0:
        header = f"[{path[0]}]"
        outlined = [at for at, line in enumerate(lines) if line.strip().removeprefix("#").strip() == header]
        if outlined:
            return [*lines[: outlined[0]], header, said, *lines[outlined[0] + 1 :]]
        return [*lines, "", header, said]
    for at in range(first, end):
        outline = lines[at].strip().removeprefix("#").strip()
        if lines[at].lstrip().startswith("#") and _paths(outline) == [path[-1:]]:
            return [*lines[:at], said + _comment(outline), *lines[at + 1 :]]
    last = max(
        (one.end for one in statements if one.path[:-1] == path[:-1] and first <= one.first and one.end <= end),
        default=first,
    )
    return [*lines[:last], said, *lines[last:]]


def _section(lines: Sequence[str], statements: Sequence[_Statement], name: tuple[str, ...]) -> tuple[int, int]:
    """From which line to which a section goes, without its header; -1 where it has none."""
    headers = [(one.path, one.first) for one in statements if one.is_header] + [((), len(lines))]
    if not name:
        return 0, headers[0][1]
    for (found, at), (_, end) in pairwise(headers):
        if found == name:
            return at + 1, end
    return -1, -1


def _statements(lines: Sequence[str]) -> Iterator[_Statement]:
    """What the lines say one after the other; a header is a statement too."""
    section: tuple[str, ...] = ()
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        if not line or line.startswith("#"):
            at += 1
            continue
        end = at + 1
        while (found := _paths("\n".join(lines[at:end]))) is None and end < len(lines):
            end += 1
        if line.startswith("["):
            section = _header(line)
            yield _Statement(section, at, end, is_header=True)
        else:
            yield _Statement((*section, *(found[0] if found else ("?",))), at, end)
        at = end


def _header(line: str) -> tuple[str, ...]:
    place: Any = tomllib.loads(line)
    path: tuple[str, ...] = ()
    while isinstance(place, dict) and place:
        name, place = next(iter(place.items()))
        path = (*path, name)
    return path


def _paths(text: str) -> list[tuple[str, ...]] | None:
    """What a piece of TOML says, each by its path; None where it is no TOML."""
    try:
        return list(_flat(tomllib.loads(text)))
    except (ValueError, RecursionError):
        return None


def _comment(said: str) -> str:
    """The comment behind a statement, with the blanks before it."""
    for found in re.finditer("#", said):
        if _paths(said[: found.start()]):
            before = said[: found.start()]
            return before[len(before.rstrip(" \t")) :] + said[found.start() :]
    return ""


def _flat(said: Mapping[str, Any], above: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for name, value in said.items():
        found |= _flat(value, (*above, name)) if isinstance(value, dict) else {(*above, name): value}
    return found


def _order(path: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """New lines come in the order of the template."""
    return (FIELDS.index(path[-1]) if path[-1] in FIELDS else len(FIELDS), path)


def _says(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        return _flat(tomllib.loads(text)) == _flat(wanted)
    except (ValueError, RecursionError):
        return False


def _plain(name: str, value: Any) -> Any:
    """A value as TOML has it: a date that was sent as a text, as JSON has it; what cannot be is refused where it is read."""
    if name == "deadline" and isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, dict):
        return {key: one for key, one in value.items() if one is not None}
    return list(value) if isinstance(value, tuple) else value


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml(path: tuple[str, ...], value: object) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        if not abs(value) < _MOST_NUMBER:
            raise InvalidInputError(f"{'.'.join(path)} cannot be a number as large as that, or none at all.")
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(_toml(path, one) for one in value)}]"
    raise InvalidInputError(f"{'.'.join(path)} cannot be {value!r}.")
