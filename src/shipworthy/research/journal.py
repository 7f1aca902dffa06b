"""The journal of a search: one file per search, named by all that its result depends on, so that a killed one resumes."""

from __future__ import annotations

import fcntl
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

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
    """
    root = _root(make)
    deciding = [make, problem.value_of, problem.next_state, *(rule.holds for rule in problem.constraints)]
    depends = {
        "code": Code(root).digest_of(*(function for function in deciding if function is not None)),
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
