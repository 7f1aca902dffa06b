"""Writing a fitted state: plain values as JSON, arrays and frames in their own formats, models by skops."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from copyreg import __newobj__  # type: ignore[attr-defined]  # what pickle makes an object with
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from io import BytesIO
from types import BuiltinFunctionType, FunctionType
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from shipworthy.errors import UserCodeError
from shipworthy.project.code import Code
from shipworthy.ship.fitted.allowed import LIBRARIES, is_allowed, is_of_code, is_of_library, name_of
from shipworthy.ship.fitted.bundle import pack_parts
from shipworthy.ship.fitted.models import pack_model

STATE = "state.json"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted state as bytes.

    Attributes:
        content: The bundle.
        types: The full names of what opening it makes, beside plain values, arrays and frames.
    """

    content: bytes
    types: tuple[str, ...]


def pack_fitted(code: Code, fitted: Any, policy: str) -> Fitted:
    """What a policy's `fit` returned, as a bundle; the same state gives the same bytes.

    Two names for one object become two equal objects.

    Raises:
        UserCodeError: it holds something that cannot be kept as data; the message says where, and the two ways out.
    """
    with code.active():
        writer = _Writer(code, policy)
        try:
            state = writer.tree(fitted, "what it returned")
        except RecursionError:
            writer.refuse(fitted, "what it returned", "nests too deeply, or refers to itself")
        text = json.dumps(state, separators=(",", ":"), allow_nan=False)
    return Fitted(pack_parts({STATE: text.encode(), **writer.parts}), tuple(sorted(writer.types)))


class _Writer:
    """Turns objects into a tree of JSON, and puts aside what is a part of its own."""

    def __init__(self, code: Code, policy: str) -> None:
        self._code, self._policy = code, policy
        self.parts: dict[str, bytes] = {}
        self.types: set[str] = set()

    def tree(self, value: Any, where: str) -> Any:
        """The JSON of a value; `where` says to a reader how it is reached."""
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is list:
            return self._trees(value, where)
        return (
            self._plain(value, where)
            or self._calendar(value)
            or self._table(value, where)
            or self._object(value, where)
        )

    def _plain(self, value: Any, where: str) -> Any:
        kind = type(value)
        if kind is float:  # 0.0 is false, and would be asked about on and on
            return value if math.isfinite(value) and value else {"float": str(value)}
        if kind in (tuple, set, frozenset):
            items = sorted(value, key=repr) if kind is not tuple else value
            return {kind.__name__: self._trees(items, where)}
        if kind is dict:
            return {"dict": [[self.tree(key, where), self.tree(of, f"{where}[{key!r}]")] for key, of in value.items()]}
        return {kind.__name__: self._part("bin", bytes(value))} if kind in (bytes, bytearray) else None

    def _trees(self, values: Iterable[Any], where: str) -> list[Any]:
        return [self.tree(value, f"{where}[{place}]") for place, value in enumerate(values)]

    def _calendar(self, value: Any) -> Any:
        kind = type(value)
        if kind is datetime and (value.tzinfo is None or type(value.tzinfo) is ZoneInfo):
            zone = None if value.tzinfo is None else str(value.tzinfo)
            return {"datetime": [value.replace(tzinfo=None).isoformat(), zone, value.fold]}
        if kind is datetime and value.utcoffset() is not None and type(value.tzinfo).__module__ == "datetime":
            return {"datetime": [value.isoformat(), None, value.fold]}
        if kind is date or (kind is time and value.tzinfo is None):
            return {kind.__name__: value.isoformat()}
        return {"timedelta": [value.days, value.seconds, value.microseconds]} if kind is timedelta else None

    def _table(self, value: Any, where: str) -> Any:
        kind = type(value)
        if kind is np.ndarray and value.dtype == object:
            return {"objects": [list(value.shape), self._trees(value.ravel().tolist(), where)]}
        if kind is np.ndarray and not value.dtype.hasobject:
            return {"array": self._part("npy", _npy(value))}
        if isinstance(value, np.generic) and not value.dtype.hasobject:
            return {"scalar": self._part("npy", _npy(np.asarray(value)))}
        if kind is pl.DataFrame and not any(_holds_objects(dtype) for dtype in value.dtypes):
            return {"frame": self._part("arrow", _ipc(value))}
        if kind is pl.Series and not _holds_objects(value.dtype):
            return {"series": self._part("arrow", _ipc(value.to_frame()))}
        return None

    def _object(self, value: Any, where: str) -> Any:
        kind = type(value)
        if isinstance(value, type | FunctionType | BuiltinFunctionType):
            return self._name(value, where)
        name = name_of(kind)
        if is_of_library(name):
            return self._model(value, where)
        if not is_of_code(self._code, kind.__module__) or "<" in kind.__qualname__:
            self.refuse(value, where)
        if getattr(kind, "opens_pickles", False):
            self.refuse(value, where, "opens pickles of its own")
        self.types.add(name)
        if isinstance(value, Enum):
            return {"member": [kind.__module__, kind.__qualname__, value.name]}
        return {"object": [kind.__module__, kind.__qualname__, self._state(value, where)]}

    def _state(self, value: Any, where: str) -> Any:
        """What is left of an object of the user's own without its class, as Python's own protocol for copies gives it."""
        try:
            made, arguments, state, *more = (*value.__reduce_ex__(2), None)[:5]
        except Exception as error:  # noqa: BLE001  (whatever the user's object raises)
            self.refuse(value, where, f"cannot be taken apart: {type(error).__name__}: {error}")
        if made is not __newobj__ or len(arguments) != 1 or any(part is not None for part in more):
            self.refuse(value, where, "is made in a way of its own")
        if type(state) is dict:
            return {"dict": [[key, self.tree(part, f"{where}.{key}")] for key, part in state.items()]}
        return self.tree(state, where)

    def _name(self, value: Any, where: str) -> Any:
        """A class or a function by its name, which the release's code has."""
        if not is_of_code(self._code, value.__module__ or "") or "<" in value.__qualname__:
            self.refuse(value, where)
        self.types.add(name_of(value))
        return {"name": [value.__module__, value.__qualname__]}

    def _model(self, value: Any, where: str) -> Any:
        try:
            content, types = pack_model(value)
        except Exception as error:  # noqa: BLE001  (skops raises whatever an object raises)
            self.refuse(value, where, f"cannot be written by skops: {type(error).__name__}: {error}")
        for name in types:
            if not is_allowed(self._code, name):
                self.refuse(value, f"{where}, in a {name_of(type(value))}", named=name)
        self.types.update(types)
        return {"model": self._part("skops", content)}

    def _part(self, ending: str, content: bytes) -> str:
        name = f"{len(self.parts)}.{ending}"
        self.parts[name] = content
        return name

    def refuse(self, value: Any, where: str, why: str = "", named: str | None = None) -> Any:
        """Says what cannot be kept, where it stands, and what to do.

        Raises:
            UserCodeError: always.
        """
        name = named or name_of(value if isinstance(value, type | FunctionType) else type(value))
        noun = "the function" if isinstance(value, FunctionType) and not named else "a"
        reason = f"which {why}" if why else "a type that is neither the project's own nor of " + _listed(LIBRARIES)
        raise UserCodeError(
            f"fit() of policy {self._policy!r}: {where} is {noun} {name}, {reason}. A release keeps data, so it cannot be "
            "packed. Either keep plain values, arrays, frames, a model of one of these libraries, or a class of your own that "
            "stands at the top of a module in its place; or declare `pickled = True` on the policy: its release then holds a "
            "pickle, and says so."
        )


def _npy(array: Any) -> bytes:
    buffer = BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _ipc(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.write_ipc(buffer, compression="uncompressed")
    return buffer.getvalue()


def _holds_objects(dtype: pl.DataType) -> bool:
    return "Object" in str(dtype)


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
