"""Models of scikit-learn, LightGBM and XGBoost by skops, which names every type before anything is made.

Boosters of LightGBM and XGBoost give themselves in their own text and binary formats. skops is slow to import, so it is
only imported where a state has such a model.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from shipworthy.library import library
from shipworthy.ship.fitted.bundle import pack_parts, read_parts

_SCHEMA = "schema.json"


def pack_model(model: Any) -> tuple[bytes, list[str]]:
    """The bytes of a model, and the types that skops would not make unasked; equal models give equal bytes."""
    skops = library("skops.io", "sklearn")
    content = _steady(skops.dumps(model))
    return content, skops.get_untrusted_types(data=content)


def open_model(content: bytes, types: Collection[str]) -> Any:
    """The model of bytes that `pack_model` gave, made of those types alone."""
    read_parts(content, "A model of the release")  # refused here where it would unfold to more than it holds
    return library("skops.io", "sklearn").loads(content, trusted=sorted(types))


def _steady(content: bytes) -> bytes:
    """The same without what differs from run to run: times, and addresses in memory as the names of things."""
    parts = read_parts(content, "A model")
    numbers: dict[int, int] = {}
    files: dict[str, str] = {}

    def renamed(node: Any) -> Any:
        if isinstance(node, list):
            return [renamed(part) for part in node]
        if not isinstance(node, dict):
            return node
        found = {name: renamed(part) for name, part in node.items()}
        if isinstance(node.get("__id__"), int):
            found["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
        if node.get("file") in parts:
            name = node["file"]
            found["file"] = files.setdefault(name, f"{len(files)}.{name.rpartition('.')[2]}")
        return found

    schema = renamed(json.loads(parts[_SCHEMA]))
    return pack_parts({_SCHEMA: json.dumps(schema).encode(), **{new: parts[old] for old, new in files.items()}})
