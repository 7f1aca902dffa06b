"""Tables of records for a spreadsheet: one a kind, a line for each version; what is nested gets columns with dots in their names.

They are for reading, without the figures of a sealed holdout: what is taken in again are the records themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any

import polars as pl

from shipworthy.analysis.withheld import open_body
from shipworthy.ideas.idea import Idea
from shipworthy.store import Record, canonical
from shipworthy.store.chain import stamp

_SAME = ("data", "research", "parity")
"""Kinds that are no count nouns."""

_DEEP = 2
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_IDEA = ("number", "title", "problem", "challenger", "owner", "deadline", "change", "because", "smallest_gain", "per")

Cell = str | int | float | bool | None


def tables_of(records: Iterable[Record], ideas: Iterable[Idea]) -> Iterator[tuple[str, bytes]]:
    """The tables as CSV, each with its path; and all records as one Parquet file."""
    rows: dict[str, list[dict[str, Cell]]] = {}
    lines = []
    for record in records:
        about: dict[str, Cell] = {"key": record.key, "version": record.version, "at": stamp(record.at), "by": record.by}
        body = open_body(record)
        rows.setdefault(_title(record.kind), []).append({**about, **dict(_flat(body))})
        lines.append({"seq": record.seq, "kind": record.kind, **about, "body": canonical(body).decode()})
    said = [{name: _cell(getattr(idea, name)) for name in _IDEA} for idea in ideas]
    if said:
        yield "tables/ideas.csv", _csv(said)
    for title in sorted(rows):
        yield f"tables/{title}.csv", _csv(rows[title])
    parquet = BytesIO()
    pl.DataFrame(lines, infer_schema_length=None).write_parquet(parquet)
    yield "tables/records.parquet", parquet.getvalue()


def _title(kind: str) -> str:
    """What the table of a kind is called.

    >>> _title("verdict"), _title("research"), _title("idea")
    ('verdicts', 'research', 'idea_records')
    """
    return "idea_records" if kind == "idea" else kind if kind in _SAME else f"{kind}s"


def _flat(said: Mapping[str, Any], before: str = "", deep: int = 0) -> Iterator[tuple[str, Cell]]:
    for name, value in said.items():
        if isinstance(value, dict) and deep < _DEEP:
            yield from _flat(value, f"{before}{name}.", deep + 1)
        else:
            yield f"{before}{name}", _cell(value)


def _cell(value: Any) -> Cell:
    """A value as a cell; a text that a spreadsheet would take for a formula is marked as text.

    >>> _cell("=1+1"), _cell([1, 2]), _cell(-1.5)
    ("'=1+1", '[1,2]', -1.5)
    """
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if value is None or isinstance(value, int | float):
        return value
    return canonical(value).decode() if isinstance(value, list | dict) else str(value)


def _csv(rows: list[dict[str, Cell]]) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name) for row in rows] for name in names}
    texts = {name: [_text(value) for value in cells] for name, cells in columns.items()}
    return pl.DataFrame(texts, schema=dict.fromkeys(names, pl.String)).write_csv().encode()


def _text(value: Cell) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
