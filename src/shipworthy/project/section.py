"""A section of a TOML file: its fields are taken out one by one, and every refusal names the file and the field."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from shipworthy.errors import InvalidInputError


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file says.

    Raises:
        InvalidInputError: it is not TOML.
    """
    return parse_toml(path.read_bytes(), str(path))


def parse_toml(content: bytes, file: str) -> dict[str, Any]:
    """What TOML says that was read from a file of that name.

    Raises:
        InvalidInputError: it is not TOML.

    >>> parse_toml(b"workers = 2", "shipworthy.toml")
    {'workers': 2}
    """
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, a number or a nesting beyond any use
        raise InvalidInputError(f"{file} is not valid TOML: {error}. Correct it there.") from error


class Section:
    """The fields of one section.

    Attributes:
        file: The name of the file, as messages say it.
        fields: What the section says.

    >>> Section("ideas/0007-weather.toml", {"deadline": "soon"}).number("deadline")
    Traceback (most recent call last):
    ...
    shipworthy.errors.InvalidInputError: ideas/0007-weather.toml: deadline must be a number, not 'soon'.
    """

    def __init__(self, file: str, fields: Mapping[str, Any], inside: str = "") -> None:
        """Takes what was parsed; `inside` is where it stands in the file, for example "columns.price"."""
        self.file = file
        self.fields = fields
        self._inside = inside

    def __iter__(self) -> Iterator[str]:
        """The names of its fields."""
        return iter(self.fields)

    def refuse_unknown(self, known: Sequence[str]) -> None:
        """Refuses a field that means nothing here."""
        for name in self.fields:
            if name not in known:
                self.refuse(name, f"is unknown. Known here: {', '.join(known)}.")

    def get(self, name: str) -> Any:
        """A field as it stands; None where it does not."""
        return self.fields.get(name)

    def text(self, name: str) -> str:
        """A text; empty where it does not stand there."""
        value = self.fields.get(name, "")
        if not isinstance(value, str):
            self.refuse(name, f"must be text in quotes, not {value!r}.")
        return value

    def flag(self, name: str) -> bool:
        """True or false; false where it does not stand there."""
        value = self.fields.get(name, False)
        if not isinstance(value, bool):
            self.refuse(name, f"must be true or false, without quotes, not {value!r}.")
        return value

    def number(self, name: str, most: float = 1e300) -> float | None:
        """A number of at most that size."""
        value = self.fields.get(name)
        return None if value is None else self.as_number(name, value, most)

    def as_number(self, name: str, value: Any, most: float) -> float:
        """The number that a value of the field is."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= most:
            self.refuse(name, f"must be a number, not {value!r}.")
        return float(value)

    def section(self, name: str) -> Section:
        """A section within; an empty one where it does not stand there."""
        value = self.fields.get(name, {})
        if not isinstance(value, dict):
            self.refuse(name, f"must be a section: write [{self._named(name)}] on a line of its own.")
        return Section(self.file, value, self._named(name))

    def refuse(self, name: str, why: str) -> NoReturn:
        """Refuses a field.

        Raises:
            InvalidInputError: always; the message names file and field.
        """
        raise InvalidInputError(f"{self.file}: {self._named(name)} {why}")

    def _named(self, name: str) -> str:
        return f"{self._inside}.{name}" if self._inside else name
