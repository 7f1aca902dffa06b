"""An idea: a hypothesis that can be tested, in a text file that can be reviewed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from shipworthy.errors import InvalidInputError
from shipworthy.project import Gap

_TEXTS = {
    "title": "one line that a product manager would say",
    "problem": "the problem it is about",
    "challenger": "the policy that carries it",
    "change": "what would be done differently",
    "because": "the mechanism: why that should earn more",
    "owner": "who answers for it",
}
_FIELDS = (*_TEXTS, "deadline", "worth", "guardrails")
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
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, a number or a nesting beyond any use
        raise InvalidInputError(f"{path} is not valid TOML: {error}. Correct it there.") from error
    reader = _Reader(path, given)
    reader.refuse_unknown(given, _FIELDS)
    worth = reader.table("worth")
    reader.refuse_unknown(worth, _WORTH)
    return Idea(
        number=int(number),
        slug=slug,
        **{name: reader.text(name) for name in _TEXTS},
        deadline=reader.day("deadline"),
        smallest_gain=reader.money(worth, "smallest_gain"),
        expected_gain=reader.three(worth, "expected_gain"),
        per=reader.per(worth),
        guardrails=reader.margins(),
    )


class _Reader:
    """Takes fields out of a parsed file; every refusal names the file and the field."""

    def __init__(self, path: Path, given: Mapping[str, Any]) -> None:
        self._path = path
        self._given = given

    def refuse_unknown(self, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for name in table:
            if name not in known:
                self._refuse(name, f"is unknown. Known here: {', '.join(known)}.")

    def text(self, name: str) -> str:
        value = self._given.get(name, "")
        if not isinstance(value, str):
            self._refuse(name, f"must be text in quotes, not {value!r}.")
        return str(value)

    def day(self, name: str) -> date | None:
        value = self._given.get(name)
        if value is not None and type(value) is not date:
            self._refuse(name, f"must be a date such as 2027-03-31, without quotes, not {value!r}.")
        return value

    def table(self, name: str) -> Mapping[str, Any]:
        value = self._given.get(name, {})
        if not isinstance(value, dict):
            self._refuse(name, f"must be a section: write [{name}] on a line of its own.")
        return dict(value)

    def money(self, table: Mapping[str, Any], name: str) -> float | None:
        value = table.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _MOST:
            self._refuse(name, f"must be a number, not {value!r}.")
        return float(value)

    def three(self, table: Mapping[str, Any], name: str) -> tuple[float, float, float] | None:
        value = table.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 3:
            self._refuse(name, f"must be three numbers, [low, likely, high], not {value!r}.")
        low, likely, high = (self.money({name: number}, name) or 0.0 for number in value)
        return low, likely, high

    def margins(self) -> Mapping[str, float]:
        table = self.table("guardrails")
        margins = {name: self.money(table, name) or 0.0 for name in table}
        for name, margin in margins.items():
            if margin < 0:
                self._refuse(name, f"must be 0 or more, as the loss that is tolerated, not {margin!r}.")
        return margins

    def per(self, table: Mapping[str, Any]) -> Literal["period", "year"]:
        value = table.get("per", "period")
        if value not in ("period", "year"):
            self._refuse("per", f"must be 'period' or 'year', not {value!r}.")
        return "year" if value == "year" else "period"

    def _refuse(self, name: str, why: str) -> None:
        raise InvalidInputError(f"{self._path}: {name} {why}")
