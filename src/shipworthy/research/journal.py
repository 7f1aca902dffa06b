"""The journal of a search: one file per search, named by all that its result depends on, so that a killed one resumes."""

from __future__ import annotations

import fcntl
import inspect
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType
from typing import Any

import polars as pl
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from shipworthy.errors import UserCodeError
from shipworthy.problem import Problem
from shipworthy.project.code import Code, installed_packages
from shipworthy.project.project import CONFIG_NAME
from shipworthy.store import canonical, digest
from shipworthy.store.frames import to_parquet


@contextmanager
def open_journal(
    folder: str, problem: Problem, make: Callable[..., Any], rows: pl.DataFrame, settings: Sequence[Any]
) -> Iterator[tuple[str, JournalStorage]]:
    """The name of a search, and the storage that knows the trials it has made already.

    Whoever searches for the same meanwhile, in another process, waits until this one has it: then the trials are there.

    Args:
        folder: Where journals lie, relative to the project that `make` belongs to.
        problem: Whose value and constraints score the candidates.
        make: Makes a candidate.
        rows: The past that is searched in.
        settings: What else the result depends on.

    Raises:
        UserCodeError: `make` cannot be told from another one of the same file.
    """
    made = _told_apart(make)
    root = _root(make)
    deciding = [make, problem.value_of, problem.next_state, *(rule.holds for rule in problem.constraints)]
    depends = {
        "code": Code(root).digest_of(*(function for function in deciding if function is not None)),
        "make": made,
        "rows": digest(to_parquet(rows)),
        "settings": settings,
        "versions": installed_packages(),
    }
    name = digest(canonical(depends))
    path = (root / folder).resolve() / f"{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)  # the system lets go of it when the process ends, however that comes
        _drop_torn_line(path)
        yield name, JournalStorage(JournalFileBackend(str(path)))


def _told_apart(make: Callable[..., Any]) -> list[Any]:
    """What tells a function from others of the same file: where it stands, and what it closes over."""
    if not isinstance(make, FunctionType):
        raise UserCodeError(f"A journal is named by the function that makes candidates, not a {type(make).__name__}.")
    closed = inspect.getclosurevars(make).nonlocals
    defaults = {
        name: one.default for name, one in inspect.signature(make).parameters.items() if one.default is not one.empty
    }
    return [
        list(make.__code__.co_positions()),
        {name: _plain(name, value) for name, value in {**closed, **defaults}.items()},
    ]


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, Problem):
        return value.name
    if isinstance(value, type) or (isinstance(value, FunctionType) and not value.__closure__):
        return f"{value.__module__}.{value.__qualname__}"
    try:
        return json.dumps(value, sort_keys=True)
    except (TypeError, ValueError):
        raise UserCodeError(
            f"What makes candidates closes over {name!r}, a {type(value).__name__}, so that its journal cannot be told from "
            "another one's. Close over plain numbers and texts, or search without a journal."
        ) from None


def _root(make: Callable[..., Any]) -> Path:
    """The project's folder above the file of a function, or the file's own where there is no project."""
    beside = Path(inspect.getfile(make)).resolve().parent
    return next((place for place in (beside, *beside.parents) if (place / CONFIG_NAME).is_file()), beside)


def _drop_torn_line(path: Path) -> None:
    """Takes away the line that a killed process did not finish; the next one would be written onto it."""
    if path.is_file():
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            path.write_bytes(whole)
