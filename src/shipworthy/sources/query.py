"""A query in SQL, and what is said when a database refuses it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from shipworthy.errors import InvalidInputError
from shipworthy.sources.address import without

_POSITION = re.compile(r"\n\s*LINE \d+:|\nQuery was:|\nquery:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Query:
    r"""A query, and the database that is asked.

    >>> Query("SQLite", "\n  select *\n  from sales").label
    "the SQLite query 'select *'"
    """

    database: str
    text: str

    @property
    def label(self) -> str:
        """What error messages and reports call it: its database and its first line."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        return f"the {self.database} query {lines[0] if lines else ''!r}"

    def refusal(self, why: object, secrets: Iterable[str] = ()) -> InvalidInputError:
        """The error that says what the database has against it."""
        message = without(_POSITION.split(str(why))[0], secrets).rstrip(".")
        return InvalidInputError(f"Rows cannot be read by {self.label}: {message}. Correct it in Problem(rows=...).")
