"""The process in which a question is answered: DuckDB behind the walls of the kernel, with files that it is given and no others.

It is run by `live/shadow/walls.py`, in an empty environment and an empty folder. What it is asked comes in on stdin as JSON; the
answer goes out on stdout, a line of JSON and then the rows as Arrow.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from threading import Timer
from typing import Any, BinaryIO

import polars as pl

from shipworthy.library import library
from shipworthy.live.shadow.walls import close_walls
from shipworthy.programme.quoting import quoted

_BATCH = 50_000
_MEGABYTE = 2**20
_BESIDE = 2048
"""Megabytes of addresses beside the question's own: what the libraries map without using it."""


def main(walls: list[str]) -> None:
    """Answers one question, and ends."""
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # whatever a library prints is no part of the answer
        asked = json.loads(sys.stdin.buffer.read())
        engine = library("duckdb", "sql")
        try:
            connection = _opened(engine, asked)
            walls += close_walls((2 * int(asked["megabytes"]) + _BESIDE) * _MEGABYTE)
            head, table = _answered(engine, connection, asked)
        except Exception as error:  # noqa: BLE001  (whatever a question makes the libraries raise is its answer)
            _send(answers, {"refused": _told(str(error) or type(error).__name__, asked)}, b"")
        else:
            _send(answers, {**head, "walls": walls}, table)


class _RefusedError(Exception):
    """What is asked is no question, or its answer cannot be carried."""


def _opened(engine: Any, asked: Mapping[str, Any]) -> Any:
    """A database in memory that sees the files it is given; from here on, nothing of that can be changed."""
    library("pyarrow", "sql")
    connection = engine.connect(
        ":memory:",
        config={"threads": 1, "memory_limit": f"{asked['megabytes']}MB", "temp_directory": ""},
    )
    connection.execute("SET TimeZone = 'UTC'")
    for settings in (
        "SET autoinstall_known_extensions = false",
        "SET autoload_known_extensions = false",
        "SET allow_community_extensions = false",
        "SET arrow_large_buffer_size = true",
        f"SET allowed_paths = [{', '.join(map(quoted, asked['paths']))}]",
        "SET enable_external_access = false",
    ):
        connection.execute(settings)
    for view in asked["views"]:
        connection.execute(view)
    connection.execute("SET lock_configuration = true")
    return connection


def _answered(engine: Any, connection: Any, asked: Mapping[str, Any]) -> tuple[Mapping[str, Any], bytes]:
    statements = connection.extract_statements(asked["sql"])
    if len(statements) != 1:
        raise _RefusedError(f"These are {len(statements)} statements: ask one question at a time")
    kind = statements[0].type
    if kind != engine.StatementType.SELECT:
        raise _RefusedError(f"It is {kind.name} and no SELECT: a question only reads")
    began = time.perf_counter()
    deadline = Timer(asked["seconds"], connection.interrupt)
    deadline.daemon = True
    deadline.start()
    found = _bound(engine, connection, statements[0])
    types = [str(kind) for kind in found.types]
    frame, truncated = _read(found.to_arrow_reader(_BATCH), asked["rows"])
    deadline.cancel()
    buffer = BytesIO()
    frame.write_ipc(buffer)
    head = {"types": types, "truncated": truncated, "seconds": time.perf_counter() - began}
    return head, buffer.getvalue()


def _bound(engine: Any, connection: Any, statement: Any) -> Any:
    """The question with its columns known; where it cannot be, the error says the place, which only this second way does."""
    try:
        return connection.sql(statement)
    except engine.BinderException:
        connection.execute(statement)
        raise


def _read(reader: Any, most: int) -> tuple[pl.DataFrame, bool]:
    """The first rows, and whether there are more."""
    arrow = library("pyarrow", "sql")
    batches, count = [], 0
    for batch in reader:
        batches.append(batch)
        count += batch.num_rows
        if count > most:
            break
    table = arrow.Table.from_batches(batches, schema=reader.schema)
    try:
        frame = pl.from_arrow(table.rename_columns(list(_told_apart(reader.schema.names))))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, TypeError, ValueError) as error:
        raise _RefusedError(
            f"A column has a type that cannot be carried ({str(error).strip().partition(chr(10))[0]}): cast it to varchar"
        ) from None
    assert isinstance(frame, pl.DataFrame)
    return frame.head(most), count > most


def _told_apart(names: Sequence[str]) -> Iterator[str]:
    """The names of columns, each once."""
    seen: set[str] = set()
    for name in names:
        other, number = name, 1
        while other in seen:
            number += 1
            other = f"{name}_{number}"
        seen.add(other)
        yield other


def _told(error: str, asked: Mapping[str, Any]) -> str:
    """What an error says, and where, without advice that nobody can follow here."""
    if "out of memory" in error.lower() or error in ("MemoryError", "std::bad_alloc"):
        return f"it needs more than its {asked['megabytes']} MB"
    said, *more = error.strip().split("\n\n")
    return "\n\n".join([said, *(part for part in more if part.startswith("LINE "))])


def _send(answers: BinaryIO, head: Mapping[str, Any], table: bytes) -> None:
    answers.write(json.dumps(head).encode() + b"\n" + table)


if __name__ == "__main__":
    main(sys.argv[2:])
