"""Ask: read-only SQL over what a project knows, answered in a process of its own that can write and reach nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

import polars as pl

from shipworthy.errors import InvalidInputError, NotFoundError, UnavailableError
from shipworthy.finite import finite
from shipworthy.library import library
from shipworthy.programme.limits import Limits
from shipworthy.programme.tables import TABLES, columns_of, lay_tables, mentioned
from shipworthy.project import Project

_LONGEST = 100_000
_START_S = 20.0
"""What the process may take beside the question itself, until it has started and sent its answer."""
_PROCESS = "shipworthy.programme.ask_process"
_ABSENT = re.compile(r'(?:Table with name |Referenced column )"?([^"\n]*?)"? (?:does not exist|not found)')
_INHERITED = ("PYTHONPATH", "VIRTUAL_ENV", "LANG", "LC_ALL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a question gave.

    Attributes:
        frame: The rows.
        types: The type of each column, as DuckDB calls it.
        truncated: Whether there are more rows than were asked for.
        seconds: How long it took to answer, without laying the tables.
        walls: The walls of the kernel that stood around it, see docs/shadow.md.
    """

    frame: pl.DataFrame
    types: tuple[str, ...]
    truncated: bool
    seconds: float
    walls: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON can hold it: columns with types, and rows as lists."""
        columns = [{"name": name, "type": kind} for name, kind in zip(self.frame.columns, self.types, strict=True)]
        rows = [[_plain(value) for value in row] for row in self.frame.iter_rows()]
        return {"columns": columns, "rows": rows, "truncated": self.truncated, "seconds": self.seconds}

    def flat(self) -> pl.DataFrame:
        """The rows with lists and the like as text, which neither a terminal nor CSV has a form for."""
        frame = self.frame
        nested = [
            name
            for name, dtype in frame.schema.items()
            if dtype.is_nested() or dtype.base_type().__name__ in ("Binary", "Object")
        ]
        rows = self.to_dict()["rows"] if nested else []
        texts = [pl.Series(name, [json.dumps(row[frame.columns.index(name)]) for row in rows]) for name in nested]
        return frame.with_columns(*texts)


def ask(
    projects: Sequence[Project],
    sql: str,
    *,
    limits: Limits | None = None,
    ledger: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> Answer:
    """Answers one SELECT over the tables of `TABLES`, and over nothing else.

    Args:
        projects: The only projects that the question sees.
        sql: The question, in DuckDB's SQL.
        limits: What it may take.
        ledger: By a project's space the lines of its ledger, as `Line.to_dict` gives them; the table `ledger`.

    Raises:
        InvalidInputError: it is no question, it cannot be answered, or it takes more than it may.
        UnavailableError: a store does not answer, the disk has no room, or the extra `sql` is not installed.
        TamperedError: what is stored was changed.
    """
    library("duckdb", "sql")
    asked = limits or Limits()
    if not sql.strip() or len(sql) > _LONGEST:
        raise InvalidInputError(f"A question has 1 to {_LONGEST:,} letters, this one {len(sql):,}. Ask a SELECT.")
    try:
        return _asked(projects, sql, asked, ledger)
    except (OSError, pl.exceptions.ComputeError) as error:
        raise UnavailableError(
            f"What the question asks for cannot be laid out in {gettempdir()}: {error}. Check that the disk there has room."
        ) from error


def _asked(
    projects: Sequence[Project], sql: str, limits: Limits, ledger: Mapping[str, Sequence[Mapping[str, Any]]] | None
) -> Answer:
    with TemporaryDirectory(prefix="shipworthy-ask-") as folder:
        files, scratch = Path(folder) / "files", Path(folder) / "scratch"
        files.mkdir()
        scratch.mkdir()
        laid = lay_tables(projects, sql, files, ledger)
        question = {
            "sql": sql,
            "views": laid.views,
            "paths": laid.paths,
            "megabytes": limits.megabytes,
            "rows": limits.rows,
            "seconds": limits.seconds,
        }
        return _read(_run(json.dumps(question).encode(), scratch, limits), sql, limits)


def _run(question: bytes, scratch: Path, limits: Limits) -> bytes:
    """What the process answered; it ends at its deadline, and with us."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    with subprocess.Popen(  # noqa: S603  (our own program)
        [sys.executable, "-m", "shipworthy.live.shadow.walls", _PROCESS, str(scratch)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=scratch,
        env={**kept, "PATH": os.defpath, "HOME": str(scratch), "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"},
    ) as process:
        try:
            answer, trouble = process.communicate(question + b"\n", timeout=limits.seconds + _START_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise _too_long(limits) from None
    if process.returncode in (-24, -9):
        raise _too_long(limits)
    if process.returncode or not answer:
        last = trouble.decode(errors="replace").strip().rpartition("\n")[2]
        raise InvalidInputError(
            f"The question ended the process that answers it ({last or process.returncode}): it needs more than its "
            f"{limits.megabytes} MB, or asks for what no answer can hold. Ask for less."
        )
    return answer


def _too_long(limits: Limits) -> InvalidInputError:
    return InvalidInputError(
        f"The question was broken off after {limits.seconds:g} seconds. Ask for less: fewer rows, a shorter stretch, or allow "
        "it more seconds."
    )


def _read(answer: bytes, sql: str, limits: Limits) -> Answer:
    line, _, table = answer.partition(b"\n")
    head = json.loads(line)
    if refused := head.get("refused"):
        if "INTERRUPT" in refused:
            raise _too_long(limits)
        said, begins, place = str(refused).strip().partition("\n\nLINE ")
        raise InvalidInputError(f"This cannot be answered: {_told(said, sql)}{begins}{place}")
    try:
        frame = pl.read_ipc(BytesIO(table))
    except pl.exceptions.PolarsError as error:
        raise UnavailableError(f"The answer came in damaged: {error}. Ask again.") from error
    return Answer(
        frame=frame,
        types=tuple(head["types"]),
        truncated=head["truncated"],
        seconds=head["seconds"],
        walls=tuple(head["walls"]),
    )


def _told(refused: str, sql: str) -> str:
    """What DuckDB says in its words; where a table or a column is not there, ours, with those that there are."""
    said = re.sub(r"^[A-Z]\w*(?: \w+)? Error: ", "", refused)
    absent = _ABSENT.match(said)
    if absent and said.startswith("Table"):
        return str(NotFoundError.among("table", absent[1], TABLES))
    if absent and (columns := [column for table in mentioned(sql) for column in columns_of(table)]):
        return str(NotFoundError.among("column", absent[1], dict.fromkeys(columns)))
    return said if said.endswith("?") else f"{said.rstrip('.!')}."


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | pl.Series):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return finite(value) if isinstance(value, float) else str(value)
