"""What a challenger is to be judged by, stated in a TOML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shipworthy.analysis.criteria import Margin
from shipworthy.errors import NotFoundError, UnavailableError
from shipworthy.project.section import Section, read_toml

_NUMBERS = ("smallest_gain", "target", "alpha", "units_per_year")
_TEXTS = ("per", "cadence", "entities", "currency", "title")
_WHOLE = "refit_periods"


def read_stated(path: Path) -> dict[str, Any]:
    """Reads what a file states, by the names of the fields of `Stated`; what it does not say is left out.

    Raises:
        InvalidInputError: It is no TOML, or a field is unknown or of a wrong type; the message names it.
        NotFoundError: There is no such file.
        UnavailableError: It cannot be read.
    """
    if not path.exists():
        raise NotFoundError.among("file", str(path), sorted(other.name for other in path.parent.glob("*.toml")))
    try:
        section = Section(str(path), read_toml(path))
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror or error}") from error
    section.refuse_unknown((*_NUMBERS, *_TEXTS, _WHOLE, "guardrails"))
    stated: dict[str, Any] = {name: section.number(name) for name in _NUMBERS}
    stated |= {name: section.text(name) or None for name in _TEXTS}
    refit = section.get(_WHOLE)
    if refit is not None and (isinstance(refit, bool) or not isinstance(refit, int)):
        section.refuse(_WHOLE, f"must be a whole number, not {refit!r}.")
    stated[_WHOLE] = refit
    rails = section.section("guardrails")
    stated["guardrails"] = tuple(_margin(rails, name) for name in rails) or None
    return {name: value for name, value in stated.items() if value is not None}


def _margin(rails: Section, name: str) -> Margin:
    """A guardrail: its margin alone, or with the way that is better."""
    if not isinstance(rails.get(name), dict):
        return Margin(name=name, margin=rails.number(name) or 0.0)
    told = rails.section(name)
    told.refuse_unknown(("margin", "better"))
    size = told.number("margin")
    if size is None:
        told.refuse("margin", "is missing: by how much may it get worse?")
    better: Any = told.text("better") or "higher"
    return Margin(name=name, margin=size, better=better)
