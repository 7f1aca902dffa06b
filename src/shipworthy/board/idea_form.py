"""The form of an idea: what its fields say, and how they are written back when something is not right."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from shipworthy.board.form import field
from shipworthy.ideas.idea import FIELDS, Idea
from shipworthy.project import Project
from shipworthy.ship.lint import Advice, lint
from shipworthy.web.asked import Asked
from shipworthy.workspace.declared import declared_currency

_TEXTS = ("title", "problem", "challenger", "change", "because", "owner", "per")
_NUMBERS = ("smallest_gain", "effort", "cost")
_EXPECTED = ("low", "likely", "high")
_LABELS = {
    "smallest_gain": "Worth shipping from",
    "expected_gain": "Expected gain",
    "per": "Counted per",
    "effort": "Effort",
    "cost": "Cost besides",
    "guardrails": "Margins of guardrails",
}
"""What the form calls a field that the file calls by another name."""
_FIELD = re.compile(rf"^[^:]+: (?:worth\.)?({'|'.join(FIELDS)})\b")


def said(asked: Asked) -> Mapping[str, str]:
    """What stands in the fields of the form, as it was typed."""
    names = [*_TEXTS, *_NUMBERS, *_EXPECTED, "deadline", "segments", "guardrails"]
    return {name: field(asked, name) for name in names}


def fields_of(form: Mapping[str, str]) -> dict[str, Any]:
    """What a form says, by the names of an idea's fields; None where a field is empty, the text itself where it is no number.

    >>> empty = dict.fromkeys((*_TEXTS, *_NUMBERS, *_EXPECTED, "deadline", "segments", "guardrails"), "")
    >>> found = fields_of(empty | {"title": "Bake less", "smallest_gain": "2,000", "segments": "dish, weekday"})
    >>> found["title"], found["smallest_gain"], found["segments"], found["cost"]
    ('Bake less', 2000.0, ['dish', 'weekday'], None)
    """
    expected = [_number(form[name]) for name in _EXPECTED]
    return {
        **{name: form[name] or None for name in (*_TEXTS, "deadline")},
        **{name: _number(form[name]) for name in _NUMBERS},
        "expected_gain": None if expected == [None, None, None] else expected,
        "segments": [name.strip() for name in form["segments"].split(",") if name.strip()] or None,
        "guardrails": _margins(form["guardrails"]),
    }


def form_of(idea: Idea) -> dict[str, str]:
    """What an idea says, as its form has it."""
    expected = idea.expected_gain or (None, None, None)
    return {
        **{name: getattr(idea, name) for name in _TEXTS},
        **{name: _written(getattr(idea, name)) for name in _NUMBERS},
        **{name: _written(amount) for name, amount in zip(_EXPECTED, expected, strict=True)},
        "deadline": idea.deadline.isoformat() if idea.deadline else "",
        "segments": ", ".join(idea.segments),
        "guardrails": "\n".join(f"{name} = {margin:g}" for name, margin in idea.guardrails.items()),
    }


def advice_on(project: Project, form: Mapping[str, str], number: int | None = None) -> Sequence[Advice]:
    """What could be better about what a form says, in the words of the form."""
    found = lint(project, fields_of(form), number=number, currency=declared_currency(project, form["problem"]))
    return [replace(one, sentence=in_words(one.sentence)) if one.fields else one for one in found]


def in_words(refusal: str) -> str:
    """A refusal of a field, by the name that the form has for it.

    >>> in_words("The idea: worth.smallest_gain must be a number, not 'a lot'.")
    "Worth shipping from must be a number, not 'a lot'."
    >>> in_words("Somebody edited it meanwhile: look at what it says now.")
    'Somebody edited it meanwhile: look at what it says now.'
    """
    return _FIELD.sub(lambda found: _LABELS.get(found[1], found[1].capitalize()), refusal)


def _number(text: str) -> float | str | None:
    plain = text.replace(",", "").replace("\N{MINUS SIGN}", "-")
    try:
        return float(plain) if plain else None
    except ValueError:
        return text


def _margins(text: str) -> dict[str, float | str | None] | None:
    """Lines such as "waste = 0.01"."""
    lines = [line.partition("=") for line in text.splitlines() if line.strip()]
    return {name.strip(): _number(margin.strip()) or 0.0 for name, _, margin in lines} or None


def _written(amount: float | None) -> str:
    return "" if amount is None else f"{amount:.12g}"
