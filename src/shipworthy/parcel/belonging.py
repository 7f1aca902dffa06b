"""Which records are about one problem: its own, those of its ideas, and those of its releases."""

from __future__ import annotations

import re

from shipworthy.errors import NotFoundError
from shipworthy.ideas.register import list_ideas
from shipworthy.project import Project
from shipworthy.store import Record, feed

_IDEA = re.compile(r"(\d{4,})(?:[^0-9A-Za-z]|$)")

Thing = tuple[str, str]
"""The kind and the key of a record."""


def about(project: Project, problem: str) -> tuple[set[Thing], set[str]]:
    """The things that are about a problem, and the keys of its ideas.

    Raises:
        NotFoundError: nothing is.
    """
    ideas = {idea.key for idea in list_ideas(project) if idea.problem == problem}
    said = {(record.kind, record.key): _problem(record) for record in feed(project.records) if _problem(record)}
    own = {thing for thing, of in said.items() if of == problem}
    ideas |= {idea for _, key in own for idea in _idea(key)}
    if not ideas and not own:
        raise NotFoundError.among("problem", problem, sorted(set(said.values())), "Name one that records are about.")
    releases = {key for kind, key in own if kind == "release"}
    others = {(record.kind, record.key) for record in feed(project.records)} - said.keys()
    return own | {thing for thing in others if _is_of(thing[1], problem, ideas, releases)}, ideas


def _problem(record: Record) -> str:
    """The problem that a record says it is about; empty where it says none."""
    lock = record.body.get("lock") or {}
    return str(record.body.get("problem") or (lock.get("criteria") or {}).get("problem") or "")


def _is_of(key: str, problem: str, ideas: set[str], releases: set[str]) -> bool:
    return key in releases or key == problem or key.startswith(f"{problem}/") or bool(ideas & set(_idea(key)))


def _idea(key: str) -> list[str]:
    """The idea that a key begins with.

    >>> _idea("0007"), _idea("0007/ann"), _idea("kitchen")
    (['0007'], ['0007'], [])
    """
    found = _IDEA.match(key)
    return [found[1]] if found else []
