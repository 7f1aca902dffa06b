"""An idea: a hypothesis that can be tested, in a text file that can be reviewed."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

from shipworthy.errors import InvalidInputError
from shipworthy.project import Gap
from shipworthy.project.section import Section, parse_toml

_TEXTS = {
    "title": "one line that a product manager would say",
    "problem": "the problem it is about",
    "challenger": "the policy that carries it",
    "change": "what would be done differently",
    "because": "the mechanism: why that should earn more",
    "owner": "who answers for it",
}
_LACKS = {
    "problem": "The idea names no problem.",
    "change": "The idea does not say what would be decided differently.",
    "because": "The idea does not say why that should earn more.",
}
_FIELDS = (*_TEXTS, "deadline", "segments", "worth", "guardrails")
WORTH = ("smallest_gain", "expected_gain", "per", "effort", "cost")
"""What stands under [worth]; everything else stands at the top."""

FIELDS = (*_TEXTS, "deadline", "segments", *WORTH, "guardrails")
"""Everything that an idea says, by the names that a form has for it."""

_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of what follows them: a title has its direction by its own letters."""

_MOST = 1e15
"""More money than any idea is about; what is above it, or no number at all, is a slip of the pen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    """A hypothesis about one problem, as its file says it.

    Attributes:
        number: Its number, from the file's name.
        slug: The rest of the file's name.
        smallest_gain: The smallest gain worth shipping, in money.
        expected_gain: What is expected, in money: low, likely and high; None where nobody dares.
        per: What both gains are counted per.
        effort: Person-days that it would take; None where nobody said.
        cost: Money that it would cost besides; None where nobody said.
        guardrails: Margins that this idea sets instead of the problem's.
        segments: The columns by whose values the gain will be told apart, for reading; see `shipworthy.analysis.segments`.
    """

    number: int
    slug: str
    title: str = ""
    problem: str = ""
    challenger: str = ""
    change: str = ""
    because: str = ""
    owner: str = ""
    deadline: date | None = None
    smallest_gain: float | None = None
    expected_gain: tuple[float, float, float] | None = None
    per: Literal["period", "year"] = "period"
    effort: float | None = None
    cost: float | None = None
    guardrails: Mapping[str, float] = field(default_factory=dict)
    segments: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The key of all its records.

        >>> Idea(number=7, slug="weather").key
        '0007'
        """
        return f"{self.number:04d}"

    def per_period(self, money: float, periods_per_year: float) -> float:
        """A gain of this idea as money per period.

        >>> Idea(number=7, slug="weather", per="year").per_period(3650, 365)
        10.0
        """
        return money if self.per == "period" else money / periods_per_year

    def gaps(self) -> list[Gap]:
        """What keeps it from being testable."""
        return [gap for _, gap in self.faults()]

    def faults(self) -> list[tuple[str, Gap]]:
        """The same, each with the field that is to be written or corrected."""
        found = [
            (name, Gap(_LACKS.get(name, f"The idea has no {name}."), f"Write {name} = {f'<{meaning}>'!r}."))
            for name, meaning in _TEXTS.items()
            if not getattr(self, name).strip()
        ]
        if self.smallest_gain is None:
            what = "It does not say what would be worth shipping."
            found.append(("smallest_gain", Gap(what, "Write smallest_gain = <money> under [worth].")))
        elif self.smallest_gain < 0:
            what = "A smallest gain below zero would ship a loss."
            found.append(("smallest_gain", Gap(what, "Write smallest_gain = 0 or more.")))
        expected = self.expected_gain
        if expected is not None and not expected[0] <= expected[1] <= expected[2]:
            gap = Gap(f"expected_gain {list(expected)} is not in order.", "Write [low, likely, high].")
            found.append(("expected_gain", gap))
        elif expected is not None and self.smallest_gain is not None and expected[2] < self.smallest_gain:
            what = "Even its high expectation is below the smallest gain worth shipping."
            found.append(("expected_gain", Gap(what, "Drop the idea, or correct one of them.")))
        return found


def read_idea(path: Path) -> Idea:
    """Reads an idea's file; what is merely absent is left to `Idea.gaps`.

    Raises:
        InvalidInputError: the name is not NNNN-slug.toml, it is not TOML, or a field is unknown or of a wrong type.
    """
    number, slug = named(path)
    return parse_idea(number, slug, path.read_bytes(), str(path))


def named(path: Path) -> tuple[int, str]:
    """The number and the slug that the name of an idea's file says.

    Raises:
        InvalidInputError: it is not NNNN-slug.toml.

    >>> named(Path("ideas/0007-weather.toml"))
    (7, 'weather')
    """
    number, _, slug = path.stem.partition("-")
    if not (number.isascii() and number.isdigit() and int(number) and slug):
        raise InvalidInputError(f"{path}: an idea's file is named like 0007-weather.toml.")
    return int(number), slug


def parse_idea(number: int, slug: str, text: bytes, where: str) -> Idea:
    """The idea that a text says; `where` stands in the messages.

    Raises:
        InvalidInputError: it is not TOML, or a field is unknown or of a wrong type.
    """
    return idea_of(number, slug, Section(where, parse_toml(text, where)))


def idea_of(number: int, slug: str, given: Section) -> Idea:
    """The idea that some fields say, as a file has them.

    Raises:
        InvalidInputError: a field is unknown or of a wrong type.
    """
    given.refuse_unknown(_FIELDS)
    worth = given.section("worth")
    worth.refuse_unknown(WORTH)
    return Idea(
        number=number,
        slug=slug,
        **{name: given.text(name) for name in _TEXTS} | {"title": _one_line(given.text("title"))},
        deadline=_deadline(given),
        smallest_gain=worth.number("smallest_gain", _MOST),
        expected_gain=_expected_gain(worth),
        per=_per(worth),
        effort=_not_negative(worth, "effort"),
        cost=_not_negative(worth, "cost"),
        guardrails=_margins(given.section("guardrails")),
        segments=_segments(given),
    )


def _one_line(title: str) -> str:
    """A title without what would break its line, or turn the words around it."""
    shown = "".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in title if letter not in _TURNS)
    return " ".join(shown.split())


def _not_negative(worth: Section, name: str) -> float | None:
    value = worth.number(name, _MOST)
    if value is not None and value < 0:
        worth.refuse(name, f"must be 0 or more, not {value!r}.")
    return value


def _deadline(given: Section) -> date | None:
    value = given.get("deadline")
    if value is not None and type(value) is not date:
        given.refuse("deadline", f"must be a date such as 2027-03-31, without quotes, not {value!r}.")
    return value


def _segments(given: Section) -> tuple[str, ...]:
    value = given.fields.get("segments", [])
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        given.refuse("segments", f"must be a list of columns such as ['weekday'], not {value!r}.")
    if len(set(value)) < len(value):
        given.refuse("segments", f"names a column twice: {value!r}.")
    return tuple(value)


def _expected_gain(worth: Section) -> tuple[float, float, float] | None:
    value = worth.get("expected_gain")
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 3:
        worth.refuse("expected_gain", f"must be three numbers, [low, likely, high], not {value!r}.")
    low, likely, high = (worth.as_number("expected_gain", number, _MOST) for number in value)
    return low, likely, high


def _margins(rails: Section) -> Mapping[str, float]:
    margins = {name: rails.as_number(name, rails.get(name), _MOST) for name in rails}
    for name, margin in margins.items():
        if margin < 0:
            rails.refuse(name, f"must be 0 or more, as the loss that is tolerated, not {margin!r}.")
    return margins


def _per(worth: Section) -> Literal["period", "year"]:
    value = worth.fields.get("per", "period")
    if value not in ("period", "year"):
        worth.refuse("per", f"must be 'period' or 'year', not {value!r}.")
    return "year" if value == "year" else "period"
