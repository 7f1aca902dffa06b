"""A contract: what every row must satisfy, in a text file that can be reviewed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from shipworthy.data.contract_file import contract_path
from shipworthy.errors import InvalidInputError
from shipworthy.problem import Span
from shipworthy.project import Project
from shipworthy.project.section import Section, parse_toml
from shipworthy.store import digest

Kind = Literal["text", "number", "integer", "date", "datetime", "boolean"]
"""The types that a column of a contract can have."""

Bound = int | float | date | datetime
"""What a least or a greatest value can be; both of one column are of one kind."""

_FIELDS = ("columns", "rules", "freshness")
_OF_COLUMN = ("type", "required", "min", "max", "one_of", "pattern")
YEARS = (1700, 2250)
"""Further away an instant does not fit into 64 bits of nanoseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is expected of one column.

    Attributes:
        type: The type of its values; every number is a "number", a whole one an "integer" too.
        required: Whether a value must be there in every row.
        min: The least value.
        max: The greatest value.
        one_of: The only values; empty where any is good.
        pattern: A regular expression that a whole text matches; None where any does.
    """

    type: Kind
    required: bool = False
    min: Bound | None = None
    max: Bound | None = None
    one_of: tuple[str | int, ...] = ()
    pattern: str | None = None

    @property
    def is_bound(self) -> bool:
        """Whether it asks more of a value than its type."""
        return not (self.min is None and self.max is None and not self.one_of and self.pattern is None)


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What the rows of a problem must satisfy.

    Attributes:
        file: The file's name, as messages say it.
        content: The file's bytes.
        columns: What is expected of each column that has an entry.
        rules: Rules over the columns of one row, each by its name, as SQL.
        freshness: How old the newest outcome may be when `data` runs; None where it may have any age.
    """

    file: str
    content: bytes
    columns: Mapping[str, Expected]
    rules: Mapping[str, str]
    freshness: Span | None

    @cached_property
    def digest(self) -> str:
        """The digest of the file's bytes."""
        return digest(self.content)


def find_contract(project: Project, problem: str) -> Contract | None:
    """The contract of a problem; None where it has none.

    Raises:
        InvalidInputError: its file says what means nothing, or what cannot be.
    """
    path = contract_path(project, problem)
    return read_contract(path, str(path.relative_to(project.root))) if path.exists() else None


def read_contract(path: Path, file: str | None = None) -> Contract:
    """Reads a contract's file.

    Raises:
        InvalidInputError: it cannot be read, or says what means nothing, or what cannot be.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInputError(
            f"{file or path} cannot be read: {error.strerror}. A contract is a file: put one there."
        ) from error
    return parse_contract(content, file or str(path))


def parse_contract(content: bytes, file: str) -> Contract:
    r"""The contract that a file of that name and content holds.

    Raises:
        InvalidInputError: it says what means nothing, or what cannot be; the message names file and field.

    >>> text = b'[columns]\nprice = { type = "number", required = true, min = 0 }'
    >>> parse_contract(text, "contracts/shop.toml").columns["price"].min
    0
    """
    given = Section(file, parse_toml(content, file))
    given.refuse_unknown(_FIELDS)
    columns, rules = given.section("columns"), given.section("rules")
    return Contract(
        file=file,
        content=content,
        columns={name: _expected(columns.section(name)) for name in columns},
        rules={name: _rule(rules, name) for name in rules},
        freshness=_freshness(given),
    )


def _expected(given: Section) -> Expected:
    given.refuse_unknown(_OF_COLUMN)
    kind = given.text("type")
    if kind not in get_args(Kind):
        given.refuse("type", f"must be one of {', '.join(get_args(Kind))}, not {kind!r}.")
    expected = Expected(
        type=kind,  # type: ignore[arg-type]
        required=given.flag("required"),
        min=_bound(given, "min", kind),
        max=_bound(given, "max", kind),
        one_of=_one_of(given, kind),
        pattern=_pattern(given, kind),
    )
    _refuse_impossible(given, expected)
    return expected


def _bound(given: Section, name: str, kind: str) -> Bound | None:
    value: Bound | None = given.get(name)
    if value is None:
        return None
    if kind not in _READERS:
        given.refuse(name, f"has no meaning for a {kind}: leave it out, or use one_of.")
    wanted, is_good = _READERS[kind]
    if not is_good(value):
        given.refuse(name, f"must be {wanted}, not {value!r}.")
    return value


def _is_whole(value: Any) -> bool:
    return type(value) is int and abs(value) < 2**63


_READERS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "integer": ("a whole number of at most 64 bits", _is_whole),
    "number": ("a number", lambda value: _is_whole(value) or (type(value) is float and math.isfinite(value))),
    "date": ("a date such as 2026-01-31, without quotes", lambda value: type(value) is date),
    "datetime": (
        f"a time such as 2026-01-31T06:00:00, without quotes, of the years {YEARS[0]} to {YEARS[1]}",
        lambda value: type(value) is datetime and YEARS[0] <= value.year <= YEARS[1],
    ),
}
"""What a bound of each type must be, in words and as a check."""


def _one_of(given: Section, kind: str) -> tuple[str | int, ...]:
    values = given.get("one_of")
    if values is None:
        return ()
    if kind not in ("text", "integer"):
        given.refuse("one_of", f"is for text and integer only, and this is a {kind}: use min and max, or a rule.")
    is_good = _is_whole if kind == "integer" else lambda value: type(value) is str
    wanted = "whole numbers" if kind == "integer" else "texts in quotes"
    if not isinstance(values, list) or not values or not all(is_good(value) for value in values):
        given.refuse("one_of", f"must be a list of {wanted}, at least one, not {values!r}.")
    return tuple(dict.fromkeys(values))


def _pattern(given: Section, kind: str) -> str | None:
    if given.get("pattern") is None:
        return None
    if kind != "text":
        given.refuse("pattern", f"is for text only, and this is a {kind}.")
    return given.text("pattern")


def _refuse_impossible(given: Section, expected: Expected) -> None:
    least: Any = expected.min
    most: Any = expected.max
    if isinstance(least, datetime) and isinstance(most, datetime) and (least.tzinfo is None) != (most.tzinfo is None):
        given.refuse("max", "and min must both have an offset, or both have none.")
    if least is not None and most is not None and least > most:
        given.refuse("min", f"is {least}, above max, which is {most}: no value can be both. Exchange or correct them.")
    outside = [
        value
        for value in expected.one_of
        if isinstance(value, int) and ((least is not None and value < least) or (most is not None and value > most))
    ]
    if outside:
        given.refuse("one_of", f"names {outside[0]!r}, which min and max refuse. Correct one of them.")
    if expected.one_of and expected.pattern is not None:
        given.refuse("pattern", "says nothing beside one_of, which names every value. Leave one of them out.")


def _rule(rules: Section, name: str) -> str:
    text = rules.text(name).strip()
    if not text:
        rules.refuse(name, 'is empty. Write what must hold of every row, for example "is_closed = 0 OR demand = 0".')
    return text


def _freshness(given: Section) -> Span | None:
    if given.get("freshness") is None:
        return None
    try:
        return Span.of(given.text("freshness"))
    except InvalidInputError as error:
        given.refuse("freshness", f"cannot be read: {error}")
