"""Reading an append-only log: lines of JSON in segments, one segment per process that wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read_log(folder: Path, stem: str) -> Iterator[dict[str, Any]]:
    """The entries of all segments `<stem>-*.jsonl`, in order of their `at`, each `id` once: the first one counts.

    A line that is not whole, because its writer was killed, was never acknowledged and is passed over.
    """
    entries = [entry for segment in sorted(folder.glob(f"{stem}-*.jsonl")) for entry in _whole_lines(segment)]
    seen: set[str] = set()
    for entry in sorted(entries, key=lambda entry: str(entry["at"])):
        if entry["id"] not in seen:
            seen.add(entry["id"])
            yield entry


def read_decisions(folder: Path) -> Iterator[dict[str, Any]]:
    """The decisions, as `read_log` reads them, with what was decided in the shadow put among the `answers` of each."""
    shadows = {entry["id"]: {entry["arm"]: entry["answer"]} for entry in read_log(folder, "shadows")}
    for entry in read_log(folder, "decisions"):
        yield {**entry, "answers": {**shadows.get(entry["id"], {}), **entry["answers"]}}


def _whole_lines(segment: Path) -> Iterator[dict[str, Any]]:
    with segment.open("rb") as lines:
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and {"id", "at"} <= entry.keys():
                yield entry
