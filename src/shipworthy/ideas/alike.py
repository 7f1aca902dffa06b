"""Near-duplicates: earlier ideas that say nearly the same, found among ten thousand while somebody types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from heapq import nlargest
from itertools import islice

from shipworthy.ideas.idea import Idea
from shipworthy.ideas.register import list_ideas
from shipworthy.project import Project

_ALIKE = 0.75
_SHORT = 160
"""Up to so many letters, texts are compared letter by letter too, which forgives a slip of the pen."""

_CLOSEST = 30
"""So many ideas are compared at most: those that share the greatest part of their words."""

_TOLD = 5


def alike(project: Project, idea: Idea) -> list[Idea]:
    """Earlier ideas that say nearly the same, in their title or in what they would change."""
    return alike_among([other for other in list_ideas(project) if other.number < idea.number], idea)


def alike_among(earlier: Sequence[Idea], idea: Idea) -> list[Idea]:
    """Those of some ideas that say nearly the same as another one, by number; of very many, the closest."""
    found = {
        other.number: other
        for name in ("title", "change")
        for other in islice(_the_same(earlier, name, getattr(idea, name)), _TOLD)
    }
    return [found[number] for number in sorted(found)]


def _the_same(earlier: Sequence[Idea], name: str, text: str) -> Iterator[Idea]:
    return (other for other in _closest(earlier, name, text) if _say_the_same(text, getattr(other, name)))


def _closest(earlier: Sequence[Idea], name: str, text: str) -> list[Idea]:
    """The ideas that share the most words with a text."""
    words = words_of(text)
    if not words:
        return []
    shared = (
        (len(words & there) / max(len(words), len(there)), other)
        for other in earlier
        if (there := words_of(getattr(other, name)))
    )
    return [
        other for _, other in nlargest(_CLOSEST, (pair for pair in shared if pair[0] >= 0.4), key=lambda pair: pair[0])
    ]


def _say_the_same(one: str, other: str) -> bool:
    mine, theirs = words_of(one), words_of(other)
    if len(mine & theirs) > _ALIKE * max(len(mine), len(theirs)):
        return True
    short = max(len(one), len(other)) <= _SHORT
    return short and SequenceMatcher(None, one.lower(), other.lower(), autojunk=False).ratio() > _ALIKE


@lru_cache(maxsize=50_000)
def words_of(text: str) -> frozenset[str]:
    """The words of a text, each once.

    >>> sorted(words_of("Bake less, bake better!"))
    ['bake', 'better', 'less']
    """
    return frozenset(re.findall(r"\w+", text.lower()))
