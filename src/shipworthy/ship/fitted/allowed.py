"""Which types a fitted state may be made of: those of the release's own code, and those of a few libraries."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from shipworthy.errors import InvalidInputError
from shipworthy.project.code import Code

LIBRARIES = ("sklearn", "numpy", "scipy", "lightgbm", "xgboost")
"""Whose models and arrays a release keeps as data."""

_PLAIN = frozenset({"collections.OrderedDict", "collections.defaultdict", "collections.Counter", "collections.deque"})


def name_of(kind: type | Any) -> str:
    """The full name of a class or function.

    >>> name_of(dict)
    'builtins.dict'
    """
    return f"{kind.__module__}.{kind.__qualname__}"


def is_of_library(name: str) -> bool:
    """Whether a full name is one that skops may make.

    >>> is_of_library("sklearn.tree._tree.Tree"), is_of_library("os.system")
    (True, False)
    """
    return name in _PLAIN or name.partition(".")[0] in LIBRARIES


def is_of_code(code: Code, module: str) -> bool:
    """Whether a module is of the release's own code, which is checked and runs anyway, or of shipworthy itself."""
    return module.partition(".")[0] == "shipworthy" or code.holds(module)


def is_allowed(code: Code, name: str) -> bool:
    """Whether the type of a full name may stand in a fitted state."""
    parts = name.split(".")
    return is_of_library(name) or any(is_of_code(code, ".".join(parts[:end])) for end in range(1, len(parts)))


def find_named(code: Code, module: str, qualname: str) -> Any:
    """What a module of the release's code has under a name; the code must be active.

    Raises:
        InvalidInputError: the module is not of that code, or has no such name.
    """
    if not is_of_code(code, module):
        raise InvalidInputError(f"{module}.{qualname} is not of the release's own code. It is not used.")
    try:
        found: Any = import_module(module)
        for part in qualname.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise InvalidInputError(f"The release's code has no {module}.{qualname}: {error}.") from error
    return found
