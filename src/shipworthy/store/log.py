"""Reading an append-only log: lines of JSON in segments, one segment per process that wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


def read_log(folder: Path, stem: str) -> Iterator[dict[str, Any]]:
    """The entries of all segments `<stem>-*.jsonl`, in order of their `at`, each `id` once: the first one counts.

    A line that is not whole, because its writer was killed, was never acknowledged and is passed over. What was compacted is no
    longer in segments: `shipworthy.log` reads both.
    """
    entries: list[dict[str, Any]] = []
    for segment in sorted(folder.glob(f"{stem}-*.jsonl")):
        with segment.open("rb") as lines:
            entries.extend(entry for _, entry in whole_entries(lines))
    seen: set[str] = set()
    for entry in sorted(entries, key=lambda entry: str(entry["at"])):
        if entry["id"] not in seen:
            seen.add(entry["id"])
            yield entry


def whole_entries(lines: Iterable[bytes]) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """The lines, without their ends, that are whole, each with the entry that it holds."""
    for line in lines:
        entry = read_entry(line) if line.endswith(b"\n") else None
        if entry is not None:
            yield line[:-1], entry


def read_entry(line: bytes) -> dict[str, Any] | None:
    """The entry that a line holds; None where it is torn or damaged."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and {"id", "at"} <= entry.keys() else None
