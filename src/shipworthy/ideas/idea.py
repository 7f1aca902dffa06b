"""An idea: a hypothesis that can be tested, in a text file that can be reviewed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

from shipworthy.errors import InvalidInputError
from shipworthy.project import Gap
from shipworthy.project.section import Section, read_toml

_TEXTS = {
    "title": "one line that a product manager would say",
    "problem": "the problem it is about",
    "challenger": "the policy that carries it",
    "change": "what would be done differently",
    "because": "the mechanism: why that should earn more",
    "owner": "who answers for it",
}
_FIELDS = (*_TEXTS, "deadline", "segments", "worth", "guardrails")
_MOST = 1e15
"""More money than any idea is about; what is above it, or no number at all, is a slip of the pen."""

_WORTH = ("smallest_gain", "expected_gain", "per")


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    """A hypothesis about one problem, as its file says it.

    Attributes:
        number: Its number, from the file's name.
        slug: The rest of the file's name.
        smallest_gain: The smallest gain worth shipping, in money.
        expected_gain: What is expected, in money: low, likely and high; None where nobody dares.
        per: What both gains are counted per.
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
        found = [
            Gap(f"The idea has no {name}.", f"Write {name} = {f'<{meaning}>'!r}.")
            for name, meaning in _TEXTS.items()
            if not getattr(self, name).strip()
        ]
        if self.smallest_gain is None:
            found.append(
                Gap("It does not say what would be worth shipping.", "Write smallest_gain = <money> under [worth].")
            )
        elif self.smallest_gain < 0:
            found.append(Gap("A smallest gain below zero would ship a loss.", "Write smallest_gain = 0 or more."))
        expected = self.expected_gain
        if expected is not None and not expected[0] <= expected[1] <= expected[2]:
            found.append(Gap(f"expected_gain {list(expected)} is not in order.", "Write [low, likely, high]."))
        elif expected is not None and self.smallest_gain is not None and expected[2] < self.smallest_gain:
            found.append(
                Gap(
                    "Even its high expectation is below the smallest gain worth shipping.",
                    "Drop the idea, or correct one of them.",
                )
            )
        return found


def read_idea(path: Path) -> Idea:
    """Reads an idea's file; what is merely absent is left to `Idea.gaps`.

    Raises:
        InvalidInputError: the name is not NNNN-slug.toml, it is not TOML, or a field is unknown or of a wrong type.
    """
    number, _, slug = path.stem.partition("-")
    if not (number.isascii() and number.isdigit() and int(number) and slug):
        raise InvalidInputError(f"{path}: an idea's file is named like 0007-weather.toml.")
    given = Section(str(path), read_toml(path))
    given.refuse_unknown(_FIELDS)
    worth = given.section("worth")
    worth.refuse_unknown(_WORTH)
    return Idea(
        number=int(number),
        slug=slug,
        **{name: given.text(name) for name in _TEXTS},
        deadline=_deadline(given),
        smallest_gain=worth.number("smallest_gain", _MOST),
        expected_gain=_expected_gain(worth),
        per=_per(worth),
        guardrails=_margins(given.section("guardrails")),
        segments=_segments(given),
    )


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
