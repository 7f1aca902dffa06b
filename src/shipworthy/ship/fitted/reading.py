"""Opening a fitted state: every part is bounded before it is decoded, and nothing is made that the manifest does not list."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from shipworthy.errors import InvalidInputError, ShipworthyError
from shipworthy.project.code import Code
from shipworthy.ship.fitted.allowed import find_named, is_allowed
from shipworthy.ship.fitted.bundle import read_parts
from shipworthy.ship.fitted.models import open_model
from shipworthy.ship.fitted.writing import STATE


def open_fitted(code: Code, content: bytes, types: Collection[str], file: str) -> Any:
    """The state that `pack_fitted` wrote.

    Args:
        code: The release's code, whose classes the state may hold.
        content: The bundle.
        types: The full names of what may be made.
        file: What messages call the bundle.

    Raises:
        InvalidInputError: it is no such bundle, asks for a type that is not listed, or does not fit what is installed here.
    """
    parts = read_parts(content, file)
    for name in types:
        if not is_allowed(code, name):
            _refuse_type(name)
    with code.active():
        try:
            return _Reader(code, parts, frozenset(types)).value(json.loads(parts[STATE]))
        except ShipworthyError:
            raise
        except Exception as error:  # whatever a decoder or the user's class raises
            raise InvalidInputError(
                f"{file} cannot be opened here: {type(error).__name__}: {error}. The release was built with the packages of "
                "its lock.txt: install these versions, or ship the idea again."
            ) from error


class _Reader:
    """Turns the tree of JSON into objects again."""

    def __init__(self, code: Code, parts: Mapping[str, bytes], types: Collection[str]) -> None:
        self._code, self._parts, self._types = code, parts, types
        self._made: Mapping[str, Callable[[Any], Any]] = {
            "float": float,
            "tuple": lambda items: tuple(self._values(items)),
            "set": lambda items: set(self._values(items)),
            "frozenset": lambda items: frozenset(self._values(items)),
            "dict": lambda pairs: {self.value(key): self.value(of) for key, of in pairs},
            "bytes": lambda part: self._parts[part],
            "bytearray": lambda part: bytearray(self._parts[part]),
            "date": date.fromisoformat,
            "time": time.fromisoformat,
            "datetime": _datetime,
            "timedelta": lambda numbers: timedelta(*numbers),
            "array": lambda part: _array(self._parts[part]),
            "scalar": lambda part: _array(self._parts[part])[()],
            "objects": self._objects,
            "frame": lambda part: pl.read_ipc(BytesIO(self._parts[part])),
            "series": lambda part: pl.read_ipc(BytesIO(self._parts[part])).to_series(),
            "model": lambda part: open_model(self._parts[part], self._types),
            "name": lambda named: self._named(*named),
            "member": lambda named: self._named(*named[:2])[named[2]],
            "object": self._object,
        }

    def value(self, tree: Any) -> Any:
        """The object that a tree stands for."""
        if isinstance(tree, list):
            return self._values(tree)
        if not isinstance(tree, dict):
            return tree
        [(kind, of)] = tree.items()
        return self._made[kind](of)

    def _values(self, trees: list[Any]) -> list[Any]:
        return [self.value(tree) for tree in trees]

    def _objects(self, given: tuple[list[int], list[Any]]) -> Any:
        shape, trees = given
        array = np.empty(len(trees), dtype=object)
        for place, tree in enumerate(trees):
            array[place] = self.value(tree)
        return array.reshape(shape)

    def _named(self, module: str, qualname: str) -> Any:
        if f"{module}.{qualname}" not in self._types:
            _refuse_type(f"{module}.{qualname}")
        return find_named(self._code, module, qualname)

    def _object(self, given: tuple[str, str, Any]) -> Any:
        module, qualname, tree = given
        kind = self._named(module, qualname)
        made, state = kind.__new__(kind), self.value(tree)
        if hasattr(made, "__setstate__"):
            if state is not None:
                made.__setstate__(state)
            return made
        attributes, slots = state if isinstance(state, tuple) else (state, None)
        if attributes:
            made.__dict__.update(attributes)
        for name, part in (slots or {}).items():
            object.__setattr__(made, name, part)
        return made


def _refuse_type(name: str) -> None:
    raise InvalidInputError(f"The fitted state asks for a {name}, which the release may not make. It is not used.")


def _datetime(given: tuple[str, str | None, int]) -> datetime:
    text, zone, fold = given
    at = datetime.fromisoformat(text).replace(fold=fold)
    return at if zone is None else at.replace(tzinfo=ZoneInfo(zone))


def _array(content: bytes) -> Any:
    """An array in numpy's format, refused where its header promises more than follows."""
    file = BytesIO(content)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize > len(content) - file.tell():
        raise InvalidInputError("An array of the fitted state promises more than follows. It is not used.")
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)
