"""The tables that a project's modules hold in memory, exchanged for as long as a policy is asked.

The modules are found from the policy itself, not by their names: a process may hold several versions of a module.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import polars as pl

Frame = pl.DataFrame | pl.LazyFrame


class Held(NamedTuple):
    """One table, and where it hangs: among a module's names, in a class, a dictionary or a list."""

    owner: Any
    name: Any
    table: Frame


def held_tables(folder: Path, *roots: Any) -> list[Held]:
    """The tables held by the modules of a folder that some functions, objects or classes are made of.

    Seen are tables among a module's global names, and in the classes, dictionaries and lists that stand there.
    """
    waiting, seen = list(roots), dict[int, dict[str, Any]]()
    while waiting:
        for names in _namespaces(waiting.pop()):
            if id(names) not in seen and _lies_in(folder, names.get("__file__")):
                seen[id(names)] = names
                waiting.extend(names.values())
    return [held for names in seen.values() for held in _tables_among(names)]


@contextmanager
def exchanged(tables: Sequence[Held], other: Callable[[pl.DataFrame], pl.DataFrame]) -> Iterator[None]:
    """Puts another table in the place of each, and puts them back."""
    try:
        for held in tables:
            changed = other(held.table.lazy().collect())
            _put(held, changed.lazy() if isinstance(held.table, pl.LazyFrame) else changed)
        yield
    finally:
        for held in tables:
            _put(held, held.table)


def _namespaces(value: Any) -> Iterator[dict[str, Any]]:
    """The global names that a module, function, class or object refers to."""
    if isinstance(value, ModuleType):
        yield vars(value)
    elif isinstance(value, FunctionType):
        yield inspect.unwrap(value).__globals__
    elif isinstance(value, type):
        methods = [method for owner in value.__mro__ for method in vars(owner).values()]
        yield from (method.__globals__ for method in methods if isinstance(method, FunctionType))
    elif not isinstance(value, str | bytes | int | float | Frame | None):
        attributes = getattr(value, "__dict__", {}).values()
        yield from _namespaces(type(value))
        yield from (one.__globals__ for one in attributes if isinstance(one, FunctionType))


def _tables_among(names: dict[str, Any]) -> Iterator[Held]:
    for name, value in list(names.items()):
        if isinstance(value, Frame):
            yield Held(names, name, value)
        elif isinstance(value, dict):
            yield from _in(value, value)
        elif isinstance(value, list):
            yield from _in(value, dict(enumerate(value)))
        elif isinstance(value, type) and value.__module__ == names["__name__"]:
            yield from _in(value, vars(value))


def _in(owner: Any, named: Mapping[Any, Any]) -> Iterator[Held]:
    yield from (Held(owner, name, value) for name, value in list(named.items()) if isinstance(value, Frame))


def _put(held: Held, table: Frame) -> None:
    if isinstance(held.owner, type):
        setattr(held.owner, held.name, table)
    else:
        held.owner[held.name] = table


def _lies_in(folder: Path, file: str | None) -> bool:
    return file is not None and Path(file).is_relative_to(folder) and "site-packages" not in Path(file).parts
